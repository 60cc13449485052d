"""The gateway's end of one worker's socket: frames in, stored-acks and credit out.

Lives as long as the worker. Frames are handled in the callback that received them: no task, no
queue of its own. Whatever breaks the wire's rules ends the worker, never the gateway.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.drivers import wire
from latchway.drivers.errors import GatewayLost, WireError
from latchway.drivers.wire import Kind
from latchway.gateway.bucket import TokenBucket
from latchway.gateway.errors import WorkerFault
from latchway.gateway.logs import fields
from latchway.outbox import BatchOutcome

if TYPE_CHECKING:
    from latchway.drivers.contract import Clock, Rejection
    from latchway.gateway.config import VendorConfig
    from latchway.gateway.intake import Intake, Taken
    from latchway.gateway.logs import WorkerLog
    from latchway.gateway.supervisor.process import WorkerProcess
    from latchway.gateway.writer import Writer
    from latchway.outbox import BatchResult

_LOG = logging.getLogger(__name__)

CREDIT_FRAMES = 64
"""Batches and rejects of one worker that may be under way at once."""

STEADY_BEATS = 3

UNASKED_AT_ONCE = 100
UNASKED_PER_S = 2000.0
LONGEST_PAUSE_S = 1.0
"""Credit bounds batches and rejects. Where one read brings more than so many other frames (log
lines, heartbeats, kinds of a later version), the next read waits as if they had come at this
rate, but never so long that heartbeats would be missed."""

_DUPLICATE = BatchOutcome.DUPLICATE

# As plain numbers: looking up an enum's member costs as much as decoding a small header.
_BATCH, _REJECT, _HEARTBEAT = int(Kind.BATCH), int(Kind.REJECT), int(Kind.HEARTBEAT)
_OWN_LOGGER = "latchway.vendor."
"""Begins the name of a driver's own logger, which needs no mention: the line names the vendor."""
_LOG_KIND, _HELLO = int(Kind.LOG), int(Kind.HELLO)
_ASKED_FOR = (_BATCH, _REJECT)


@dataclass(frozen=True, slots=True)
class Station:
    """What every conversation of the gateway uses."""

    intake: Intake
    writer: Writer
    clock: Clock


@dataclass(frozen=True, slots=True)
class _UnderWay:
    number: int
    rejections: tuple[Rejection, ...]
    cost: int


