"""Keeps one vendor's worker alive: starts it, watches it, ends it, and starts it again.

One task per vendor owns all of this. When and how often it starts again is `policy`'s to say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from latchway.gateway.apart import apart
from latchway.gateway.logs import WorkerLog, fields
from latchway.gateway.supervisor.conversation import Conversation, Station
from latchway.gateway.supervisor.policy import (
    History,
    Quarantine,
    Restart,
    RestartPolicy,
    after_death,
)
from latchway.gateway.supervisor.process import Spawn, WorkerProcess, spawn, words_for_exit
from latchway.gateway.view import VendorState, VendorStatus
from latchway.outbox import OutboxFailed
from latchway.schemas import VendorDegraded, VendorQuarantined, VendorRecovered

if TYPE_CHECKING:
    from latchway.gateway.config import VendorConfig
    from latchway.schemas import EventData

_LOG = logging.getLogger(__name__)

_LAST_WORDS_S = 1.0
"""How long we listen on for what a worker that is ending has already sent."""
_EXIT_S = 0.5
"""What a worker that used up its grace gets to exit by itself."""
_WORDS_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Timing:
    """Signs of life, and how long we wait for them."""

    heartbeat_s: float = 1.0
    missed: int = 5
    """Heartbeats in a row that may be missing; then the worker is killed."""
    hello_s: float = 30.0
    """From the start of the process to its hello: imports are slow on a small machine."""


class Memory(Protocol):
    """What a worker is told of the past; the outbox."""

    async def states(self, vendor: str) -> Mapping[str, bytes]:
        """Stored states by device."""
        ...

    async def cursors(self, vendor: str) -> Mapping[str, bytes]:
        """Stored cursors by name."""
        ...


@dataclass(frozen=True, slots=True)
class Household:
    """What all keepers share."""

    hub: str
    station: Station
    memory: Memory
    report: Callable[[str, EventData], None]
    """Has a fact about a vendor stored."""
    uniform: Callable[[float, float], float]
    grace_s: float = 10.0
    """What a worker gets to finish what it submitted, before it is killed."""
    timing: Timing = field(default_factory=Timing)
    policy: RestartPolicy = field(default_factory=RestartPolicy)
    spawn: Spawn = spawn


@dataclass(frozen=True, slots=True)
class _Death:
    reason: str
    healthy_s: float


class Keeper:
    """One vendor and its worker."""

    def __init__(self, vendor: VendorConfig, household: Household) -> None:
        self._vendor = vendor
        self._house = household
        self._clock = household.station.clock
        self._log = WorkerLog(vendor.name, self._clock.monotonic)
        self._stop = asyncio.Event()
        self._talk: Conversation | None = None
        self._pid: int | None = None
        self._state = VendorState.STARTING
        self._since = self._clock.now()
        self._lives = 0
        self._last_error = ""
        self._died_at: float | None = None
        self._healthy_at: float | None = None
        self._quarantined_until: datetime | None = None
        self._degraded: tuple[str, ...] = ()

    def stop(self) -> None:
        """End the worker with grace; `run` returns when it is gone."""
        self._stop.set()

    async def run(self) -> None:
        """Keep the worker alive until `stop`. Raises `OutboxFailed` (in a group)."""
        history = History()
        while not self._stop.is_set():
            death = await apart(self._live_guarded())
            if death is None:
                break
            history, decision = after_death(
                self._house.policy,
                history,
                now=self._clock.monotonic(),
                healthy_s=death.healthy_s,
                uniform=self._house.uniform,
            )
            await self._rest(death, decision)
        self._enter(VendorState.STOPPED)

    def status(self) -> VendorStatus:
        """Return how the vendor stands now."""
        talk, beat = self._talk, self._talk.heartbeat if self._talk else None
        manifest = self._vendor.manifest
        return VendorStatus(
            vendor=self._vendor.name,
            title=manifest.title,
            state=self._state,
            since=self._since,
            pid=self._pid,
            restarts=max(0, self._lives - 1),
            delivery_class=str(beat.delivery_class) if beat else None,
            delivery_class_reason=beat.class_reason if beat else "",
            degraded=beat.degraded if beat else (),
            heartbeat_age_s=self._clock.monotonic() - talk.heartbeat_at if talk and beat else None,
            quarantined_until=self._quarantined_until,
            last_error=self._last_error,
            queued=self._house.station.writer.queued(self._vendor.name),
            credit=talk.credit if talk else 0,
        )

    async def _live_guarded(self) -> _Death | None:
        """Live once; a fault of our own counts as the worker's death, so that others go on."""
        try:
            return await self._live()
        except Exception as error:
            group = ExceptionGroup("", [error])
            if group.subgroup(OutboxFailed) is not None:
                raise
            _LOG.exception("keeper failed", extra=fields(vendor=self._vendor.name))
            return _Death(f"the gateway failed to keep it: {_first(group)!r}", 0.0)

    async def _live(self) -> _Death | None:
        """Run one worker process to its end; None if it ended because we stop."""
        self._enter(VendorState.STARTING)
        self._lives += 1
        self._healthy_at = None
        try:
            process = await self._house.spawn(self._vendor)
        except OSError as error:
            return _Death(f"it cannot be started: {error}", 0.0)
        self._pid = process.pid
        talk = self._talk = Conversation(self._vendor, self._house.station, self._log)
        _LOG.info("worker started", extra=fields(vendor=self._vendor.name, pid=process.pid))
        try:
            closed = await talk.open(process)
            async with asyncio.TaskGroup() as tasks:
                output = tasks.create_task(process.read_output(self._log.write))
                greeting = tasks.create_task(self._greet(talk))
                reason = await self._watch(talk, process, closed)
                greeting.cancel()
                await asyncio.wait({output}, timeout=_LAST_WORDS_S)
                output.cancel()
        finally:
            process.kill()
            talk.close()
            self._talk = None
            self._pid = None
        await process.wait()
        return None if reason is None else _Death(reason, self._healthy_s())

    async def _greet(self, talk: Conversation) -> None:
        """Answer the worker's hello, and note when it is well."""
        vendor = self._vendor.name
        hello = await talk.hello
        if hello.vendor != vendor:
            talk.fail(f"it says that it is {hello.vendor!r}")
            return
        await self._house.station.writer.settled(vendor)
        memory = self._house.memory
        stored = (await memory.states(vendor), await memory.cursors(vendor))
        timing = self._house.timing
        try:
            async with asyncio.timeout(timing.hello_s):
                await talk.configure(self._house.hub, timing.heartbeat_s, stored)
        except TimeoutError:
            talk.fail(f"it did not read its config within {timing.hello_s:g} s")
            return
        await talk.healthy.wait()
        healthy_at = self._healthy_at = self._clock.monotonic()
        self._enter(VendorState.RUNNING)
        await talk.steady.wait()
        if self._died_at is not None:
            self._report(VendorRecovered(down_s=round(healthy_at - self._died_at, 3)))
            self._died_at = None

    async def _watch(
        self,
        talk: Conversation,
        process: WorkerProcess,
        closed: asyncio.Future[Exception | None],
    ) -> str | None:
        """Wait for the worker's end and return why; None if it ended because we stop."""
        exited = asyncio.ensure_future(process.wait())
        stopped = asyncio.ensure_future(self._stop.wait())
        signs = (exited, stopped, closed, talk.fault)
        missed = 0
        try:
            while True:
                beat_before = talk.heartbeat_at
                timeout = self._house.timing.heartbeat_s
                done, _ = await asyncio.wait(
                    signs, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
                )
                if stopped in done:
                    await self._end_with_grace(talk, process, exited, closed)
                    return None
                if done:
                    return await self._reason(talk, process, exited, closed)
                missed = 0 if talk.heartbeat_at > beat_before else missed + 1
                self._look_at_heartbeat(talk)
                if talk.hello.done() and missed >= self._house.timing.missed:
                    silent_s = self._clock.monotonic() - talk.heartbeat_at
                    return f"no heartbeat for {silent_s:.1f} s"
                if not talk.hello.done() and missed * timeout >= self._house.timing.hello_s:
                    return f"no hello within {self._house.timing.hello_s:g} s"
        finally:
            exited.cancel()
            stopped.cancel()

    async def _reason(
        self,
        talk: Conversation,
        process: WorkerProcess,
        exited: asyncio.Future[int],
        closed: asyncio.Future[Exception | None],
    ) -> str:
        """Find out why the worker ended, after hearing out what it has already sent."""
        if talk.fault.done():
            return talk.fault.result()
        await _both(exited, closed)
        if talk.fault.done():
            return talk.fault.result()
        error = closed.result() if closed.done() else None
        if error is not None:
            return f"it broke the rules of the wire: {error}"
        if not exited.done():
            return "it closed its socket"
        last = f"; last words: {process.last_line}" if process.last_line else ""
        return words_for_exit(exited.result()) + last

    async def _end_with_grace(
        self,
        talk: Conversation,
        process: WorkerProcess,
        exited: asyncio.Future[int],
        closed: asyncio.Future[Exception | None],
    ) -> None:
        """Let the worker finish what it submitted, then see to it that it is gone."""
        grace_s = self._house.grace_s
        if talk.healthy.is_set():
            talk.ask_to_stop(grace_s)
            done, _ = await asyncio.wait({exited}, timeout=grace_s + _EXIT_S)
            if done:
                await _both(exited, closed)
                return
            _LOG.warning(
                "worker killed: it did not stop in time",
                extra=fields(vendor=self._vendor.name, pid=process.pid, grace_s=grace_s),
            )
        process.kill()

    def _look_at_heartbeat(self, talk: Conversation) -> None:
        """Report what the driver cannot promise now, when that changes."""
        degraded = talk.heartbeat.degraded if talk.heartbeat else ()
        if degraded == self._degraded:
            return
        before, self._degraded = self._degraded, degraded
        if degraded:
            self._report(VendorDegraded(reason="; ".join(degraded)[:_WORDS_LIMIT]))
        elif before:
            self._report(VendorRecovered())

    async def _rest(self, death: _Death, decision: Restart | Quarantine) -> None:
        """Announce a death, and wait before the next life."""
        self._last_error = death.reason
        self._degraded = ()
        if self._died_at is None:
            self._died_at = self._clock.monotonic()
        noted = {"vendor": self._vendor.name, "reason": death.reason}
        reason = f"worker died: {death.reason}"[:_WORDS_LIMIT]
        if isinstance(decision, Restart):
            wait_s = decision.after_s
            _LOG.warning("worker died", extra=fields(**noted, restart_in_s=round(wait_s, 1)))
            next_step = f"restart in {wait_s:.1f} s"
            self._report(VendorDegraded(reason=reason, next_step=next_step))
            self._enter(VendorState.RESTARTING)
        else:
            wait_s = decision.for_s
            self._quarantined_until = self._clock.now() + timedelta(seconds=wait_s)
            _LOG.error("worker quarantined", extra=fields(**noted, for_s=wait_s))
            policy = self._house.policy
            reason = f"{policy.restarts} restarts in {policy.within_s:g} s; {reason}"
            self._report(
                VendorQuarantined(reason=reason[:_WORDS_LIMIT], duration_s=max(1, round(wait_s)))
            )
            self._enter(VendorState.QUARANTINED)
        await self._wait_unless_stopped(wait_s)
        self._quarantined_until = None

    async def _wait_unless_stopped(self, seconds: float) -> None:
        slept = asyncio.ensure_future(self._clock.sleep(seconds))
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({slept, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            slept.cancel()
            stopped.cancel()

    def _healthy_s(self) -> float:
        return 0.0 if self._healthy_at is None else self._clock.monotonic() - self._healthy_at

    def _report(self, fact: EventData) -> None:
        self._house.report(self._vendor.name, fact)

    def _enter(self, state: VendorState) -> None:
        self._state = state
        self._since = self._clock.now()


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _both(exited: asyncio.Future[int], closed: asyncio.Future[Exception | None]) -> None:
    """Wait a little until the process is gone and all that it sent has been read."""
    for future in (exited, closed):
        await asyncio.wait((future,), timeout=_LAST_WORDS_S)
