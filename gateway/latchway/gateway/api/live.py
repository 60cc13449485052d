"""The view of a running gateway, built from its parts by the daemon's wiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from latchway.gateway.view import OutboxSize, OutboxUnreadable
from latchway.outbox import OutboxError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from latchway.gateway.api.feed import EventFeed
    from latchway.gateway.api.lag import LoopLag
    from latchway.gateway.view import (
        DeviceStatus,
        EventSubscription,
        HubStatus,
        Readiness,
        SinkStatus,
        VendorStatus,
    )
    from latchway.outbox import Account, Reader, StoredEvent, StoredReject

Answer = TypeVar("Answer")


class VendorSource(Protocol):
    """The supervisor, as far as the view asks it."""

    def status(self) -> tuple[VendorStatus, ...]:
        """All vendors as they are now."""
        ...


class SinkSource(Protocol):
    """The delivery engine, as far as the view asks it."""

    def status(self) -> tuple[SinkStatus, ...]:
        """All sinks as they are now."""
        ...


@dataclass(frozen=True, slots=True)
class LiveView:
    """Asks the owner of each piece of state when it is asked; holds none itself.

    `reader` returns the outbox's read-only connection, None while there is none. `hub`,
    `readiness` and `stored_devices` are the daemon's, which knows them.
    """

    hub: Callable[[], HubStatus]
    readiness: Callable[[], Readiness]
    stored_devices: Callable[[], Awaitable[tuple[DeviceStatus, ...]]]
    supervisor: VendorSource
    delivery: SinkSource
    reader: Callable[[], Reader | None]
    feed: EventFeed
    lag: LoopLag

    def vendors(self) -> tuple[VendorStatus, ...]:
        """Ask the supervisor."""
        return self.supervisor.status()

    def sinks(self) -> tuple[SinkStatus, ...]:
        """Ask the delivery engine."""
        return self.delivery.status()

    def loop_lag_s(self) -> float:
        """Ask the meter."""
        return self.lag.worst_s

    def follow(self) -> AbstractContextManager[EventSubscription]:
        """Subscribe to the feed."""
        return self.feed.follow()

    async def account(self) -> Account:
        """Read both identities in one snapshot."""
        return await _read(self._open_reader().account())

    async def outbox_size(self) -> OutboxSize:
        """Read the sizes of the outbox's files."""
        size = await _read(self._open_reader().size())
        return OutboxSize(database_bytes=size.file, wal_bytes=size.wal)

    async def devices(self) -> tuple[DeviceStatus, ...]:
        """Ask the daemon for the devices that have a stored state."""
        return await _read(self.stored_devices())

    async def events(self, limit: int, before: str | None) -> tuple[StoredEvent, ...]:
        """Read the newest events."""
        return await _read(self._open_reader().events(limit, before))

    async def rejected(self, limit: int, vendor: str | None) -> tuple[StoredReject, ...]:
        """Read the newest rejects."""
        return await _read(self._open_reader().rejected(limit, vendor))

    def _open_reader(self) -> Reader:
        reader = self.reader()
        if reader is None:
            raise OutboxUnreadable("the outbox is not open now")
        return reader


async def _read(reading: Awaitable[Answer]) -> Answer:
    try:
        return await reading
    except OutboxError as error:
        raise OutboxUnreadable(str(error)) from error
