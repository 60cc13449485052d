"""What every event type of the catalog states about itself, once, as class variables."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from latchway.schemas.vocabulary import Priority


class EventData(BaseModel):
    """The `data` of one event type and major version.

    A subclass is the whole definition: its type name, full version, priority, owner, history and
    examples are class variables; its fields are the payload. Unknown fields are refused, so that
    a driver cannot smuggle what no schema describes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    event_type: ClassVar[str]
    """CloudEvents `type`: `io.latchway.<family>.<fact>.v<major>`."""
    version: ClassVar[str] = "1.0"
    """Full version, `<major>.<minor>`; a minor adds optional fields only."""
    priority: ClassVar[Priority]
    owner: ClassVar[str]
    """Which part of Latchway answers for this type."""
    experimental: ClassVar[bool] = False
    """True while no driver emits it: its schema may still change."""
    history: ClassVar[tuple[str, ...]] = ("1.0: first version",)
    examples: ClassVar[tuple[dict[str, object], ...]]
