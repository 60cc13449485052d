"""What the local API and the metrics may see of the gateway, and nothing else.

Pure data plus one protocol. The supervisor answers with `VendorStatus`, the delivery engine with
`SinkStatus`; `api.live` builds the view of a running gateway from its parts.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from latchway.gateway.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from pydantic import JsonValue

    from latchway.outbox import Account, StoredEvent, StoredReject


class VendorState(StrEnum):
    """Where a vendor's worker stands. Only `running` does work."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    """The worker ended; the supervisor waits out its back-off."""
    QUARANTINED = "quarantined"
    """The worker ended too often; nothing is started until `quarantined_until`."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class VendorStatus:
    """One vendor as its supervisor sees it now."""

    vendor: str
    title: str
    state: VendorState
    since: datetime
    """Wall time at which it entered that state."""
    pid: int | None = None
    restarts: int = 0
    """Times that its worker was started again since the gateway started."""
    delivery_class: str | None = None
    """`log`, `queued` or `live`; None until the worker has said hello."""
    delivery_class_reason: str = ""
    degraded: tuple[str, ...] = ()
    """What the driver cannot promise now, each with its fix; for people."""
    heartbeat_age_s: float | None = None
    quarantined_until: datetime | None = None
    last_error: str = ""
    """Why its worker last ended, in words; empty if it never did."""
    queued: int = 0
    """Frames that wait at the intake."""
    credit: int = 0
    """Frames that the worker may still send."""


class SinkState(StrEnum):
    """Where the connection to a sink stands. Only `connected` delivers."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """The last attempt failed or the connection ended; back-off until `retry_at`."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """One sink as the delivery engine sees it now."""

    sink: str
    type: str
    """Kind of sink as the config spells it, such as `mqtt` or `file`."""
    state: SinkState
    since: datetime
    """Wall time at which it entered that state."""
    detail: str = ""
    """What the sink last said or why it cannot be reached; free of secrets."""
    retry_at: datetime | None = None
    in_flight: int = 0
    window: int = 0
    connects: int = 0
    """Connections made since the gateway started."""


@dataclass(frozen=True, slots=True)
class HubStatus:
    """The gateway itself: who it is, since when it runs, from which files."""

    id: str
    name: str
    version: str
    epoch: int
    now: datetime
    """Wall time of this answer; ages are counted against it."""
    started_at: datetime
    uptime_s: float
    clock: str
    """`synced` or `unsynced`: whether somebody vouches for the wall clock."""
    config_file: str
    state_dir: str
    notices: tuple[str, ...] = ()
    """Problems of the gateway as a whole, each with its fix."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether events can be stored now; if not, why not."""

    outbox_open: bool
    writer_running: bool

    @property
    def ready(self) -> bool:
        return self.outbox_open and self.writer_running


@dataclass(frozen=True, slots=True)
class OutboxSize:
    """Bytes that the outbox takes on disk, and may take at most (None: no limit is set)."""

    database_bytes: int
    wal_bytes: int
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceAttribute:
    """One attribute of a device as last stored: value, where it comes from, and when."""

    value: JsonValue
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """One lock as last stored. `device` is its hardware id, `name` is for people only."""

    vendor: str
    device: str
    name: str
    model: str | None = None
    manufacturer: str | None = None
    firmware: str | None = None
    attributes: Mapping[str, DeviceAttribute] = field(default_factory=dict)


class EventSubscription(Protocol):
    """A follower's bounded share of the events as they are stored."""

    async def next_events(self, most: int) -> tuple[StoredEvent, ...]:
        """Wait for the next events, in order, `most` of them at a time.

        Empty: there will be no more, because the follower was too slow or the gateway is
        ending.
        """
        ...

    def abandon(self) -> int:
        """Take no more; return how many events the follower did not get so far."""
        ...


class GatewayView(Protocol):
    """All that the API and the metrics read. Each answer is a snapshot."""

    def hub(self) -> HubStatus:
        """Say who and since when."""
        ...

    def readiness(self) -> Readiness:
        """Say whether events can be stored now."""
        ...

    def vendors(self) -> tuple[VendorStatus, ...]:
        """All configured vendors, in the order of the config."""
        ...

    def sinks(self) -> tuple[SinkStatus, ...]:
        """All configured sinks, in the order of the config."""
        ...

    def loop_lag_s(self) -> float:
        """How late the event loop woke at worst in the last seconds."""
        ...

    async def account(self) -> Account:
        """Both identities, read in one snapshot. Raises `OutboxUnreadable`."""
        ...

    async def outbox_size(self) -> OutboxSize:
        """Bytes on disk. Raises `OutboxUnreadable`."""
        ...

    async def devices(self) -> tuple[DeviceStatus, ...]:
        """Every device that has a stored state. Raises `OutboxUnreadable`."""
        ...

    async def events(self, limit: int, before: str | None) -> tuple[StoredEvent, ...]:
        """Stored events, newest first, older than the sequence `before`.

        Raises `OutboxUnreadable`.
        """
        ...

    async def rejected(self, limit: int, vendor: str | None) -> tuple[StoredReject, ...]:
        """Kept rejects, newest first. Raises `OutboxUnreadable`."""
        ...

    def follow(self) -> AbstractContextManager[EventSubscription]:
        """Subscribe to events from now on. Raises `TooManyFollowers`."""
        ...


class OutboxUnreadable(GatewayError):
    """The outbox cannot be read now: it is being reopened after an I/O error, or is closing."""


class TooManyFollowers(GatewayError):
    """Every place for somebody who follows the events is taken."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One answer to "is all well": everything that status and metrics are made of."""

    hub: HubStatus
    readiness: Readiness
    vendors: tuple[VendorStatus, ...]
    sinks: tuple[SinkStatus, ...]
    loop_lag_s: float
    account: Account | None
    """None where the outbox cannot be read now."""
    outbox_size: OutboxSize | None


async def take_snapshot(view: GatewayView) -> Snapshot:
    """Read everything once; an outbox that cannot be read leaves its two fields empty."""
    account: Account | None = None
    size: OutboxSize | None = None
    with contextlib.suppress(OutboxUnreadable):
        account = await view.account()
        size = await view.outbox_size()
    return Snapshot(
        hub=view.hub(),
        readiness=view.readiness(),
        vendors=view.vendors(),
        sinks=view.sinks(),
        loop_lag_s=view.loop_lag_s(),
        account=account,
        outbox_size=size,
    )
