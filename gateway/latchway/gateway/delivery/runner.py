"""One sink's conversation: connect, send by windows, settle answers, back off. One task each."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from latchway.gateway.apart import apart
from latchway.gateway.delivery.errors import BacklogUnreadable
from latchway.gateway.delivery.lanes import LaneQueue
from latchway.gateway.delivery.pace import Backoff, Pace, RateMeter
from latchway.gateway.delivery.status import DeliveryStatus, LaneTraffic
from latchway.gateway.delivery.turns import Turns
from latchway.gateway.logs import fields
from latchway.gateway.sinks.contract import Accepted, Answer, Refused, Retry
from latchway.gateway.sinks.errors import SinkDisconnected, SinkError
from latchway.gateway.view import SinkState
from latchway.outbox import OutboxError

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from latchway.drivers.contract import Clock
    from latchway.gateway.delivery.lanes import LaneStart, PageRequest
    from latchway.gateway.delivery.progress import ProgressLedger
    from latchway.gateway.sinks.contract import Sink, SinkConnection
    from latchway.outbox.model import Delivery, LaneKey

_LOG: Final = logging.getLogger(__name__)


class DeliveryReader(Protocol):
    """What delivery asks of the outbox's reader."""

    async def deliveries(
        self, lane: LaneKey, epoch: int, after: int, limit: int
    ) -> tuple[Delivery, ...]:
        """Return the lowest waiting positions above `after`, ascending."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all runners share."""

    reader: DeliveryReader
    ledger: ProgressLedger
    clock: Clock
    random: Random
    pace: Pace
    on_change: Callable[[], None]
    """Called when a sink goes up, goes down, or has nothing left to send."""


