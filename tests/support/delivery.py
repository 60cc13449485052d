"""Stand-ins for what delivery talks to: a scripted sink, an outbox in memory, a clock by hand."""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from latchway.gateway.sinks.contract import ACCEPTED, Answer, Report
from latchway.gateway.sinks.errors import SinkDisconnected
from latchway.outbox.model import Delivery, LaneKey, Match, NewEvent, Position
from latchway.schemas import LaneClass, Priority

MAIN, BULK = LaneClass.MAIN, LaneClass.BULK


def lane(vendor: str = "z2m", sink: str = "cloud", lane_class: LaneClass = MAIN) -> LaneKey:
    return LaneKey(vendor, sink, lane_class)


def delivery(
    number: int,
    *,
    key: LaneKey | None = None,
    epoch: int = 1,
    device: str | None = "0xa1",
    event_type: str = "io.latchway.lock.state_changed.v1",
    data: bytes = b'{"state":"locked","source":"reported"}',
) -> Delivery:
    """Build a delivery whose event id tells lane, epoch and position."""
    key = key or lane()
    event_id = f"{key}-{epoch}-{number}"
    place = key.vendor if device is None else f"{key.vendor}/{device}"
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/hubs/h1/{place}",
        "type": event_type,
        "time": "2026-11-24T08:00:00.000Z",
        "datacontenttype": "application/json",
        "dataschema": "https://schemas.latchway.io/lock.state_changed/1.0",
        "clock": "synced",
        "bootid": "b-1",
        "bootms": "1000",
        "recordedtime": "2026-11-24T08:00:00.000Z",
        "partitionkey": device or key.vendor,
        "priority": "state",
    }
    event = NewEvent(event_id, event_type, device, Priority.STATE, attributes, data)
    match = Match(key.sink, key.lane_class, "all", 1)
    return Delivery(key, Position(epoch, number), f"{epoch}-{number:016d}", event, match)


def numbers(deliveries: Iterable[Delivery]) -> list[int]:
    return [one.position.number for one in deliveries]


async def settle() -> None:
    """Let every task run until it waits for something that is not there yet."""
    for _ in range(60):
        await asyncio.sleep(0)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 8, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wakes = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed + seconds, id(wakes), wakes))
        await wakes

    async def advance(self, seconds: float) -> None:
        """Move the clock on, waking every sleeper at its own time."""
        await settle()
        until = self.elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            self.elapsed, _, wakes = heapq.heappop(self._sleepers)
            if not wakes.done():
                wakes.set_result(None)
            await settle()
        self.elapsed = until
        await settle()


class HighestChance:
    """The random source at its upper end: every delay is its ceiling."""

    def uniform(self, _low: float, high: float) -> float:
        return high


@dataclass(frozen=True)
class LaneRow:
    """What the outbox says of a lane and epoch at start."""

    lane: LaneKey
    epoch: int
    next_number: int
    waiting: int


@dataclass
class DiskLanes:
    """The waiting deliveries of an outbox, and a reader over them."""

    rows: defaultdict[tuple[LaneKey, int], dict[int, Delivery]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    reads: list[tuple[int, int]] = field(default_factory=list)
    broken: Exception | None = None

    def commit(self, *deliveries: Delivery) -> tuple[Delivery, ...]:
        for one in deliveries:
            self.rows[one.lane, one.position.epoch][one.position.number] = one
        return deliveries

    def done(self, progress: Iterable) -> None:
        for line in progress:
            for number in (*line.acknowledged, *line.voided):
                del self.rows[line.lane, line.epoch][number]

    def lanes(self, next_numbers: dict[int, int] | None = None) -> tuple[LaneRow, ...]:
        """Return a row per lane and epoch; `next_numbers` overrides the next one per epoch."""
        return tuple(
            LaneRow(
                key, epoch, (next_numbers or {}).get(epoch, max(rows, default=0) + 1), len(rows)
            )
            for (key, epoch), rows in self.rows.items()
        )

    async def deliveries(
        self, lane: LaneKey, epoch: int, after: int, limit: int
    ) -> tuple[Delivery, ...]:
        self.reads.append((after, limit))
        await asyncio.sleep(0)
        if self.broken is not None:
            raise self.broken
        rows = self.rows[lane, epoch]
        return tuple(rows[number] for number in sorted(rows) if number > after)[:limit]


class ScriptedConnection:
    """A connection whose answers the test gives, or `answers` gives by itself."""

    def __init__(self, sink: ScriptedSink) -> None:
        self.window = sink.window
        self.sent: list[Delivery] = []
        self._answers = sink.answers
        self._slow_to_end = sink.slow_to_end
        self._reports: dict[str, tuple[Delivery, Report]] = {}
        self._ended: asyncio.Future[SinkDisconnected] = asyncio.get_running_loop().create_future()

    async def send(self, deliveries: Sequence[Delivery], report: Report) -> None:
        await asyncio.sleep(0)
        if self._slow_to_end:
            await _end_slowly()
        if self._ended.done():
            raise self._ended.result()
        for one in deliveries:
            self.sent.append(one)
            answer = self._answers(one) if self._answers else None
            if answer is None:
                self._reports[one.event.id] = (one, report)
            else:
                report(one, answer)

    async def wait_closed(self) -> None:
        raise await asyncio.shield(self._ended)

    @property
    def unanswered(self) -> list[int]:
        return sorted(one.position.number for one, _ in self._reports.values())

    def answer(self, *wanted: int, answer: Answer = ACCEPTED, key: LaneKey | None = None) -> None:
        """Answer the deliveries at these positions (of that lane), in the order given."""
        for number in wanted:
            event_id = next(
                event_id
                for event_id, (one, _) in self._reports.items()
                if one.position.number == number and key in (None, one.lane)
            )
            one, report = self._reports.pop(event_id)
            report(one, answer)

    def answer_all(self, answer: Answer = ACCEPTED) -> None:
        for one, report in list(self._reports.values()):
            del self._reports[one.event.id]
            report(one, answer)

    def drop(self, *, by_server: bool = False) -> None:
        """End the connection from the other side."""
        if not self._ended.done():
            self._ended.set_result(SinkDisconnected("cable cut", by_server=by_server))


async def _end_slowly() -> None:
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        for _ in range(5):
            await asyncio.sleep(0)


class ScriptedSink:
    """A sink that does what the test says."""

    type = "scripted"

    def __init__(
        self, window: int = 4, answers: Callable[[Delivery], Answer | None] | None = None
    ) -> None:
        self.window = window
        self.answers = answers
        self.connections: list[ScriptedConnection] = []
        self.attempts = 0
        self.failures: list[Exception] = []
        """Raised by the next attempts to connect, in turn."""
        self.slow_to_end = False
        """Whether `send` never returns, and takes its time to end when it is cancelled."""

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[ScriptedConnection]:
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        connection = ScriptedConnection(self)
        self.connections.append(connection)
        try:
            yield connection
        finally:
            connection.drop()

    @property
    def last(self) -> ScriptedConnection:
        return self.connections[-1]

    @property
    def sent(self) -> list[Delivery]:
        """Everything handed over on any connection."""
        return [one for connection in self.connections for one in connection.sent]


def accept(_: Delivery) -> Answer:
    return ACCEPTED
