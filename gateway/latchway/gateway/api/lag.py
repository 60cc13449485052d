"""Measures how late the event loop wakes: the first sign of code that blocks it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

INTERVAL_S: Final = 0.25
REMEMBERED: Final = 60
"""Samples kept: the last 15 s, so that no scrape of Prometheus misses a hiccup."""


class LoopLag:
    """A task of the daemon runs it; `worst_s` may be asked at any time."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._samples: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def worst_s(self) -> float:
        """How late the loop woke at worst in the last 15 s."""
        return max(self._samples, default=0.0)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._monotonic() + INTERVAL_S
            await self._sleep(INTERVAL_S)
            self._samples.append(max(0.0, self._monotonic() - due))
