"""Everything that lives as long as one open outbox: writer, workers, delivery.

The daemon runs one core after another: when the disk fails, nothing in memory can be trusted, so
the whole core is thrown away and a new one starts from the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from latchway.gateway.delivery import DeliveryEngine, LaneVoid
from latchway.gateway.intake import HubStamp, Intake
from latchway.gateway.logs import fields
from latchway.gateway.sinks.contract import SinkEnvironment
from latchway.gateway.supervisor import (
    Household,
    RestartPolicy,
    Spawn,
    Station,
    Supervisor,
    Timing,
    spawn,
)
from latchway.gateway.voice import HubVoice
from latchway.gateway.writer import Writer, WriterHooks
from latchway.outbox import Outbox, Reader
from latchway.schemas import HubStarted, HubStopping

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from latchway.drivers.contract import Clock
    from latchway.gateway.config import Config
    from latchway.gateway.registry import Registry
    from latchway.gateway.routing import RouteTable
    from latchway.outbox import Batch, StoredEvent
    from latchway.schemas import ClockQuality, EventData

_LOG = logging.getLogger(__name__)

PRUNE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class CoreOptions:
    """What tests set otherwise."""

    timing: Timing = field(default_factory=Timing)
    policy: RestartPolicy = field(default_factory=RestartPolicy)
    spawn: Spawn = spawn


@dataclass(frozen=True, slots=True)
class CoreParts:
    """What a core is made from; all of it outlives the core."""

    config: Config
    routes: RouteTable
    registry: Registry
    clock: Clock
    random: Random
    random_bytes: Callable[[int], bytes]
    boot_id: str
    clock_quality: Callable[[], ClockQuality]
    on_events: Callable[[Sequence[StoredEvent]], None]
    on_states: Callable[[Batch], None]
    on_fatal: Callable[[], None]
    """Called at once when a task of the core fails for a reason that reopening cannot mend."""
    is_mendable: Callable[[BaseException], bool]
    options: CoreOptions = field(default_factory=CoreOptions)

    @property
    def outbox_path(self) -> Path:
        return self.config.hub.state_dir / "outbox.db"


class Core:
    """One open outbox and all tasks around it. Make it with `open_core`."""

    def __init__(self, parts: CoreParts, outbox: Outbox, reader: Reader) -> None:
        self._parts = parts
        self.outbox = outbox
        self.reader = reader
        self._owed: list[LaneVoid] = []
        config, clock = parts.config, parts.clock
        stamp = HubStamp(parts.registry.hub.id, parts.boot_id)
        self._intake = Intake(stamp, parts.routes, clock, parts.clock_quality, parts.random_bytes)
        environment = SinkEnvironment(hub=stamp.hub, clock=clock, random=parts.random)
        self.delivery = DeliveryEngine(
            {name: sink.build(name, environment) for name, sink in config.sinks.items()},
            outbox.lanes(),
            reader,
            clock=clock,
            random=parts.random,
            voided=self._owed.append,
        )
        hooks = WriterHooks(self._owed_voids, parts.on_events, parts.on_states)
        self.writer = Writer(outbox, self.delivery, hooks, clock)
        self._voice = HubVoice(self._intake, self.writer)
        household = Household(
            hub=stamp.hub,
            station=Station(self._intake, self.writer, clock),
            memory=outbox,
            report=lambda vendor, fact: self._voice.say(fact, vendor=vendor),
            uniform=parts.random.uniform,
            grace_s=config.stop.grace_s,
            timing=parts.options.timing,
            policy=parts.options.policy,
            spawn=parts.options.spawn,
        )
        self.supervisor = Supervisor(config.vendors.values(), household)

    def say(self, fact: EventData) -> None:
        """Have a fact about the hub stored."""
        self._voice.say(fact)

    async def run(self, stop: asyncio.Event, stop_reason: Callable[[], str]) -> None:
        """Work until `stop`, then end with grace: nothing that was accepted is lost.

        Raises in a group; `OutboxFailed` among it means: open the outbox anew.
        """
        self._intake.warm_up()
        async with asyncio.TaskGroup() as tasks:
            delivery = self._start(tasks, self.delivery.run(), "delivery")
            writer = self._start(tasks, self.writer.run(), "writer")
            prune = self._start(tasks, self._prune(), "prune")
            workers = self._start(tasks, self.supervisor.run(), "supervisor")
            self._voice.say(self._started())
            await stop.wait()
            await self._stop_workers(workers)
            await self._voice.say_and_wait(HubStopping(reason=stop_reason()))
            await self._drain()
            prune.cancel()
            delivery.cancel()
            await asyncio.wait({delivery})
            self.writer.stop()
            await writer
        await self.writer.finish()
        _LOG.info("stopped cleanly", extra=fields(waiting=self._waiting()))

    async def _stop_workers(self, workers: asyncio.Task[None]) -> None:
        self.supervisor.stop()
        await workers

    async def _drain(self) -> None:
        """Give what is stored the time to reach its sinks; the rest waits on disk."""
        limit_s = self._parts.config.stop.drain_s
        try:
            async with asyncio.timeout(limit_s):
                await self.delivery.drained()
        except TimeoutError:
            _LOG.warning(
                "not drained in time; what waits is on disk",
                extra=fields(drain_s=limit_s, waiting=self._waiting()),
            )

    async def _prune(self) -> None:
        while True:
            await self._parts.clock.sleep(PRUNE_EVERY_S)
            await self.outbox.prune()

    def _owed_voids(self) -> tuple[Batch, ...]:
        if not self._owed:
            return ()
        batches = self._intake.voids(self._owed)
        self._owed.clear()
        return batches

    def _started(self) -> HubStarted:
        return HubStarted(
            version=version("latchway"),
            epoch=self.outbox.epoch,
            clean=self.outbox.clean,
            waiting=self._waiting(),
        )

    def _waiting(self) -> int:
        return sum(lane.waiting for lane in self.outbox.lanes())

    def _start(
        self, tasks: asyncio.TaskGroup, work: Coroutine[object, object, None], name: str
    ) -> asyncio.Task[None]:
        return tasks.create_task(self._watched(work, name), name=name)

    async def _watched(self, work: Awaitable[None], name: str) -> None:
        """Let a fault that cannot be mended be known before the others have been torn down."""
        try:
            await work
        except Exception as error:
            if not self._parts.is_mendable(error):
                _LOG.critical("task failed", extra=fields(task=name), exc_info=error)
                self._parts.on_fatal()
            raise


@contextlib.asynccontextmanager
async def open_core(parts: CoreParts) -> AsyncIterator[Core]:
    """Open the outbox under an epoch that this hub never used otherwise, and build around it."""
    path, registry = parts.outbox_path, parts.registry
    async with contextlib.AsyncExitStack() as stack:
        outbox = await stack.enter_async_context(_opened(parts, _epoch_before_opening(parts)))
        if outbox.epoch < registry.epoch:
            # An older file, from a backup: its next numbers may have been used already.
            _LOG.warning("outbox is older than the registry: a new epoch begins")
            await stack.aclose()
            outbox = await stack.enter_async_context(_opened(parts, registry.epoch + 1))
        await registry.note_epoch(outbox.epoch)
        reader = await stack.enter_async_context(Reader.open(path))
        for vendor in parts.config.vendors:
            await registry.note_states(vendor, await outbox.states(vendor))
        yield Core(parts, outbox, reader)


def _opened(parts: CoreParts, minimum_epoch: int) -> contextlib.AbstractAsyncContextManager[Outbox]:
    return Outbox.open(
        parts.outbox_path,
        minimum_epoch=minimum_epoch,
        now=parts.clock.now,
        boottime=parts.clock.monotonic,
    )


def _epoch_before_opening(parts: CoreParts) -> int:
    """Return 0 for a file that is there, which has its own epoch; else a new one."""
    try:
        size = parts.outbox_path.stat().st_size
    except FileNotFoundError:
        size = 0
    return 0 if size else parts.registry.epoch + 1
