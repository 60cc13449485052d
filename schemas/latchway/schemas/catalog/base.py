"""What every event type of the catalog states about itself, once, as class variables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from latchway.schemas.vocabulary import Priority, Source

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259, section 6)."""

Integer = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Ordinal = Annotated[int, Field(ge=1, le=MAX_INTEGER)]

Instant = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9999, 12, 31, tzinfo=UTC)),
]
"""A timezone-aware time, within what survives the way to UTC and back."""


def _confirming(source: Source) -> Source:
    if not source.confirms:
        raise ValueError(f"`{source}` confirms no state: only `reported` and `read` do")
    return source


ConfirmingSource = Annotated[
    Source,
    AfterValidator(_confirming),
    Field(json_schema_extra={"enum": [str(source) for source in Source if source.confirms]}),
]
"""Where a confirmed state comes from: what is cached or wished for is no fact."""

PAYLOAD: Final = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
"""Unknown fields are refused, so that a driver cannot smuggle what no schema describes."""


class EventData(BaseModel):
    """The `data` of one event type and major version.

    A subclass is the whole definition: its type name, full version, priority, owner, history and
    examples are class variables; its fields are the payload.
    """

    model_config = PAYLOAD

    event_type: ClassVar[str]
    """CloudEvents `type`: `io.latchway.<family>.<fact>.v<major>`."""
    schema_version: ClassVar[str] = "1.0"
    """Full version, `<major>.<minor>`; a minor adds optional fields only."""
    priority: ClassVar[Priority]
    owner: ClassVar[str]
    """Which part of Latchway answers for this type."""
    experimental: ClassVar[bool] = False
    """True while no driver emits it: its schema may still change."""
    history: ClassVar[tuple[str, ...]] = ("1.0: first version",)
    examples: ClassVar[tuple[dict[str, object], ...]]
