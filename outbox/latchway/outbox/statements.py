"""Every SQL statement that the outbox runs, named. Plans of the frequent ones are tested."""

from __future__ import annotations

from typing import Final

BEGIN: Final = "BEGIN"
BEGIN_WRITE: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

# --- opening

APPLICATION_ID: Final = "PRAGMA application_id"
USER_VERSION: Final = "PRAGMA user_version"
COUNT_OBJECTS: Final = "SELECT count(*) FROM sqlite_schema"
ALL_META: Final = "SELECT key, value FROM meta"
SET_META: Final = """
INSERT INTO meta (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""
LAST_SEQUENCE: Final = "SELECT max(seq) FROM events"
ALL_LANES: Final = """
SELECT id, vendor, sink, lane_class, epoch, next_number, done, routed, acknowledged, waiting,
       parked, expired, compacted, dropped, withdrawn, bytes_routed, removed_below, rows_removed
FROM lanes
"""
ALL_ROUTES: Final = "SELECT id, route, route_version, schema_pin, projection FROM routes"

# --- one group commit

INSERT_EVENT: Final = """
INSERT INTO events (seq, epoch, vendor, id, type, device, priority, dedupe, stored_at, size,
                    places, attributes, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_DELIVERY: Final = """
INSERT INTO deliveries (lane_id, position, seq, bytes_routed) VALUES (?, ?, ?, ?)
"""
INSERT_ROUTE: Final = """
INSERT INTO routes (id, route, route_version, schema_pin, projection) VALUES (?, ?, ?, ?, ?)
"""
PUT_LANE: Final = """
INSERT INTO lanes (id, vendor, sink, lane_class, epoch, next_number, done, routed, acknowledged,
                   waiting, parked, expired, compacted, dropped, withdrawn, bytes_routed,
                   removed_below, rows_removed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    next_number = excluded.next_number, done = excluded.done, routed = excluded.routed,
    acknowledged = excluded.acknowledged, waiting = excluded.waiting, parked = excluded.parked,
    expired = excluded.expired, compacted = excluded.compacted, dropped = excluded.dropped,
    withdrawn = excluded.withdrawn, bytes_routed = excluded.bytes_routed,
    removed_below = excluded.removed_below, rows_removed = excluded.rows_removed
"""
ADD_TO_ACCOUNT: Final = """
INSERT INTO account (vendor, received, stored, duplicate, rejected, refused, events_removed,
                     rejects_not_kept)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (vendor) DO UPDATE SET
    received = received + excluded.received, stored = stored + excluded.stored,
    duplicate = duplicate + excluded.duplicate, rejected = rejected + excluded.rejected,
    refused = refused + excluded.refused,
    events_removed = events_removed + excluded.events_removed,
    rejects_not_kept = rejects_not_kept + excluded.rejects_not_kept
"""
PUT_CURSOR: Final = """
INSERT INTO cursors (vendor, name, value) VALUES (?, ?, ?)
ON CONFLICT (vendor, name) DO UPDATE SET value = excluded.value
"""
PUT_STATE: Final = """
INSERT INTO states (vendor, device, value) VALUES (?, ?, ?)
ON CONFLICT (vendor, device) DO UPDATE SET value = excluded.value
"""
FORGET_STATE: Final = "DELETE FROM states WHERE vendor = ? AND device = ?"
INSERT_REJECT: Final = """
INSERT INTO rejected (vendor, code, reason, raw, topic, device, rejected_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
KNOWS_ID: Final = "SELECT 1 FROM dedupe WHERE id = ?"
INSERT_ID: Final = "INSERT INTO dedupe (id, stored_at) VALUES (?, ?)"
DIGEST_OF_PACKET: Final = "SELECT digest FROM redeliveries WHERE vendor = ? AND packet_id = ?"
PUT_DIGEST: Final = """
INSERT INTO redeliveries (vendor, packet_id, digest) VALUES (?, ?, ?)
ON CONFLICT (vendor, packet_id) DO UPDATE SET digest = excluded.digest
"""
FORGET_DIGESTS: Final = "DELETE FROM redeliveries WHERE vendor = ?"

# --- progress of lanes

INSERT_PARKED: Final = """
INSERT INTO parked (lane_id, position, detail, parked_at) VALUES (?, ?, ?, ?)
"""
TAKE_PARKED: Final = "DELETE FROM parked WHERE lane_id = ? AND position = ?"
INSERT_VOIDED: Final = """
INSERT INTO voided (lane_id, first, last, reason, detail, voided_at) VALUES (?, ?, ?, ?, ?, ?)
"""
VOIDED_AT_OR_BELOW: Final = """
SELECT last FROM voided WHERE lane_id = ? AND first <= ? ORDER BY first DESC LIMIT 1
"""
HAS_DELIVERY: Final = "SELECT 1 FROM deliveries WHERE lane_id = ? AND position = ?"

# --- removing what is done with

BYTES_BELOW: Final = """
SELECT bytes_routed FROM deliveries WHERE lane_id = ? AND position < ?
ORDER BY position DESC LIMIT 1
"""
BYTES_FROM: Final = """
SELECT bytes_routed FROM deliveries WHERE lane_id = ? AND position >= ?
ORDER BY position LIMIT 1
"""
UNROUTED_BYTES_FROM: Final = """
SELECT coalesce(sum(size), 0) FROM events WHERE places IS NULL AND seq >= ?
"""
REMOVABLE_DELIVERIES: Final = """
SELECT position, seq FROM deliveries
WHERE lane_id = ? AND position >= ? AND position < ?
  AND NOT EXISTS (SELECT 1 FROM parked WHERE parked.lane_id = deliveries.lane_id
                  AND parked.position = deliveries.position)
ORDER BY position LIMIT ?
"""
REMOVE_DELIVERY: Final = "DELETE FROM deliveries WHERE lane_id = ? AND position = ?"
REMOVE_EVENT_WITHOUT_DELIVERIES: Final = """
DELETE FROM events WHERE seq = ? AND NOT EXISTS (
    SELECT 1 FROM json_each(events.places) AS place
    CROSS JOIN deliveries
    WHERE deliveries.lane_id = json_extract(place.value, '$[0]')
      AND deliveries.position = json_extract(place.value, '$[1]'))
"""
REMOVABLE_UNROUTED: Final = """
SELECT seq FROM events WHERE places IS NULL AND seq < ? ORDER BY seq LIMIT ?
"""
REMOVE_UNROUTED: Final = """
DELETE FROM events WHERE places IS NULL AND seq <= ? RETURNING vendor
"""
FORGET_OLD_IDS: Final = """
DELETE FROM dedupe WHERE id IN (
    SELECT id FROM dedupe WHERE stored_at < ? ORDER BY stored_at LIMIT ?)
"""
GIVE_BACK_PAGES: Final = "PRAGMA incremental_vacuum(512)"

# --- reading

STATES_OF_VENDOR: Final = "SELECT device, value FROM states WHERE vendor = ?"
CURSORS_OF_VENDOR: Final = "SELECT name, value FROM cursors WHERE vendor = ?"
LANE_BY_KEY: Final = """
SELECT id, done FROM lanes WHERE vendor = ? AND sink = ? AND lane_class = ? AND epoch = ?
"""
DELIVERIES_FROM: Final = """
SELECT deliveries.position, events.seq, events.epoch, events.id, events.type, events.device,
       events.priority, events.dedupe, events.places, events.attributes, events.data
FROM deliveries CROSS JOIN events ON events.seq = deliveries.seq
WHERE deliveries.lane_id = ? AND deliveries.position >= ?
ORDER BY deliveries.position LIMIT ?
"""
NEWEST_EVENTS: Final = """
SELECT seq, epoch, id, type, device, priority, dedupe, places, attributes, data
FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ?
"""
NEWEST_REJECTED: Final = """
SELECT id, vendor, code, reason, raw, topic, device, rejected_at
FROM rejected ORDER BY id DESC LIMIT ?
"""
NEWEST_REJECTED_OF_VENDOR: Final = """
SELECT id, vendor, code, reason, raw, topic, device, rejected_at
FROM rejected WHERE vendor = ? ORDER BY id DESC LIMIT ?
"""
PARKED_POSITIONS: Final = """
SELECT parked.lane_id, parked.detail, parked.parked_at, parked.position, events.seq,
       events.epoch, events.id, events.type, events.device, events.priority, events.dedupe,
       events.places, events.attributes, events.data
FROM parked
CROSS JOIN deliveries ON deliveries.lane_id = parked.lane_id
                     AND deliveries.position = parked.position
CROSS JOIN events ON events.seq = deliveries.seq
ORDER BY parked.lane_id, parked.position LIMIT ?
"""
ACCOUNT: Final = """
SELECT vendor, received, stored, duplicate, rejected, refused FROM account ORDER BY vendor
"""
PAGE_COUNT: Final = "PRAGMA page_count"
FREE_PAGES: Final = "PRAGMA freelist_count"
PAGE_SIZE: Final = "PRAGMA page_size"

# --- counting again from the rows

RECOUNT_INTAKE: Final = """
WITH kept (vendor, count) AS (SELECT vendor, count(*) FROM events GROUP BY vendor),
     rejects (vendor, count) AS (SELECT vendor, count(*) FROM rejected GROUP BY vendor)
SELECT account.vendor, account.received, account.events_removed + coalesce(kept.count, 0),
       account.duplicate, account.rejects_not_kept + coalesce(rejects.count, 0), account.refused
FROM account
LEFT JOIN kept ON kept.vendor = account.vendor
LEFT JOIN rejects ON rejects.vendor = account.vendor
ORDER BY account.vendor
"""
COUNT_DELIVERIES: Final = """
SELECT count(*) FROM deliveries CROSS JOIN events ON events.seq = deliveries.seq
WHERE deliveries.lane_id = ? AND deliveries.position BETWEEN ? AND ?
"""
COUNT_PARKED: Final = """
SELECT count(*) FROM parked CROSS JOIN deliveries
    ON deliveries.lane_id = parked.lane_id AND deliveries.position = parked.position
WHERE parked.lane_id = ?
"""
COUNT_VOIDED: Final = """
SELECT reason, sum(last - first + 1) FROM voided WHERE lane_id = ? GROUP BY reason
"""
