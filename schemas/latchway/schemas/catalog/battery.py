"""How much the lock's battery holds."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from latchway.schemas.catalog.base import Count, EventData
from latchway.schemas.vocabulary import Priority

Percent = Annotated[float, Field(ge=0, le=100)]


class BatteryReported(EventData):
    """The lock reported another battery level than the one last stored."""

    event_type: ClassVar[str] = "io.latchway.battery.reported.v1"
    priority: ClassVar[Priority] = Priority.TELEMETRY
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"percent": 81.5, "voltage_mv": 5700},)

    percent: Percent | None = Field(default=None, description="Charge left, in per cent.")
    voltage_mv: Count | None = Field(default=None, description="Voltage in millivolts.")
    scale_suspect: bool = Field(
        default=False, description="True if the source's figure was above 100 and was halved."
    )


class BatteryCritical(EventData):
    """The battery must be replaced now."""

    event_type: ClassVar[str] = "io.latchway.battery.critical.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"percent": 8},)

    percent: Percent | None = Field(default=None, description="Charge left, in per cent.")
