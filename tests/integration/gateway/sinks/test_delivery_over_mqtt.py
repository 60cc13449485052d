"""Delivery over the sink `mqtt` and a real mosquitto that restarts, and that freezes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from latchway.gateway.delivery import DeliveryEngine, Pace
from latchway.gateway.sinks.contract import Sink, SinkConnection
from latchway.gateway.sinks.mqtt.settings import MqttSinkSettings
from support.delivery import DiskLanes, delivery, numbers
from support.mosquitto import Mosquitto
from support.sink_contract import environment

QUICK = Pace(backoff_first_s=0.05, backoff_most_s=0.2, return_within_s=0.2)


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class WatchedSink:
    """A sink, and an event for the end of its connection."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.type = sink.type
        self.left = asyncio.Event()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[SinkConnection]:
        async with self._sink.connect() as connection:
            try:
                yield connection
            finally:
                self.left.set()


class Hub:
    """An engine with a disk in memory, and a writer that takes its progress."""

    def __init__(self, broker: Mosquitto) -> None:
        settings = MqttSinkSettings(
            type="mqtt",
            host="127.0.0.1",
            port=broker.port,
            keep_alive_s=1,
            connect_timeout_s=1,
            send_window=20,
        )
        self._sink = WatchedSink(settings.build("cloud", environment(WallClock())))
        self.disk = DiskLanes()
        self.acknowledged: list[int] = []
        self.engine = DeliveryEngine(
            {"cloud": self._sink},
            [],
            self.disk,
            clock=WallClock(),
            random=Random(5),
            voided=lambda _: None,
            pace=QUICK,
        )

    def commit(self, first: int, last: int) -> None:
        new = [delivery(number) for number in range(first, last + 1)]
        self.engine.offer(self.disk.commit(*new))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Write progress as it comes until the condition holds."""
        async with asyncio.timeout(20):
            while not condition():
                await self.engine.progress_waiting.wait()
                lines = self.engine.take_progress()
                self.acknowledged += [number for line in lines for number in line.acknowledged]
                self.disk.done(lines)

    async def cut_off(self) -> None:
        """Wait until the connection to the broker is given up."""
        async with asyncio.timeout(20):
            await self._sink.left.wait()

    def waiting(self) -> list[int]:
        return numbers(one for rows in self.disk.rows.values() for one in rows.values())


@asynccontextmanager
async def hub_at(broker: Mosquitto) -> AsyncIterator[Hub]:
    hub = Hub(broker)
    task = asyncio.create_task(hub.engine.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_broker_that_restarts_gets_everything(tmp_path: Path):
    with Mosquitto(tmp_path / "broker", "persistence false") as broker:
        async with hub_at(broker) as hub:
            hub.commit(1, 100)
            await hub.until(lambda: len(hub.acknowledged) >= 40)
            await asyncio.to_thread(broker.stop)
            hub.commit(101, 150)
            await hub.cut_off()
            await asyncio.to_thread(broker.start)
            await hub.until(lambda: not hub.waiting())

            assert sorted(hub.acknowledged) == list(range(1, 151))


async def test_a_broker_that_freezes_is_given_up_and_gets_everything_afterwards(tmp_path: Path):
    with Mosquitto(tmp_path / "broker", "persistence false") as broker:
        async with hub_at(broker) as hub:
            hub.commit(1, 50)
            await hub.until(lambda: not hub.waiting())
            broker.freeze()
            hub.commit(51, 100)
            await hub.cut_off()
            broker.thaw()
            await hub.until(lambda: not hub.waiting())

            assert sorted(hub.acknowledged) == list(range(1, 101))
