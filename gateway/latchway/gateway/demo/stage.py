"""The demo's plot: the locks live a day, the cloud is cut off for a while, the worker is killed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from latchway.gateway.demo import hub
from latchway.gateway.demo.scenario import HOURS, HOUSE, day
from latchway.gateway.demo.view import Figures, View, clock_time

if TYPE_CHECKING:
    from latchway.gateway.demo.closing import Story
    from latchway.gateway.demo.cloud import Cloud
    from latchway.gateway.demo.hub import Hub, HubFiles
    from latchway.gateway.demo.line import Line
    from latchway.gateway.demo.locks import Locks
    from latchway.outbox import Account

CUT_AT, MEND_AT, KILL_AT = 0.20, 0.42, 0.66
"""Shares of a day: when the cloud goes and comes back, and when the worker is killed."""

_SEED = 20
_DRAIN_S = 40.0
_FIGURES_EVERY_S = 0.25
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a day takes, and whether one day is followed by another."""

    day_s: float
    forever: bool = False


@dataclass(slots=True)
class Stage:
    """Everything that takes part, and what is done to it."""

    view: View
    gateway: Hub
    line: Line
    cloud: Cloud
    house: Locks
    story: Story
    hour: float = 0.0
    worker: str = "starting"

    async def perform(self, plan: Plan, enough: asyncio.Event) -> None:
        """Play a day, or day after day, until somebody has had enough."""
        await self.gateway.wait_for_worker()
        await self.gateway.wait_for_devices(len(HOUSE))
        self.worker = "running"
        self.view.say(f"gateway and worker are up, and know {len(HOUSE)} locks")
        random = Random(_SEED)  # noqa: S311 - a play, the same each time
        async with self._watched():
            while not enough.is_set():
                async with _given_up_by(enough), asyncio.TaskGroup() as acts:
                    acts.create_task(self._live(plan.day_s, random))
                    acts.create_task(self._cut_the_cloud(plan.day_s))
                    acts.create_task(self._kill_the_worker(plan.day_s))
                if not plan.forever:
                    return

    async def end(self, files: HubFiles) -> Account:
        """Let everything arrive, stop the gateway, and recount what is on its disk."""
        await self.line.mend()
        self.view.say("the day is over: what still waits is delivered, then the gateway stops")
        async with self._watched():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_S):
                    await self._settled()
        await self.gateway.stop()
        account = await hub.final_account(files)
        await self.cloud.wait_for(sum(lane.acknowledged for lane in account.lanes), _DRAIN_S)
        self.story.happened = self.house.diary.total()
        self.story.lost = self._not_arrived()
        return account

    async def _live(self, day_s: float, random: Random) -> None:
        """Let the day happen, each moment at its time."""
        began = asyncio.get_running_loop().time()
        for moment in day(random):
            self.hour = moment.hour
            due = began + moment.hour / HOURS * day_s
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            await self.house.play(moment)

    async def _cut_the_cloud(self, day_s: float) -> None:
        await asyncio.sleep(CUT_AT * day_s)
        await self.line.cut()
        self.story.cloud_cuts += 1
        self.view.say(f"{clock_time(self.hour)}  the line to the cloud is CUT")
        await asyncio.sleep((MEND_AT - CUT_AT) * day_s)
        await self.line.mend()
        self.view.say(f"{clock_time(self.hour)}  the line to the cloud is mended")

    async def _kill_the_worker(self, day_s: float) -> None:
        await asyncio.sleep(KILL_AT * day_s)
        pid = await self.gateway.wait_for_worker()
        began = asyncio.get_running_loop().time()
        hub.kill_worker(pid)
        self.story.worker_kills += 1
        self.worker = "dead"
        self.view.say(f"{clock_time(self.hour)}  the worker {pid} is KILLED (kill -9)")
        new = await self.gateway.wait_for_worker(other_than=pid)
        self.worker = "running"
        took_s = asyncio.get_running_loop().time() - began
        self.view.say(f"{clock_time(self.hour)}  worker {new} took over after {took_s:.1f} s")

    async def _settled(self) -> None:
        """Wait until every entry of the diaries is at the cloud, and nothing waits or comes in."""
        await self.gateway.wait_for_worker()
        before = -1
        while True:
            report = await self.gateway.outbox()
            received = sum(line.received for line in report.intake)
            waiting = sum(lane.waiting for lane in report.lanes)
            if received == before and not waiting and not self._not_arrived():
                return
            before = received
            await asyncio.sleep(_POLL_S * 5)

    def _not_arrived(self) -> int:
        """Count entries of the locks' diaries that the cloud has no event of."""
        return sum(
            max(0, count - self.cloud.accesses(address))
            for address, count in self.house.diary.items()
        )

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Keep the view up to date meanwhile."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            status = await self.gateway.status()
            outbox = status.outbox
            if outbox is not None:
                self.view.figures(
                    Figures(
                        hour=self.hour,
                        published=self.house.published,
                        stored=sum(line.stored for line in outbox.intake),
                        acknowledged=sum(lane.acknowledged for lane in outbox.lanes),
                        waiting=sum(lane.waiting for lane in outbox.lanes),
                        received=self.cloud.received,
                        cloud=next((sink.state for sink in status.sinks), "unknown"),
                        worker=self.worker,
                    )
                )
            await asyncio.sleep(_FIGURES_EVERY_S)


@contextlib.asynccontextmanager
async def _given_up_by(enough: asyncio.Event) -> AsyncIterator[None]:
    """Give up what is done in the block as soon as somebody has had enough."""
    try:
        async with asyncio.timeout(None) as limit:
            waiting = asyncio.create_task(_expire(limit, enough))
            try:
                yield
            finally:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
    except TimeoutError:
        if not enough.is_set():
            raise


async def _expire(limit: asyncio.Timeout, enough: asyncio.Event) -> None:
    await enough.wait()
    limit.reschedule(asyncio.get_running_loop().time())
