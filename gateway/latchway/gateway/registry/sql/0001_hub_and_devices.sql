CREATE TABLE hub (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    id          TEXT    NOT NULL,
    created_at  TEXT    NOT NULL,
    epoch       INTEGER NOT NULL CHECK (epoch >= 0)
) STRICT;

CREATE TABLE devices (
    vendor        TEXT NOT NULL,
    device        TEXT NOT NULL,
    name          TEXT NOT NULL,
    model         TEXT,
    manufacturer  TEXT,
    firmware      TEXT,
    first_seen    TEXT NOT NULL,
    changed_at    TEXT NOT NULL,
    PRIMARY KEY (vendor, device)
) STRICT, WITHOUT ROWID;
