-- The outbox as first released. Run inside one transaction by migrations.py.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- epoch: the epoch in force; clean: 1 if the last run ended by itself;
-- next_sequence: lower bound, written when events are removed (else max(seq) + 1 tells).

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    vendor TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    device TEXT,
    priority TEXT NOT NULL,
    dedupe INTEGER NOT NULL,
    stored_at INTEGER NOT NULL, -- ms since 1970 by the wall clock
    size INTEGER NOT NULL, -- bytes of attributes and data
    places TEXT, -- JSON [[lane_id, position, route_id], ...]; NULL if no route matched
    attributes TEXT NOT NULL, -- JSON object
    data BLOB NOT NULL
) STRICT;

CREATE INDEX events_unrouted ON events (seq, size) WHERE places IS NULL;

CREATE TABLE routes (
    id INTEGER PRIMARY KEY,
    route TEXT NOT NULL,
    route_version INTEGER NOT NULL,
    schema_pin TEXT,
    projection TEXT
) STRICT;

CREATE TABLE lanes (
    id INTEGER PRIMARY KEY,
    vendor TEXT NOT NULL,
    sink TEXT NOT NULL,
    lane_class TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    next_number INTEGER NOT NULL,
    done TEXT NOT NULL, -- PositionSet: everything that does not wait
    routed INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    compacted INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    bytes_routed INTEGER NOT NULL,
    removed_below INTEGER NOT NULL, -- rows below are gone, but for parked positions
    rows_removed INTEGER NOT NULL,
    UNIQUE (vendor, sink, lane_class, epoch)
) STRICT;

CREATE TABLE deliveries (
    lane_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    bytes_routed INTEGER NOT NULL, -- of the lane, up to and including this one
    PRIMARY KEY (lane_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE parked (
    lane_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    detail TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    PRIMARY KEY (lane_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE voided (
    lane_id INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    voided_at INTEGER NOT NULL,
    PRIMARY KEY (lane_id, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    vendor TEXT PRIMARY KEY,
    received INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    events_removed INTEGER NOT NULL, -- stored once, rows gone since
    rejects_not_kept INTEGER NOT NULL -- counted without a row
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (
    vendor TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (vendor, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE states (
    vendor TEXT NOT NULL,
    device TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (vendor, device)
) STRICT;

CREATE TABLE redeliveries (
    vendor TEXT NOT NULL,
    packet_id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (vendor, packet_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE dedupe (
    id TEXT PRIMARY KEY,
    stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX dedupe_stored_at ON dedupe (stored_at);

CREATE TABLE rejected (
    id INTEGER PRIMARY KEY,
    vendor TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    raw BLOB NOT NULL,
    topic TEXT,
    device TEXT,
    rejected_at TEXT NOT NULL -- RFC 3339
) STRICT;

CREATE INDEX rejected_vendor ON rejected (vendor);

PRAGMA application_id = 0x4C575842; -- "LWXB"
PRAGMA user_version = 1;
