"""The contract between Latchway and a driver: what a vendor's code gives, and what it is given.

Imported by every driver and by the worker host that runs it. A driver sees nothing else of
Latchway: never the database, the cloud, or another vendor. Design section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NewType, Protocol

from pydantic import BaseModel, JsonValue

from latchway.schemas import DeviceId, EventData, EventDraft, Source

if TYPE_CHECKING:
    import logging

    from latchway.drivers.transport.mqtt import MqttClient, MqttSettings

VendorName = NewType("VendorName", str)
"""Name of a vendor as the config spells it: `[a-z][a-z0-9_]{0,31}`."""


class DeliveryClass(StrEnum):
    """What happens to a vendor's events while we are away (design section 1, promise 1)."""

    LOG = "log"
    QUEUED = "queued"
    LIVE = "live"


class Transport(StrEnum):
    """How a vendor's locks are reached."""

    MQTT = "mqtt"
    BLE = "ble"


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits that the gateway holds a worker to, unless the config says otherwise."""

    events_per_s: int = 200
    burst: int = 1000
    memory_mb: int = 96


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a vendor's folder says about itself, without being run.

    `delivery_class` is the best class that the vendor can have; a driver that finds less at run
    time says so with `DriverContext.report_delivery_class`. `pairing` is a one-line description
    for people. `commands` maps a verb to the bound within which its outcome is known, in seconds.
    """

    name: VendorName
    title: str
    transport: Transport
    delivery_class: DeliveryClass
    event_types: tuple[type[EventData], ...]
    config: type[BaseModel]
    pairing: str
    needs_maker_cloud_key: bool = False
    commands: Mapping[str, float] = field(default_factory=dict)
    command_pacing_s: float = 1.0
    quotas: Quotas = field(default_factory=Quotas)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a device as last known: its value, where it comes from, and its age."""

    value: JsonValue
    source: Source
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceState:
    """All that is stored of one device, replaced as a whole by each `emit(state=...)`.

    `attributes` uses the names `lock_state`, `door_state`, `battery_percent`, `reachable` where
    they apply; further names are the driver's own. `name` is the friendly name, for people only.
    """

    name: str
    model: str | None = None
    manufacturer: str | None = None
    firmware: str | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BrokerDelivery:
    """A QoS 1 message as the broker delivered it, so that a redelivery is stored once.

    The outbox remembers the digest last stored under each packet id of a vendor. A batch whose
    delivery has `duplicate` set (MQTT's DUP) and equals what is remembered changes nothing and is
    answered as stored. Packet ids are reused, so a delivery without DUP is always new.
    """

    packet_id: int
    digest: bytes
    """8 bytes of BLAKE2b over topic and payload."""
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why the gateway did not take one event of a batch; the event itself is kept with it."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """The gateway's word that a batch is on disk. `rejections` names events that do not fit."""

    duplicate: bool = False
    rejections: tuple[Rejection, ...] = ()


class Receipt(Protocol):
    """A submitted batch on its way to the disk. Receipts resolve in order of submission."""

    def __await__(self) -> Any:
        """Wait until stored; yields `StoredBatch`. Raises `GatewayLost` if nobody can tell."""
        ...

    def add_done_callback(self, callback: Callable[[Receipt], None]) -> None:
        """Call back when stored, or when the gateway is lost."""
        ...

    def stored(self) -> bool:
        """Tell whether the batch is known to be on disk."""
        ...


class Clock(Protocol):
    """Time, injected: wall time is only data, deadlines use the monotonic clock."""

    def now(self) -> datetime:
        """Wall time, timezone-aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of CLOCK_BOOTTIME: goes on while the machine is suspended."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds."""
        ...


class DriverContext(Protocol):
    """All that a driver is given."""

    @property
    def vendor(self) -> VendorName:
        """The vendor that this worker runs for."""
        ...

    @property
    def config(self) -> BaseModel:
        """The vendor's config section, an instance of the manifest's `config` model."""
        ...

    @property
    def clock(self) -> Clock:
        """The only clock a driver may read."""
        ...

    @property
    def log(self) -> logging.Logger:
        """A logger whose records the gateway writes, under the vendor's name and log budget."""
        ...

    def state(self, device: DeviceId) -> DeviceState | None:
        """The state last submitted (else last stored) for that device."""
        ...

    def devices(self) -> Mapping[DeviceId, DeviceState]:
        """Every device of this vendor that has a state."""
        ...

    def cursor(self, name: str = "") -> JsonValue:
        """The cursor last submitted under that name; None if there is none."""
        ...

    async def emit(
        self,
        *events: EventDraft,
        cursor: Mapping[str, JsonValue] | None = None,
        state: Mapping[DeviceId, DeviceState | None] | None = None,
        delivery: BrokerDelivery | None = None,
    ) -> StoredBatch:
        """Store events, cursors and states in one transaction; return when they are on disk.

        A state of None forgets the device. Cancelled or `GatewayLost` means unknown, so events
        from a log carry a log key and broker messages their `delivery`.
        """
        ...

    async def submit(
        self,
        *events: EventDraft,
        cursor: Mapping[str, JsonValue] | None = None,
        state: Mapping[DeviceId, DeviceState | None] | None = None,
        delivery: BrokerDelivery | None = None,
    ) -> Receipt:
        """As `emit`, but return at once when there is credit, so that batches pipeline."""
        ...

    async def reject(
        self,
        raw: bytes,
        reason: str,
        *,
        topic: str | None = None,
        device: DeviceId | None = None,
        delivery: BrokerDelivery | None = None,
    ) -> Receipt:
        """Keep an input that could not be decoded, with the reason (`code: words`).

        Secrets must have been removed from `raw` before: it is shown to operators.
        """
        ...

    async def forget_deliveries(self) -> None:
        """Tell the outbox that the broker lost our session: packet ids begin anew."""
        ...

    def report_delivery_class(self, delivery_class: DeliveryClass, reason: str) -> None:
        """Say at run time which delivery class is in force, and why; shown in `status`."""
        ...

    def report_degraded(self, reasons: Sequence[str]) -> None:
        """Say what cannot be promised now; an empty list says all is well.

        Each reason reads "problem; fix": `latchway status` shows what follows the first "; " as
        the thing to do.
        """
        ...

    def mqtt(self, settings: MqttSettings) -> AbstractAsyncContextManager[MqttClient]:
        """One connection to the local broker; a new object for each connection."""
        ...


class Driver(Protocol):
    """One vendor's conversation with its locks."""

    async def run(self, context: DriverContext) -> None:
        """Talk to the locks until cancelled. An exception ends the worker, which is restarted."""
        ...


DriverFactory = Callable[[], Driver]


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a vendor's folder registers: `VENDOR = Vendor(manifest, factory)` in its package."""

    manifest: Manifest
    driver: DriverFactory