class Conversation:
    """Everything said with one worker. `fault` is done when the worker broke the rules."""

    def __init__(self, vendor: VendorConfig, station: Station, log: WorkerLog) -> None:
        self._vendor = vendor
        self._station = station
        self._log = log
        self._link: wire.FrameLink | None = None
        self._number = 0
        self._under_way: deque[_UnderWay] = deque()
        self._owed = 0
        self._grant_later: asyncio.TimerHandle | None = None
        self._read_later: asyncio.TimerHandle | None = None
        quotas, now = vendor.quotas, station.clock.monotonic()
        self._rate = TokenBucket(quotas.events_per_s, quotas.burst, now)
        loop = asyncio.get_running_loop()
        self.hello: asyncio.Future[wire.Hello] = loop.create_future()
        self.healthy = asyncio.Event()
        """Set at the first heartbeat: the worker has its config and runs its driver."""
        self.steady = asyncio.Event()
        """Set once a few heartbeats have come: the driver did not fail at once."""
        self._beats = 0
        self.fault: asyncio.Future[str] = loop.create_future()
        self.heartbeat: wire.Heartbeat | None = None
        self.heartbeat_at = now
        """When the worker last gave a sign of life: its hello, then its heartbeats."""
        self.credit = 0

    async def open(self, process: WorkerProcess) -> asyncio.Future[Exception | None]:
        """Attach to the worker's socket; return the future of its end."""
        self._link = await wire.open_link(process.socket, self._receive)
        return self._link.closed

    async def configure(
        self, hub: str, heartbeat_s: float, stored: tuple[Mapping[str, bytes], Mapping[str, bytes]]
    ) -> None:
        """Send the worker its config with the stored states and cursors, then its first credit."""
        states, cursors = stored
        config = wire.Config(
            hub=hub,
            vendor=self._vendor.name,
            settings=self._vendor.settings,
            states=states,
            cursors=cursors,
            heartbeat_s=heartbeat_s,
        )
        for frame in wire.config_frames(config):
            await self._send(frame)
        self._owed = CREDIT_FRAMES
        self._grant()

    def ask_to_stop(self, grace_s: float) -> None:
        """Ask the worker to finish what it submitted and to exit.

        Not awaited: a worker that reads nothing must not hold up the stop.
        """
        self._send_soon(wire.Stop(grace_s).to_frame())

    def close(self) -> None:
        """Drop the socket. What was submitted before is stored all the same."""
        for timer in (self._grant_later, self._read_later):
            if timer is not None:
                timer.cancel()
        if self._link is not None:
            self._link.abort()

    def stored(self, results: Sequence[tuple[int, BatchResult]]) -> None:
        """Tell the worker what is on disk now, and let it send as much again."""
        notes: list[wire.StoredNote] = []
        now = self._station.clock.monotonic()
        for number, result in results:
            entry = self._under_way.popleft()
            duplicate = result.outcome is _DUPLICATE
            if duplicate or entry.rejections:
                rejections = () if duplicate else entry.rejections
                notes.append(wire.StoredNote(number, duplicate, rejections))
            self._rate.spend(entry.cost, now)
        self._owed += len(results)
        for frame in wire.stored_frames(results[-1][0], notes):
            self._send_soon(frame)
        if self._grant_later is None:
            self._grant()

    def _grant(self) -> None:
        """Give back the credit that is owed, once the vendor's rate allows it."""
        self._grant_later = None
        wait_s = self._rate.wait_s(self._station.clock.monotonic())
        if wait_s > 0:
            loop = asyncio.get_running_loop()
            self._grant_later = loop.call_later(wait_s, self._grant)
            return
        self.credit += self._owed
        self._send_soon(wire.Credit(self._owed).to_frame())
        self._owed = 0

    def _receive(self, frames: list[wire.Frame]) -> None:
        if self.fault.done():
            return
        try:
            for frame in frames:
                self._handle(frame)
        except (WireError, WorkerFault) as error:
            self.fail(f"it broke the rules of the wire: {error}")
        except Exception as error:  # noqa: BLE001 - our fault on its frame must not end the loop
            _LOG.exception("frame not handled", extra=fields(vendor=self._vendor.name))
            self.fail(f"a frame of it could not be handled: {error!r}")
        else:
            self._slow_down(frames)

    def _slow_down(self, frames: list[wire.Frame]) -> None:
        """Read on a little later where nothing but our reading bounds what the worker sends."""
        unasked = sum([frame.kind not in _ASKED_FOR for frame in frames]) - UNASKED_AT_ONCE
        if unasked > 0 and self._link is not None:
            self._link.pause_reading()
            wait_s = min(unasked / UNASKED_PER_S, LONGEST_PAUSE_S)
            loop = asyncio.get_running_loop()
            self._read_later = loop.call_later(wait_s, self._link.resume_reading)

    def _handle(self, frame: wire.Frame) -> None:
        """Handle one frame; kinds of a later version are none of our business."""
        kind = frame.kind
        if kind == _BATCH:
            batch = wire.Batch.from_frame(frame)
            self._admit(batch.number)
            self._submit(batch.number, self._station.intake.take(self._vendor.name, batch))
        elif kind == _REJECT:
            reject = wire.Reject.from_frame(frame)
            self._admit(reject.number)
            self._submit(reject.number, self._station.intake.take_reject(self._vendor.name, reject))
        elif kind == _HEARTBEAT:
            self._take_heartbeat(wire.Heartbeat.from_frame(frame))
        elif kind == _LOG_KIND:
            self._take_log(wire.Log.from_frame(frame))
        elif kind == _HELLO:
            self._take_hello(wire.Hello.from_frame(frame))

    def _admit(self, number: int) -> None:
        if self.credit < 1:
            raise WorkerFault(f"batch {number} came without credit")
        if number != self._number + 1:
            raise WorkerFault(f"batch {number} came after batch {self._number}")
        self.credit -= 1
        self._number = number

    def _submit(self, number: int, taken: Taken) -> None:
        cost = max(1, len(taken.batch.events) + len(taken.batch.rejects))
        self._under_way.append(_UnderWay(number, taken.rejections, cost))
        self._station.writer.submit(self, number, taken.batch)

    def _take_hello(self, hello: wire.Hello) -> None:
        if self.hello.done():
            raise WorkerFault("it said hello twice")
        if hello.generation != wire.GENERATION:
            raise WorkerFault(
                f"its wire is of generation {hello.generation}, ours of {wire.GENERATION}: "
                "install the same version of Latchway for both"
            )
        self.hello.set_result(hello)
        self.heartbeat_at = self._station.clock.monotonic()

    def _take_heartbeat(self, heartbeat: wire.Heartbeat) -> None:
        self.heartbeat = heartbeat
        self.heartbeat_at = self._station.clock.monotonic()
        self.healthy.set()
        self._beats += 1
        if self._beats >= STEADY_BEATS:
            self.steady.set()

    def _take_log(self, log: wire.Log) -> None:
        more = {} if log.traceback is None else {"traceback": log.traceback}
        if log.dropped:
            more["dropped_before"] = str(log.dropped)
        if not log.logger.startswith(_OWN_LOGGER):
            more["logger"] = log.logger
        self._log.write(log.level, log.message, **more)

    def fail(self, reason: str) -> None:
        """End the conversation for a breach of the rules; the first reason stands."""
        if not self.fault.done():
            self.fault.set_result(reason)
        self.close()

    async def _send(self, frame: wire.Frame) -> None:
        self._send_soon(frame)
        if self._link is not None:
            await self._link.drain()

    def _send_soon(self, frame: wire.Frame) -> None:
        if self._link is None:
            return
        try:
            self._link.send(frame)
        except GatewayLost:
            return  # the worker is gone; the vendor's task sees that by itself
