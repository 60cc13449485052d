"""Positions of a lane that will never arrive, and why: the other half of the completeness proof."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field

from latchway.schemas.catalog.base import EventData, Ordinal
from latchway.schemas.vocabulary import Priority, VoidReason

PositionRange = tuple[Ordinal, Ordinal]
"""First and last position, both included."""

MAX_VOID_RANGES: Final = 1024
"""How many ranges one event may name, so that it always fits an envelope of 64 KiB."""


class LaneVoided(EventData):
    """These positions of this lane will not arrive."""

    event_type: ClassVar[str] = "io.latchway.lane.voided.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "gateway.delivery"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"lane": "zigbee2mqtt/cloud/main", "epoch": 1, "positions": [[17, 17]], "reason": "parked"},
    )

    lane: str = Field(max_length=200, description="The lane whose positions are void.")
    epoch: Ordinal = Field(description="The epoch that the positions belong to.")
    positions: tuple[PositionRange, ...] = Field(
        min_length=1, max_length=MAX_VOID_RANGES, description="Void positions as inclusive ranges."
    )
    reason: VoidReason = Field(description="Why they will not arrive.")
    detail: str | None = Field(default=None, max_length=512, description="The sink's own words.")
