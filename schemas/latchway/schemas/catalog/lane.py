"""Positions of a lane that will never arrive, and why: the other half of the completeness proof."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from latchway.schemas.catalog.base import EventData
from latchway.schemas.vocabulary import Priority, VoidReason

PositionRange = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class LaneVoided(EventData):
    """These positions of this lane will not arrive."""

    event_type: ClassVar[str] = "io.latchway.lane.voided.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "gateway.delivery"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"lane": "zigbee2mqtt/cloud/main", "epoch": 1, "positions": [[17, 17]], "reason": "parked"},
    )

    lane: str = Field(max_length=200, description="The lane whose positions are void.")
    epoch: int = Field(ge=1, description="The epoch that the positions belong to.")
    positions: tuple[PositionRange, ...] = Field(
        min_length=1, description="Void positions as inclusive ranges."
    )
    reason: VoidReason = Field(description="Why they will not arrive.")
    detail: str | None = Field(default=None, max_length=512, description="The sink's own words.")
