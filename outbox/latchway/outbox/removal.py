"""Removes what is done with, in small transactions: deliveries, then events that have none left.

Runs inside the writing connection's thread. What may go is decided by `window`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.outbox import statements
from latchway.outbox.batches import IntakeCounts
from latchway.outbox.window import LaneMark, Mark

if TYPE_CHECKING:
    from latchway.outbox.ledger import Draft, Lane, Ledger

CHUNK = 500
"""Rows removed per transaction, so that a group commit never waits long behind one."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What one transaction removed; `more` says that another one would find work."""

    events: int
    more: bool


def first_mark(connection: sqlite3.Connection, ledger: Ledger) -> Mark:
    """What is on disk when the outbox opens: the window counts its bytes, but starts anew."""
    lanes = {}
    for lane in ledger.lanes.values():
        row = connection.execute(statements.BYTES_FROM, (lane.id, lane.removed_below)).fetchone()
        lanes[lane.id] = LaneMark(lane.removed_below, row[0] if row else lane.bytes_routed)
    return Mark(at=float("-inf"), next_sequence=0, lanes=lanes)


def mark_now(connection: sqlite3.Connection, ledger: Ledger, at: float) -> Mark:
    """How far everything is done now."""
    lanes = {}
    for lane in ledger.lanes.values():
        done_below = lane.done.lowest_missing
        if done_below == lane.next_number:
            size = lane.bytes_routed
        else:
            row = connection.execute(statements.BYTES_BELOW, (lane.id, done_below)).fetchone()
            size = row[0] if row else 0
        lanes[lane.id] = LaneMark(done_below, size)
    return Mark(at=at, next_sequence=ledger.next_sequence, lanes=lanes)


def unrouted_bytes(connection: sqlite3.Connection, sequence: int) -> int:
    """Bytes of stored events from that sequence on which no route matched."""
    (size,) = connection.execute(statements.UNROUTED_BYTES_FROM, (sequence,)).fetchone()
    return int(size)


def remove(
    connection: sqlite3.Connection, draft: Draft, below: Mark, ids_before_ms: int
) -> Removed:
    """Remove up to a chunk of each kind of row that lies below the mark."""
    counts: Counter[str] = Counter()
    more = False
    for lane_key, stored in draft.base.lanes.items():
        mark = below.lanes.get(stored.id)
        # A replayed position waits again below an older mark.
        limit = min(mark.done_below, stored.done.lowest_missing) if mark else 1
        if stored.removed_below < limit:
            lane = draft.touched[lane_key] = stored.copy()
            counts[lane.key.vendor] += _remove_deliveries(connection, lane, limit)
            more = more or lane.removed_below < limit
    unrouted = _remove_unrouted(connection, below.next_sequence)
    counts.update(unrouted)
    ids = connection.execute(statements.FORGET_OLD_IDS, (ids_before_ms, CHUNK)).rowcount
    connection.executemany(
        statements.ADD_TO_ACCOUNT,
        [IntakeCounts(events_removed=count).parameters(vendor) for vendor, count in counts.items()],
    )
    if counts:
        connection.execute(statements.SET_META, ("next_sequence", draft.next_sequence))
    more = more or unrouted.total() == CHUNK or ids == CHUNK
    return Removed(counts.total(), more)


def _remove_deliveries(connection: sqlite3.Connection, lane: Lane, limit: int) -> int:
    parameters = (lane.id, lane.removed_below, limit, CHUNK)
    rows = connection.execute(statements.REMOVABLE_DELIVERIES, parameters).fetchall()
    connection.executemany(
        statements.REMOVE_DELIVERY, [(lane.id, position) for position, _ in rows]
    )
    events = connection.executemany(
        statements.REMOVE_EVENT_WITHOUT_DELIVERIES, [(sequence,) for _, sequence in rows]
    )
    lane.removed_below = rows[-1][0] + 1 if len(rows) == CHUNK else limit
    lane.rows_removed += len(rows)
    return max(0, events.rowcount)


def _remove_unrouted(connection: sqlite3.Connection, below: int) -> Counter[str]:
    rows = connection.execute(statements.REMOVABLE_UNROUTED, (below, CHUNK)).fetchall()
    if not rows:
        return Counter()
    removed = connection.execute(statements.REMOVE_UNROUTED, (rows[-1][0],)).fetchall()
    return Counter(vendor for (vendor,) in removed)
