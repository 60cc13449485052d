"""The CloudEvents attributes that an event gets when it is stored, and keeps for ever."""

from __future__ import annotations

from datetime import UTC
from functools import cache
from typing import TYPE_CHECKING, Final

from latchway.schemas.registry import dataschema
from latchway.schemas.vocabulary import ClockQuality

if TYPE_CHECKING:
    from datetime import datetime

    from latchway.schemas.draft import EventDraft

SPEC_VERSION: Final = "1.0"
JSON_CONTENT: Final = "application/json"
HUB_VENDOR: Final = "hub"
"""The vendor under which the gateway states facts about itself."""

_dataschema = cache(dataschema)


def source_of(hub: str, vendor: str, device: str | None) -> str:
    """Name who states a fact: a device, a vendor's driver, or the hub itself."""
    if device is not None:
        return f"/hubs/{hub}/{vendor}/{device}"
    return f"/hubs/{hub}" if vendor == HUB_VENDOR else f"/hubs/{hub}/{vendor}"


def instant_text(instant: datetime) -> str:
    """Write a timezone-aware time as RFC 3339 in UTC with milliseconds."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def base_attributes(  # noqa: PLR0913 - each is one fact that only the caller knows
    draft: EventDraft,
    *,
    id: str,  # noqa: A002 - the CloudEvents attribute's own name
    hub: str,
    vendor: str,
    stored_at: datetime,
    clock: ClockQuality,
    boot_id: str,
    boot_ms: int,
) -> dict[str, str]:
    """Build every attribute that is fixed at storing; `sequence`, `lane`, `lanepos` come later.

    `clock` is the hub's; a draft whose time comes from the lock's clock says `lock` instead.
    """
    definition = type(draft.data)
    recorded = instant_text(stored_at)
    own_time = draft.time is not None
    attributes = {
        "specversion": SPEC_VERSION,
        "id": id,
        "source": source_of(hub, vendor, draft.device),
        "type": definition.event_type,
        "time": instant_text(draft.time) if draft.time is not None else recorded,
        "datacontenttype": JSON_CONTENT,
        "dataschema": _dataschema(definition),
        "clock": str(ClockQuality.LOCK if own_time and draft.lock_clock else clock),
        "bootid": boot_id,
        "bootms": str(boot_ms),
        "recordedtime": recorded,
        "partitionkey": draft.device or (hub if vendor == HUB_VENDOR else vendor),
        "priority": str(definition.priority),
    }
    if draft.correlation_id is not None:
        attributes["correlationid"] = draft.correlation_id
    if draft.causation_id is not None:
        attributes["causationid"] = draft.causation_id
    return attributes
