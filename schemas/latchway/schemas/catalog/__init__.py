"""Every event type of Latchway, one module per family; a new type is a class and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latchway.schemas.catalog.access import AccessDenied, AccessGranted, Actor
from latchway.schemas.catalog.base import EventData
from latchway.schemas.catalog.battery import BatteryCritical, BatteryReported
from latchway.schemas.catalog.command import CommandCompleted
from latchway.schemas.catalog.credential import (
    CredentialAdded,
    CredentialChanged,
    CredentialRemoved,
)
from latchway.schemas.catalog.device import (
    DeviceClockSet,
    DeviceCoverageGap,
    DeviceFaulted,
    DeviceFirmwareChanged,
    DeviceLogGap,
    DeviceLogRestarted,
    DevicePaired,
    DeviceReachable,
    DeviceRemoved,
    DeviceUnreachable,
)
from latchway.schemas.catalog.door import DoorStateChanged
from latchway.schemas.catalog.hub import (
    HubClockStepped,
    HubClockSynchronised,
    HubOutboxFull,
    HubStarted,
    HubStopping,
)
from latchway.schemas.catalog.lane import MAX_VOID_RANGES, LaneVoided, PositionRange
from latchway.schemas.catalog.lock import LockOpenedLate, LockStateChanged
from latchway.schemas.catalog.tamper import TamperDetected
from latchway.schemas.catalog.vendor import VendorDegraded, VendorQuarantined, VendorRecovered

if TYPE_CHECKING:
    from typing import Final

CATALOG: Final[tuple[type[EventData], ...]] = (
    LockStateChanged,
    LockOpenedLate,
    DoorStateChanged,
    AccessGranted,
    AccessDenied,
    CredentialAdded,
    CredentialChanged,
    CredentialRemoved,
    BatteryReported,
    BatteryCritical,
    TamperDetected,
    DevicePaired,
    DeviceRemoved,
    DeviceReachable,
    DeviceUnreachable,
    DeviceFaulted,
    DeviceClockSet,
    DeviceLogRestarted,
    DeviceLogGap,
    DeviceCoverageGap,
    DeviceFirmwareChanged,
    HubStarted,
    HubStopping,
    HubClockSynchronised,
    HubClockStepped,
    HubOutboxFull,
    VendorDegraded,
    VendorQuarantined,
    VendorRecovered,
    LaneVoided,
    CommandCompleted,
)

__all__ = [
    "CATALOG",
    "MAX_VOID_RANGES",
    "AccessDenied",
    "AccessGranted",
    "Actor",
    "BatteryCritical",
    "BatteryReported",
    "CommandCompleted",
    "CredentialAdded",
    "CredentialChanged",
    "CredentialRemoved",
    "DeviceClockSet",
    "DeviceCoverageGap",
    "DeviceFaulted",
    "DeviceFirmwareChanged",
    "DeviceLogGap",
    "DeviceLogRestarted",
    "DevicePaired",
    "DeviceReachable",
    "DeviceRemoved",
    "DeviceUnreachable",
    "DoorStateChanged",
    "EventData",
    "HubClockStepped",
    "HubClockSynchronised",
    "HubOutboxFull",
    "HubStarted",
    "HubStopping",
    "LaneVoided",
    "LockOpenedLate",
    "LockStateChanged",
    "PositionRange",
    "TamperDetected",
    "VendorDegraded",
    "VendorQuarantined",
    "VendorRecovered",
]
