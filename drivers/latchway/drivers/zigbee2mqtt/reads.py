"""Asks locks for their state, one at a time: the whole network shares one radio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from latchway.drivers.contract import Clock
    from latchway.schemas import DeviceId


class ReadQueue:
    """Locks that wait to be asked, each at most once."""

    def __init__(self, clock: Clock, pacing_s: float) -> None:
        self._clock = clock
        self._pacing_s = pacing_s
        self._waiting: dict[DeviceId, None] = {}
        self._filled = asyncio.Event()

    def add(self, devices: Iterable[DeviceId]) -> None:
        """Put locks at the end of the queue; those that wait already keep their place."""
        for device in devices:
            self._waiting.setdefault(device)
        if self._waiting:
            self._filled.set()

    async def run(self, ask: Callable[[DeviceId], Awaitable[bool]]) -> None:
        """Let `ask` ask one lock after the other, for ever; it says whether it used the radio."""
        while True:
            await self._filled.wait()
            device = next(iter(self._waiting), None)
            if device is None:
                self._filled.clear()
                continue
            used_radio = await ask(device)
            self._waiting.pop(device, None)
            if used_radio:
                await self._clock.sleep(self._pacing_s)
