"""The life of a device: paired, reachable, faulted, and what of its events may be missing."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from latchway.schemas.catalog.base import Count, EventData, Instant, Ordinal
from latchway.schemas.vocabulary import CoverageReason, Priority

Text = Annotated[str, Field(max_length=256)]


class DevicePaired(EventData):
    """A lock became ours, or was seen for the first time at its bridge."""

    event_type: ClassVar[str] = "io.latchway.device.paired.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"model": "YRD226HA2619", "manufacturer": "Yale"},
    )

    model: Text | None = Field(default=None, description="The maker's model name.")
    manufacturer: Text | None = Field(default=None, description="The maker's name.")
    firmware: Text | None = Field(default=None, description="Firmware version as the lock says.")


class DeviceRemoved(EventData):
    """A lock is no longer ours, or is gone from its bridge."""

    event_type: ClassVar[str] = "io.latchway.device.removed.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"by_lock": True},)

    by_lock: bool | None = Field(
        default=None, description="True if the lock itself left; None if nobody can tell."
    )


class DeviceReachable(EventData):
    """The lock can be talked to again."""

    event_type: ClassVar[str] = "io.latchway.device.reachable.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({},)


class DeviceUnreachable(EventData):
    """The lock cannot be talked to; its state is stale from now on."""

    event_type: ClassVar[str] = "io.latchway.device.unreachable.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"reason": "bridge reports it offline"},)

    reason: Text | None = Field(default=None, description="What was seen, in words.")


class DeviceFaulted(EventData):
    """The lock or its door sensor reports a fault, or cannot be set up."""

    event_type: ClassVar[str] = "io.latchway.device.faulted.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"fault": "interview failed"},)

    fault: Text = Field(description="What is wrong, in words.")


class DeviceClockSet(EventData):
    """The driver set the lock's clock."""

    event_type: ClassVar[str] = "io.latchway.device.clock_set.v1"
    priority: ClassVar[Priority] = Priority.TELEMETRY
    owner: ClassVar[str] = "drivers"
    experimental: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"drift_s": -12.5},)

    drift_s: float | None = Field(
        default=None, description="The lock's clock minus ours before, in seconds."
    )


class DeviceLogRestarted(EventData):
    """The lock's own log began anew: factory reset, wrap, or another lock behind the same id."""

    event_type: ClassVar[str] = "io.latchway.device.log_restarted.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "drivers"
    experimental: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"log_epoch": 2},)

    log_epoch: Ordinal = Field(description="Number of the log epoch that begins.")


class DeviceLogGap(EventData):
    """Entries of the lock's log were overwritten before we could read them."""

    event_type: ClassVar[str] = "io.latchway.device.log_gap.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "drivers"
    experimental: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"missing": 14, "first_index": 120},)

    missing: Ordinal = Field(description="How many entries are gone.")
    first_index: Count = Field(description="Index of the first missing entry.")


class DeviceCoverageGap(EventData):
    """For a span of time events of this device, or of the whole vendor, may be missing."""

    event_type: ClassVar[str] = "io.latchway.device.coverage_gap.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"reason": "broker_down", "since": "2026-03-01T07:58:00Z", "until": "2026-03-01T08:00:10Z"},
    )

    reason: CoverageReason = Field(description="Why events may be missing.")
    since: Instant | None = Field(
        default=None, description="Last instant known to be covered; absent if unknown."
    )
    until: Instant | None = Field(
        default=None, description="First instant covered again; absent while it lasts."
    )


class DeviceFirmwareChanged(EventData):
    """The lock runs another firmware than before."""

    event_type: ClassVar[str] = "io.latchway.device.firmware_changed.v1"
    priority: ClassVar[Priority] = Priority.TELEMETRY
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"firmware": "2.14", "previous": "2.11"},)

    firmware: Text = Field(description="Firmware version as the lock says.")
    previous: Text | None = Field(default=None, description="The version stored before.")
