"""All sinks' deliveries: one runner task per sink, between the writer and the sinks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from latchway.gateway.delivery.pace import DEFAULT_PACE, Pace
from latchway.gateway.delivery.progress import ProgressLedger
from latchway.gateway.delivery.runner import SinkRunner, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

    from latchway.drivers.contract import Clock
    from latchway.gateway.delivery.lanes import LaneStart
    from latchway.gateway.delivery.progress import VoidCallback
    from latchway.gateway.delivery.runner import DeliveryReader
    from latchway.gateway.delivery.status import DeliveryStatus
    from latchway.gateway.sinks.contract import Sink
    from latchway.outbox.model import Delivery, LaneProgress


class DeliveryEngine:
    """Delivers what the outbox holds, and what the writer offers, to the sinks.

    Progress taken counts as given: after a commit that failed the engine is thrown away, and a
    new one starts from what the reopened outbox says. Deliveries for a sink that does not exist
    stay on disk.
    """

    def __init__(  # noqa: PLR0913 - the parts that the daemon wires together
        self,
        sinks: Mapping[str, Sink],
        lanes: Iterable[LaneStart],
        reader: DeliveryReader,
        *,
        clock: Clock,
        random: Random,
        voided: VoidCallback,
        pace: Pace = DEFAULT_PACE,
    ) -> None:
        """Connect nothing yet.

        `voided` is called within `take_progress`, before it returns, for each `lane.voided` event
        that has to go into the same transaction as that progress.
        """
        self.progress_waiting = asyncio.Event()
        """Set while `take_progress` would return something."""
        self._ledger = ProgressLedger(self.progress_waiting.set, voided)
        self._changed = asyncio.Event()
        around = Surroundings(reader, self._ledger, clock, random, pace, self._changed.set)
        self._runners = {name: SinkRunner(name, sink, around) for name, sink in sinks.items()}
        for status in sorted(lanes, key=lambda status: (status.lane, status.epoch)):
            if status.lane.sink in self._runners:
                self._runners[status.lane.sink].start(status)

    async def run(self) -> None:
        """Deliver until cancelled. Raises `BacklogUnreadable` (in a group)."""
        async with asyncio.TaskGroup() as tasks:
            for name, runner in self._runners.items():
                tasks.create_task(runner.run(), name=f"sink {name}")

    def offer(self, deliveries: Iterable[Delivery]) -> None:
        """Take deliveries that are on disk, in order of sequence. Never waits, never loses."""
        for delivery in deliveries:
            runner = self._runners.get(delivery.lane.sink)
            if runner is not None:
                runner.offer(delivery)

    def take_progress(self) -> tuple[LaneProgress, ...]:
        """Hand out what became of deliveries since the last call, for the next commit."""
        self.progress_waiting.clear()
        for runner in self._runners.values():
            runner.sample()
        return self._ledger.take()

    def status(self) -> tuple[DeliveryStatus, ...]:
        """Return how every sink stands now, in the order of the config."""
        return tuple(runner.status() for runner in self._runners.values())

    async def drained(self) -> None:
        """Wait until nothing waits for any sink that is up."""
        while not all(runner.drained for runner in self._runners.values()):
            self._changed.clear()
            await self._changed.wait()
