"""The health of a vendor's driver."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from latchway.schemas.catalog.base import EventData, Ordinal
from latchway.schemas.vocabulary import Priority


class VendorDegraded(EventData):
    """The vendor's driver runs, but cannot promise what it should."""

    event_type: ClassVar[str] = "io.latchway.vendor.degraded.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "gateway.supervisor"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"reason": "worker died: signal 9", "next_step": "restart in 0.8 s"},
    )

    reason: str = Field(max_length=512, description="What is wrong, in words.")
    next_step: str | None = Field(
        default=None, max_length=512, description="What happens next, or what the operator can do."
    )


class VendorQuarantined(EventData):
    """The vendor's driver died too often and is left stopped for a while."""

    event_type: ClassVar[str] = "io.latchway.vendor.quarantined.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "gateway.supervisor"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"reason": "5 restarts in 60 s", "duration_s": 600},
    )

    reason: str = Field(max_length=512, description="Why it was quarantined.")
    duration_s: Ordinal = Field(description="For how long, in seconds.")


class VendorRecovered(EventData):
    """The vendor's driver is healthy again."""

    event_type: ClassVar[str] = "io.latchway.vendor.recovered.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "gateway.supervisor"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"down_s": 3.2},)

    down_s: float | None = Field(default=None, ge=0, description="How long it was not healthy.")
