"""Every statement of registry.db, named. The migrations stand beside this file in `sql/`."""

from __future__ import annotations

ADD_HUB = "INSERT INTO hub (only_row, id, created_at, epoch) VALUES (1, ?, ?, 0)"
HUB = "SELECT id, created_at, epoch FROM hub"
SET_EPOCH = "UPDATE hub SET epoch = ? WHERE epoch < ?"

DEVICES = """
SELECT vendor, device, name, model, manufacturer, firmware, first_seen, changed_at
FROM devices ORDER BY vendor, device
"""
PUT_DEVICE = """
INSERT INTO devices (vendor, device, name, model, manufacturer, firmware, first_seen, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (vendor, device) DO UPDATE SET
    name = excluded.name, model = excluded.model, manufacturer = excluded.manufacturer,
    firmware = excluded.firmware, changed_at = excluded.changed_at
"""
FORGET_DEVICE = "DELETE FROM devices WHERE vendor = ? AND device = ?"

COPY_INTO = "VACUUM INTO ?"
CHECK = "PRAGMA quick_check(1)"
GENERATION = "PRAGMA user_version"
DURABLE = "PRAGMA synchronous = EXTRA"
"""Syncs the folder after the rollback journal is gone, so that a commit survives a power cut."""
