"""Builders for what goes into the outbox, and an outbox in a folder with clocks in the hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from latchway.outbox import (
    Batch,
    Committed,
    LaneKey,
    LaneProgress,
    Match,
    NewEvent,
    NewReject,
    Outbox,
    Reader,
    Redelivery,
    ReplayWindow,
    Transaction,
    Voiding,
)
from latchway.schemas import LaneClass, Priority, VoidReason

VENDOR = "zigbee2mqtt"
CLOUD = LaneKey(VENDOR, "cloud", LaneClass.MAIN)
FILE = LaneKey(VENDOR, "file", LaneClass.MAIN)


def match(sink="cloud", *, lane_class=LaneClass.MAIN, route="all", version=1, projection=None):
    return Match(sink, lane_class, route, version, None, projection)


def event(event_id="event-1", *sinks, dedupe=False, data=b'{"state":"locked"}', matches=None):
    """An event that goes to the sinks named, by one route each."""
    return NewEvent(
        id=event_id,
        type="io.latchway.lock.state_changed.v1",
        device="0x00158d0001a2b3c4",
        priority=Priority.STATE,
        attributes={"specversion": "1.0", "id": event_id, "source": "/hubs/h/zigbee2mqtt/0x0015"},
        data=data,
        matches=tuple(map(match, sinks)) if matches is None else matches,
        dedupe=dedupe,
    )


def events(count, *sinks, first=1, **kwargs):
    return tuple(event(f"event-{first + index}", *sinks, **kwargs) for index in range(count))


def batch(*stored, vendor=VENDOR, **kwargs):
    return Batch(vendor, tuple(stored), **kwargs)


def reject(reason="no JSON at all", *, keep=True):
    return NewReject("not_json", reason, b"\xff\xfe", topic="zigbee2mqtt/Door", keep=keep)


def redelivery(packet_id=1, digest=b"digest-1", *, duplicate=False):
    return Redelivery(packet_id, digest, duplicate)


def acknowledged(*numbers, lane=CLOUD, epoch=1):
    return LaneProgress(lane, epoch, acknowledged=numbers)


def voided(reason, *numbers, lane=CLOUD, epoch=1, detail="no thanks"):
    return LaneProgress(lane, epoch, voided=dict.fromkeys(numbers, Voiding(reason, detail)))


def parked(*numbers, **kwargs):
    return voided(VoidReason.PARKED, *numbers, **kwargs)


def replayed(*numbers, lane=CLOUD, epoch=1):
    return LaneProgress(lane, epoch, replayed=numbers)


@dataclass
class HandClocks:
    """Clocks that stand still until a test moves them."""

    wall: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    boot: float = 1000.0

    def now(self) -> datetime:
        return self.wall

    def boottime(self) -> float:
        return self.boot

    def advance(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.boot += seconds


@dataclass
class OpenOutbox:
    """An outbox with a reader on it."""

    path: Path
    outbox: Outbox
    reader: Reader
    clocks: HandClocks

    async def store(self, *stored, **kwargs) -> Committed:
        return await self.outbox.commit(Transaction((batch(*stored, **kwargs),)))

    async def commit(self, *batches: Batch) -> Committed:
        return await self.outbox.commit(Transaction(batches))

    async def progress(self, *progress: LaneProgress) -> Committed:
        return await self.outbox.commit(Transaction(progress=progress))

    async def waiting(self, lane=CLOUD, epoch=1, after=0, limit=1000) -> list[int]:
        found = await self.reader.deliveries(lane, epoch, after, limit)
        return [delivery.position.number for delivery in found]

    async def intake(self, vendor=VENDOR):
        account = await self.closed_account()
        return next(line for line in account.intake if line.vendor == vendor)

    async def lane_account(self, lane=CLOUD, epoch=1):
        account = await self.closed_account()
        return next(line for line in account.lanes if (line.lane, line.epoch) == (lane, epoch))

    async def closed_account(self):
        """The account, after checking that it closes and that the rows say the same."""
        account = await self.reader.account()
        assert account.difference == 0
        assert await self.reader.audit() == account
        return account

    async def stored_ids(self) -> list[str]:
        """Ids of the events whose rows are there, in order of sequence."""
        stored = await self.reader.events(10_000)
        return [one.event.id for one in reversed(stored)]


@dataclass
class OutboxFolder:
    """A folder whose outbox can be opened again and again."""

    folder: Path
    clocks: HandClocks = field(default_factory=HandClocks)
    window: ReplayWindow = field(default_factory=ReplayWindow)

    @property
    def path(self) -> Path:
        return self.folder / "outbox.db"

    @asynccontextmanager
    async def open(self, minimum_epoch: int = 1) -> AsyncIterator[OpenOutbox]:
        async with (
            Outbox.open(
                self.path,
                minimum_epoch=minimum_epoch,
                now=self.clocks.now,
                boottime=self.clocks.boottime,
                window=self.window,
            ) as outbox,
            Reader.open(self.path) as reader,
        ):
            yield OpenOutbox(self.path, outbox, reader, self.clocks)
