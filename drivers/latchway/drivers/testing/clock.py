"""Time that moves only when a test says so."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

_TURNS = 60


async def settle(turns: int = _TURNS) -> None:
    """Let every task that can run do so, for that many turns of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)


class VirtualClock:
    """The contract's `Clock` for tests. `advance` wakes sleepers in the order they are due."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Sleep until the test has advanced that far; nothing and less is one turn of the loop."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), awake))
        await awake

    async def advance(self, seconds: float) -> None:
        """Move time on, stopping at each sleeper that is due on the way and letting it run."""
        await settle()
        until = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, awake = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            if not awake.done():
                awake.set_result(None)
                await settle()
        self._elapsed = until
        await settle()

    def set_wall_time(self, now: datetime) -> None:
        """Step the wall clock, as NTP or a person does; monotonic time goes on as before."""
        self._start = now - timedelta(seconds=self._elapsed)
