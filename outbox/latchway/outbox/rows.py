"""How model and rows translate into each other. Pure; used by the writer and by readers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from latchway.outbox.ledger import Lane
from latchway.outbox.model import LaneKey
from latchway.outbox.positions import PositionSet
from latchway.schemas import LaneClass

Row = tuple[Any, ...]
"""A row as sqlite3 gives it; its columns are those of the statement that read it."""

encode_json = json.JSONEncoder(separators=(",", ":")).encode
"""Compact JSON, in ASCII, so that a lone surrogate cannot make a row unstorable."""


def sequence_text(epoch: int, number: int) -> str:
    """The CloudEvents `sequence`: orders all events of a hub."""
    return f"{epoch}-{number:016d}"


def sequence_number(text: str) -> int:
    """The number part of a `sequence`; it goes on across the epochs of one file."""
    epoch, dash, number = text.partition("-")
    if not (dash and epoch.isascii() and epoch.isdigit() and number.isascii() and number.isdigit()):
        raise ValueError(f"{text!r} is no sequence: it looks like 1-0000000000000042")
    return int(number)


def storable(text: str | None) -> str | None:
    """Text from outside in a form that SQLite takes: lone surrogates are spelled out."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def milliseconds(at: datetime) -> int:
    """Wall time as the tables keep it: milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def rfc3339(at: datetime) -> str:
    """Wall time as people read it, in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def lane_from_row(row: Row) -> Lane:
    """A row of `ALL_LANES` as a lane."""
    lane_id, vendor, sink, lane_class, epoch, next_number, done, *counters = row
    return Lane(
        lane_id,
        LaneKey(vendor, sink, LaneClass(lane_class)),
        epoch,
        next_number,
        PositionSet.from_text(done),
        *counters,
    )


def lane_to_row(lane: Lane) -> Row:
    """A lane as the parameters of `PUT_LANE`."""
    return (
        lane.id,
        lane.key.vendor,
        lane.key.sink,
        lane.key.lane_class.value,
        lane.epoch,
        lane.next_number,
        lane.done.to_text(),
        lane.routed,
        lane.acknowledged,
        lane.waiting,
        lane.parked,
        lane.expired,
        lane.compacted,
        lane.dropped,
        lane.withdrawn,
        lane.bytes_routed,
        lane.removed_below,
        lane.rows_removed,
    )
