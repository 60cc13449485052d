"""Somebody works on the lock or the door in a way that nobody should."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from latchway.schemas.catalog.base import EventData, Ordinal
from latchway.schemas.vocabulary import Priority, TamperKind


class TamperDetected(EventData):
    """The lock reports tampering, or the driver concludes it from what it saw."""

    event_type: ClassVar[str] = "io.latchway.tamper.detected.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"kind": "forced"},
        {"kind": "wrong_code_lockout", "suspected": True, "attempts": 5},
    )

    kind: TamperKind = Field(description="What kind of tampering.")
    suspected: bool = Field(
        default=False, description="True if concluded by the driver, not reported by the lock."
    )
    attempts: Ordinal | None = Field(default=None, description="Failed attempts counted.")
    raw: str | None = Field(
        default=None, max_length=128, description="The source's own word where it maps to nothing."
    )
