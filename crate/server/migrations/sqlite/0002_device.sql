-- One row an enrolled profile of a device; the id is made from its public key.
CREATE TABLE device (
    number        INTEGER PRIMARY KEY,
    tenant        INTEGER NOT NULL REFERENCES tenant (number),
    id            TEXT    NOT NULL UNIQUE,
    algorithm     TEXT    NOT NULL,
    public_key    BLOB    NOT NULL,
    -- Whose profile it says it is, and once verified, whose it is.
    subject       TEXT,
    cohort        TEXT,
    status        TEXT    NOT NULL CHECK (status IN ('unverified', 'verified', 'revoked')),
    last_sequence INTEGER NOT NULL,
    enrolled_ms   INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL
) STRICT;

-- The key with which the endpoint signs what it tells a school's devices.
CREATE TABLE signing_key (
    tenant  INTEGER PRIMARY KEY REFERENCES tenant (number),
    pkcs8   BLOB    NOT NULL
) STRICT;
