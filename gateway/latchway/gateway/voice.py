"""What the gateway itself has to say: facts about the hub and about its vendors' workers.

They take the same way as a worker's events, in turns with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from latchway.schemas import HUB_VENDOR

if TYPE_CHECKING:
    from latchway.gateway.intake import Intake
    from latchway.gateway.writer import Writer
    from latchway.outbox import BatchResult
    from latchway.schemas import EventData


class HubVoice:
    """Submits the gateway's own facts to the writer."""

    def __init__(self, intake: Intake, writer: Writer) -> None:
        self._intake = intake
        self._writer = writer
        self._said = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def say(self, fact: EventData, *, vendor: str = HUB_VENDOR) -> None:
        """Have a fact stored, about the hub or about a vendor; do not wait."""
        self._said += 1
        self._writer.submit(self, self._said, self._intake.own(vendor, fact))

    async def say_and_wait(self, fact: EventData) -> None:
        """Have a fact about the hub stored; return when it is on disk."""
        self.say(fact)
        stored = self._waiting[self._said] = asyncio.get_running_loop().create_future()
        await stored

    def stored(self, results: Sequence[tuple[int, BatchResult]]) -> None:
        """Wake whoever waits for a fact that is on disk now."""
        for number, _ in results:
            waiting = self._waiting.pop(number, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
