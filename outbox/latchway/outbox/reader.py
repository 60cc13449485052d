"""Reads an outbox while its owner writes: deliveries for lanes, history and account for people.

A `Reader` has a connection of its own that can neither write nor checkpoint. Every answer comes
from one snapshot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from latchway.outbox import connection as connections
from latchway.outbox import statements
from latchway.outbox.account import read_account, recount
from latchway.outbox.connection import UnitConnection
from latchway.outbox.decoding import EventDecoder
from latchway.outbox.model import (
    Account,
    Delivery,
    LaneKey,
    LaneStatus,
    OutboxSize,
    Parked,
    Position,
    StoredEvent,
    StoredReject,
)
from latchway.outbox.positions import PositionSet
from latchway.outbox.rows import (
    Row,
    lane_from_row,
    rfc3339,
    sequence_number,
    sequence_text,
)

T = TypeVar("T")

MAX_SEQUENCE = 2**63 - 1


class Reader:
    """A read-only view of an outbox file; open it with `async with Reader.open(...)`.

    All methods raise `OutboxFailed` if the file cannot be read.
    """

    def __init__(self, path: Path, connection: UnitConnection) -> None:
        self._path = path
        self._connection = connection
        self._decoder = EventDecoder()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Reader]:
        """Open the file that an `Outbox` holds; raises `OutboxTooNew` or `OutboxForeign` too."""
        async with connections.reader(path) as connection:
            yield cls(path, connection)

    async def deliveries(
        self, lane: LaneKey, epoch: int, after: int, limit: int
    ) -> tuple[Delivery, ...]:
        """Up to `limit` waiting deliveries of the lane above position `after`, in order."""
        return await self._read(
            lambda raw: tuple(self._deliveries(raw, lane, Position(epoch, after), limit))
        )

    async def events(self, limit: int, before: str | None = None) -> tuple[StoredEvent, ...]:
        """The newest stored events below sequence `before`, newest first.

        Raises ValueError if `before` is no sequence.
        """
        below = MAX_SEQUENCE if before is None else sequence_number(before)

        def work(raw: sqlite3.Connection) -> tuple[StoredEvent, ...]:
            rows = raw.execute(statements.NEWEST_EVENTS, (below, limit)).fetchall()
            return tuple(
                StoredEvent(sequence_text(epoch, number), self._decoder.event(raw, tuple(columns)))
                for number, epoch, *columns in rows
            )

        return await self._read(work)

    async def rejected(self, limit: int, vendor: str | None = None) -> tuple[StoredReject, ...]:
        """The newest kept rejects, newest first, of one vendor or of all."""

        def work(raw: sqlite3.Connection) -> tuple[StoredReject, ...]:
            if vendor is None:
                rows = raw.execute(statements.NEWEST_REJECTED, (limit,))
            else:
                rows = raw.execute(statements.NEWEST_REJECTED_OF_VENDOR, (vendor, limit))
            return tuple(StoredReject(*row) for row in rows)

        return await self._read(work)

    async def parked(self, limit: int) -> tuple[Parked, ...]:
        """Up to `limit` parked deliveries, by lane and position."""

        def work(raw: sqlite3.Connection) -> tuple[Parked, ...]:
            rows = raw.execute(statements.PARKED_POSITIONS, (limit,)).fetchall()
            return tuple(self._parked(raw, row) for row in rows)

        return await self._read(work)

    async def lane_epochs(self) -> tuple[LaneStatus, ...]:
        """Every lane of every epoch that the file knows."""
        rows = await self._read(lambda raw: raw.execute(statements.ALL_LANES).fetchall())
        return tuple(lane_from_row(row).status() for row in rows)

    async def account(self) -> Account:
        """Both identities as the counters say: cheap, to be read as often as needed."""
        return await self._read(read_account)

    async def audit(self) -> Account:
        """Both identities counted again from all rows; equals `account()` unless there is a bug."""
        return await self._read(recount)

    async def size(self) -> OutboxSize:
        """What the outbox takes on disk."""

        def work(raw: sqlite3.Connection) -> OutboxSize:
            (page_size,) = raw.execute(statements.PAGE_SIZE).fetchone()
            (pages,) = raw.execute(statements.PAGE_COUNT).fetchone()
            (free,) = raw.execute(statements.FREE_PAGES).fetchone()
            wal = connections.wal_path(self._path)
            wal_size = wal.stat().st_size if wal.exists() else 0
            return OutboxSize(pages * page_size, wal_size, free * page_size)

        return await self._read(work)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._connection.run(
            lambda raw: connections.explained(self._path, lambda: connections.read(raw, work))
        )

    def _deliveries(
        self, raw: sqlite3.Connection, lane: LaneKey, after: Position, limit: int
    ) -> Iterator[Delivery]:
        key = (lane.vendor, lane.sink, lane.lane_class.value, after.epoch)
        row = raw.execute(statements.LANE_BY_KEY, key).fetchone()
        if row is None:
            return
        lane_id, done = row[0], PositionSet.from_text(row[1])
        start = done.next_missing(after.number)
        while limit > 0:
            rows = raw.execute(statements.DELIVERIES_FROM, (lane_id, start, limit)).fetchall()
            if not rows:
                return
            waiting = [row for row in rows if row[0] not in done]
            for row in waiting:
                yield self._delivery(raw, lane, lane_id, row)
            limit -= len(waiting)
            start = done.next_missing(rows[-1][0])

    def _delivery(self, raw: sqlite3.Connection, lane: LaneKey, lane_id: int, row: Row) -> Delivery:
        number, sequence, epoch, *columns = row
        return Delivery(
            lane=lane,
            position=Position(epoch, number),
            sequence=sequence_text(epoch, sequence),
            event=self._decoder.event(raw, tuple(columns)),
            match=self._decoder.match_at(raw, columns[5], lane_id, number),
        )

    def _parked(self, raw: sqlite3.Connection, row: Row) -> Parked:
        lane_id, detail, parked_at, number, sequence, epoch, *columns = row
        return Parked(
            lane=self._decoder.lane(raw, lane_id),
            position=Position(epoch, number),
            detail=detail,
            at=rfc3339(datetime.fromtimestamp(parked_at / 1000, UTC)),
            sequence=sequence_text(epoch, sequence),
            event=self._decoder.event(raw, tuple(columns)),
        )