class SinkRunner:
    """Delivers the lanes of one sink, for ever."""

    def __init__(self, name: str, sink: Sink, around: Surroundings) -> None:
        self._name = name
        self._sink = sink
        self._around = around
        self._turns = Turns()
        self._wake = asyncio.Event()
        self._in_flight = 0
        self._window = 0
        self._acknowledged = 0
        self._connects = 0
        self._rate = RateMeter()
        self._backoff = Backoff(around.pace, around.random)
        self._throttle = Backoff(around.pace, around.random)
        self._throttled_until = 0.0
        self._state = SinkState.CONNECTING
        self._since = around.clock.now()
        self._detail = ""
        self._retry_at: datetime | None = None

    def start(self, status: LaneStart) -> None:
        """Add what the outbox holds of one lane and epoch; before `run`, epochs ascending."""
        self._lane(status.lane).start(status)

    def offer(self, delivery: Delivery) -> None:
        """Take a delivery that was just committed."""
        self._lane(delivery.lane).offer(delivery)
        self._wake.set()

    @property
    def drained(self) -> bool:
        """Whether nothing waits that could be sent now."""
        return self._state is not SinkState.CONNECTED or all(lane.idle for lane in self._turns)

    async def run(self) -> None:
        """Deliver until cancelled. Raises `BacklogUnreadable`."""
        try:
            while True:
                self._enter(SinkState.CONNECTING, self._detail)
                delay = await apart(self._connect_and_deliver())
                self._retry_at = self._around.clock.now() + timedelta(seconds=delay)
                await self._around.clock.sleep(delay)
                self._retry_at = None
        finally:
            self._enter(SinkState.STOPPED, self._detail)

    async def _connect_and_deliver(self) -> float:
        """Deliver for one connection; return how long to wait before the next."""
        connected_at: float | None = None
        try:
            async with self._sink.connect() as connection:
                connected_at = self._around.clock.monotonic()
                self._connects += 1
                self._enter(SinkState.CONNECTED, "")
                _LOG.info("sink connected", extra=fields(sink=self._name))
                await self._converse(connection)
        except SinkError as error:
            return self._broken(error, connected_at)
        except BacklogUnreadable:
            raise
        except Exception as error:  # noqa: BLE001 - a sink's bug must not end the other sinks
            _LOG.exception(
                "sink failed, which is a fault in the sink itself", extra=fields(sink=self._name)
            )
            return self._broken(error, connected_at)
        return self._broken(SinkDisconnected("the connection ended"), connected_at)

    def _broken(self, error: Exception, connected_at: float | None) -> float:
        for lane in self._turns:
            lane.recall()
        self._in_flight = 0
        self._window = 0
        delay = self._delay_after(error, connected_at)
        self._enter(SinkState.WAITING, str(error))
        _LOG.warning(
            "sink is not connected",
            extra=fields(sink=self._name, error=error, retry_in_s=round(delay, 1)),
        )
        return delay

    def _delay_after(self, error: Exception, connected_at: float | None) -> float:
        pace = self._around.pace
        if connected_at is None:
            return self._backoff.next_delay_s()
        if self._around.clock.monotonic() - connected_at < pace.settled_after_s:
            return self._backoff.next_delay_s()
        self._backoff.reset()
        if isinstance(error, SinkDisconnected) and not error.by_server:
            return 0.0
        return self._around.random.uniform(0.0, pace.return_within_s)

    async def _converse(self, connection: SinkConnection) -> None:
        """Send until the connection ends."""
        reporter = _Reporter(self._settle)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(connection))
                tasks.create_task(self._pump(connection, reporter))
        except BaseExceptionGroup as group:
            raise _weightiest(group) from None
        finally:
            reporter.live = False

    async def _watch(self, connection: SinkConnection) -> None:
        await connection.wait_closed()
        raise SinkDisconnected("the connection ended")

    async def _pump(self, connection: SinkConnection, reporter: _Reporter) -> None:
        while True:
            self._wake.clear()
            await self._wait_while_throttled()
            starving = next((lane for lane in self._turns if lane.starving), None)
            if starving is not None:
                await self._read_page(starving)
            self._window = connection.window
            batch = self._turns.take(self._window, self._window - self._in_flight)
            if batch:
                self._in_flight += len(batch)
                await connection.send(batch, reporter.report)
            elif starving is None and not await self._read_ahead():
                self._around.on_change()
                await self._wake.wait()

    async def _wait_while_throttled(self) -> None:
        clock = self._around.clock
        while (remaining := self._throttled_until - clock.monotonic()) > 0:
            self._retry_at = clock.now() + timedelta(seconds=remaining)
            await clock.sleep(remaining)
        self._retry_at = None

    async def _read_ahead(self) -> bool:
        """Read the next page of a lane that will need it soon; False if none does."""
        low = next((lane for lane in self._turns if lane.runs_low()), None)
        if low is not None:
            await self._read_page(low)
        return low is not None

    async def _read_page(self, lane: LaneQueue) -> None:
        request = lane.page_request()
        if request is not None:
            lane.load(await self._page(request), request)

    async def _page(self, request: PageRequest) -> tuple[Delivery, ...]:
        try:
            return await self._around.reader.deliveries(
                request.lane, request.epoch, request.after, request.limit
            )
        except OutboxError as error:
            raise BacklogUnreadable(
                f"Lane {request.lane} cannot be read from the outbox: {error}; reopen the outbox"
            ) from error

    def _settle(self, delivery: Delivery, answer: Answer) -> None:
        lane = self._lane(delivery.lane)
        if not lane.settle(delivery):
            return
        self._in_flight -= 1
        self._wake.set()
        if isinstance(answer, Accepted):
            lane.waiting -= 1
            lane.acknowledged += 1
            self._acknowledged += 1
            self._throttle.reset()
            self._around.ledger.acknowledge(delivery)
        elif isinstance(answer, Refused):
            lane.waiting -= 1
            lane.parked += 1
            self._detail = f"refused an event for good: {answer.detail}"
            self._around.ledger.park(delivery, answer.detail)
        else:
            lane.postpone(delivery)
            self._slow_down(answer)

    def _slow_down(self, answer: Retry) -> None:
        now = self._around.clock.monotonic()
        if now >= self._throttled_until:
            delay = answer.after_s + self._throttle.next_delay_s()
            self._throttled_until = now + delay
            self._detail = f"takes nothing for {delay:.1f} s: {answer.detail}"
            _LOG.warning("sink is throttled", extra=fields(sink=self._name, detail=self._detail))

    def _lane(self, key: LaneKey) -> LaneQueue:
        lane = self._turns.get(key)
        if lane is None:
            lane = LaneQueue(key, self._around.pace)
            self._turns.add(lane)
        return lane

    def _enter(self, state: SinkState, detail: str) -> None:
        # While it is tried again and again, what counts is since when it is down.
        down = (SinkState.CONNECTING, SinkState.WAITING)
        if not (state in down and self._state in down):
            self._since = self._around.clock.now()
        self._state = state
        self._detail = detail
        self._around.on_change()

    def sample(self) -> None:
        """Note how much was acknowledged by now, for the rate in `status`."""
        self._rate.sample(self._around.clock.monotonic(), self._acknowledged)

    def status(self) -> DeliveryStatus:
        """Return how the sink stands now."""
        now = self._around.clock.monotonic()
        lanes = tuple(
            LaneTraffic(lane.key, lane.waiting, lane.in_flight, lane.acknowledged, lane.parked)
            for lane in self._turns
        )
        return DeliveryStatus(
            sink=self._name,
            type=self._sink.type,
            state=self._state,
            since=self._since,
            detail=self._detail,
            retry_at=self._retry_at,
            in_flight=self._in_flight,
            window=self._window,
            connects=self._connects,
            throttled=self._state is SinkState.CONNECTED and now < self._throttled_until,
            waiting=sum(lane.waiting for lane in lanes),
            acknowledged_per_s=self._rate.per_second(now, self._acknowledged),
            lanes=lanes,
        )


class _Reporter:
    """Passes answers on as long as its connection lives; what comes later counts for nothing."""

    def __init__(self, settle: Callable[[Delivery, Answer], None]) -> None:
        self._settle = settle
        self.live = True

    def report(self, delivery: Delivery, answer: Answer) -> None:
        if self.live:
            self._settle(delivery, answer)


def _weightiest(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error to act on: whatever is not merely the connection's end, if there is any."""
    errors = [
        _weightiest(error) if isinstance(error, BaseExceptionGroup) else error
        for error in group.exceptions
    ]
    return next((error for error in errors if not isinstance(error, SinkError)), errors[0])
