"""What a driver submits: an event before the gateway gives it identity, order and route.

On the wire a draft is one JSON object (see `codec`). The gateway alone validates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NewType

if TYPE_CHECKING:
    from datetime import datetime

    from latchway.schemas.catalog.base import EventData

DeviceId = NewType("DeviceId", str)
"""A lock's hardware id (IEEE address, Nuki id), never its friendly name; it matches
`DEVICE_ID_PATTERN`."""

DEVICE_ID_PATTERN: Final = r"^[A-Za-z0-9._:-]{1,128}$"


@dataclass(frozen=True, slots=True)
class LogKey:
    """Where an event stands in the lock's own log; the same entry read twice is the same event.

    `part` numbers the events made of one entry. The event's id is
    UUIDv5(hub, vendor, device, log epoch, index, part).
    """

    epoch: int
    index: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class EventDraft:
    """One fact as a driver states it.

    `device` is None for facts about the whole vendor. `time` is when it happened, timezone-aware;
    None means "when it is stored". `lock_clock` says that `time` comes from the lock's own clock.
    """

    data: EventData
    device: DeviceId | None = None
    time: datetime | None = None
    lock_clock: bool = False
    log_key: LogKey | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
