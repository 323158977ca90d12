-- One row a school.
CREATE TABLE tenant (
    number  INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE
) STRICT;

-- One row an event, in the order of the ids, which is the order of their making.
CREATE TABLE event (
    tenant            INTEGER NOT NULL REFERENCES tenant (number),
    id                BLOB    NOT NULL,
    received_ms       INTEGER NOT NULL,
    at_ms             INTEGER NOT NULL,
    kind              TEXT    NOT NULL,
    device            TEXT,
    verified          INTEGER NOT NULL,
    subject           TEXT,
    cohort            TEXT,
    host              TEXT,
    path              TEXT,
    entry_key         TEXT,
    resource_type     TEXT,
    reason_code       TEXT,
    rule              TEXT,
    category          TEXT,
    period_name       TEXT,
    period_kind       TEXT,
    count             INTEGER NOT NULL,
    policy_version    TEXT,
    pack_version      TEXT,
    extension_version TEXT,
    comment           TEXT,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- One pupil's records, for export and erasure.
CREATE INDEX event_subject ON event (tenant, subject, id) WHERE subject IS NOT NULL;
