-- People who may sign in; a name is unique in its school.
CREATE TABLE staff (
    number         INTEGER PRIMARY KEY,
    tenant         INTEGER NOT NULL REFERENCES tenant (number),
    name           TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    -- How events name this person, so that nobody sees their own.
    subject        TEXT,
    password       TEXT    NOT NULL,
    totp_secret    BLOB    NOT NULL,
    totp_last_step INTEGER NOT NULL DEFAULT 0,
    created_ms     INTEGER NOT NULL,
    last_used_ms   INTEGER,
    UNIQUE (tenant, name)
) STRICT;

-- Open sign-ins; the cookie's token is kept as its SHA-256 only.
CREATE TABLE staff_session (
    token_hash  BLOB    PRIMARY KEY,
    staff       INTEGER NOT NULL REFERENCES staff (number) ON DELETE CASCADE,
    form_token  TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    used_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What staff did; each row holds the hash of the one before it in its school.
CREATE TABLE audit (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant    INTEGER NOT NULL REFERENCES tenant (number),
    at_ms     INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    hash      BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant, number);

-- Numbers of each day, kept when events are stored, so that no page counts events.
CREATE TABLE figure (
    tenant   INTEGER NOT NULL REFERENCES tenant (number),
    -- Days since 1970-01-01, UTC, of the moment it happened.
    day      INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    cohort   TEXT    NOT NULL,
    category TEXT    NOT NULL,
    total    INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, kind, cohort, category)
) STRICT, WITHOUT ROWID;
INSERT INTO figure (tenant, day, kind, cohort, category, total)
SELECT tenant, at_ms / 86400000, kind, COALESCE(cohort, ''), COALESCE(category, ''), SUM(count)
FROM event GROUP BY 1, 2, 3, 4, 5;
