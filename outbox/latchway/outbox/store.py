"""The outbox itself: the only writer of the file, used by the gateway's writer task.

One `Transaction` is one group commit, run as one unit in the connection's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from latchway.outbox import connection as connections
from latchway.outbox import removal, statements
from latchway.outbox.connection import UnitConnection
from latchway.outbox.errors import OutboxFailed
from latchway.outbox.group_commit import Applied, apply
from latchway.outbox.ledger import Draft
from latchway.outbox.lockfile import exclusive
from latchway.outbox.model import Committed, LaneStatus, ReplayWindow, Transaction
from latchway.outbox.opening import Opened, prepare
from latchway.outbox.rows import lane_to_row, milliseconds
from latchway.outbox.window import WindowMarks

T = TypeVar("T")

KEEP_IDS = timedelta(days=90)
"""How long the id of an event from a lock's log is remembered, by storing time."""

DEFAULT_WINDOW = ReplayWindow()


@dataclass(frozen=True, slots=True)
class Clocks:
    """Wall time, which is only data, and seconds of CLOCK_BOOTTIME, which measure."""

    now: Callable[[], datetime]
    boottime: Callable[[], float]


class Outbox:
    """Events, deliveries, cursors, states and account of one hub, changed together or not at all.

    Open it with `async with Outbox.open(...)`. All methods raise `OutboxFailed` after a failure
    of the disk, and from then on always: leave the context and open it again.
    """

    def __init__(
        self,
        path: Path,
        connection: UnitConnection,
        opened: Opened,
        window: ReplayWindow,
        clocks: Clocks,
    ) -> None:
        self._path = path
        self._connection = connection
        self._clean = opened.clean
        self._clocks = clocks
        self._failure: OutboxFailed | None = None
        # Changed in the connection's thread only, by replacing them or between transactions;
        # a commit whose caller was cancelled thus changes them all the same.
        self._ledger = opened.ledger
        self._marks = WindowMarks(window, opened.first_mark)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path,
        *,
        minimum_epoch: int,
        now: Callable[[], datetime],
        boottime: Callable[[], float],
        window: ReplayWindow = DEFAULT_WINDOW,
    ) -> AsyncIterator[Outbox]:
        """Open the file, or make a new one, and hold it until the context ends.

        The epoch in force is the file's or `minimum_epoch`, whichever is higher. Raises
        `OutboxBusy`, `OutboxTooNew`, `OutboxForeign` or `OutboxFailed`.
        """
        with exclusive(path.with_suffix(".lock")):
            async with connections.writer(path) as connection:
                opened = await connection.run(
                    lambda raw: connections.explained(path, lambda: prepare(raw, minimum_epoch))
                )
                yield cls(path, connection, opened, window, Clocks(now, boottime))

    @property
    def epoch(self) -> int:
        """The epoch that new events and positions get."""
        return self._ledger.epoch

    @property
    def clean(self) -> bool:
        """Whether the run before this one ended by itself (true for a new file)."""
        return self._clean

    def lanes(self) -> tuple[LaneStatus, ...]:
        """Every lane of every epoch, as of the last commit; reads memory only."""
        return tuple(lane.status() for lane in self._ledger.lanes.values())

    async def commit(self, transaction: Transaction) -> Committed:
        """Store the transaction, all or nothing; return when it is on disk.

        Cancelled means unknown: it may still be stored, whole. Raises `UnknownPosition` (nothing
        stored, a bug of the caller), `OutboxBusy` (nothing stored), or `OutboxFailed` (unknown).
        """
        at = self._clocks.now()
        return await self._run(lambda raw: self._commit(raw, transaction, at))

    async def states(self, vendor: str) -> dict[str, bytes]:
        """The stored state of each device of the vendor, as JSON."""
        parameters = (vendor,)
        return await self._run(
            lambda raw: dict(raw.execute(statements.STATES_OF_VENDOR, parameters).fetchall())
        )

    async def cursors(self, vendor: str) -> dict[str, bytes]:
        """The stored cursors of the vendor, as JSON."""
        parameters = (vendor,)
        return await self._run(
            lambda raw: dict(raw.execute(statements.CURSORS_OF_VENDOR, parameters).fetchall())
        )

    async def prune(self) -> int:
        """Remove events whose deliveries are done and whose replay window has passed.

        To be called every few seconds. Works in small transactions, so commits go in between.
        Returns the number of events removed.
        """
        at = self._clocks.boottime()
        ids_before_ms = milliseconds(self._clocks.now() - KEEP_IDS)
        await self._run(lambda raw: self._advance_window(raw, at))
        events, more = 0, True
        while more:
            removed = await self._run(lambda raw: self._remove(raw, ids_before_ms))
            events, more = events + removed.events, removed.more
        await self._run(connections.give_back_pages)
        await self._run(lambda raw: connections.bound_wal(raw, self._path))
        return events

    async def _run(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        return await self._connection.run(lambda raw: self._guarded(raw, unit))

    def _guarded(self, raw: sqlite3.Connection, unit: Callable[[sqlite3.Connection], T]) -> T:
        if self._failure is not None:
            raise OutboxFailed(str(self._failure)) from self._failure
        try:
            return connections.explained(self._path, lambda: unit(raw))
        except OutboxFailed as failure:
            self._failure = failure
            raise

    def _commit(self, raw: sqlite3.Connection, transaction: Transaction, at: datetime) -> Committed:
        draft = Draft(self._ledger)

        def work(raw: sqlite3.Connection) -> Applied:
            return apply(raw, draft, transaction, at)

        applied = connections.write(raw, work)
        self._ledger = draft.ledger()
        for lane_id, position in applied.lowest_replayed.items():
            self._marks.reopen(lane_id, position)
        return applied.committed

    def _advance_window(self, raw: sqlite3.Connection, at: float) -> None:
        now = removal.mark_now(raw, self._ledger, at)
        self._marks.advance(now, lambda sequence: removal.unrouted_bytes(raw, sequence))

    def _remove(self, raw: sqlite3.Connection, ids_before_ms: int) -> removal.Removed:
        draft = Draft(self._ledger)

        def work(raw: sqlite3.Connection) -> removal.Removed:
            removed = removal.remove(raw, draft, self._marks.passed, ids_before_ms)
            raw.executemany(statements.PUT_LANE, map(lane_to_row, draft.touched.values()))
            return removed

        removed = connections.write(raw, work)
        self._ledger = draft.ledger()
        return removed
