"""Who moved the bolt, or tried to, and with what."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from latchway.schemas.catalog.base import PAYLOAD, EventData
from latchway.schemas.vocabulary import (
    AccessMethod,
    AccessOperation,
    CredentialKind,
    DenialReason,
    Priority,
)

Slot = Annotated[str, Field(min_length=1, max_length=64)]


class Actor(BaseModel):
    """Who it was, as far as the lock tells: a credential slot, and our reference to a person."""

    model_config = PAYLOAD

    credential_kind: CredentialKind = Field(
        default=CredentialKind.UNKNOWN, description="What kind of credential the slot holds."
    )
    slot: Slot | None = Field(
        default=None,
        description="The lock's own slot number, per kind of credential.",
        json_schema_extra={"x-personal": True},
    )
    person: str | None = Field(
        default=None,
        max_length=64,
        description="Keyed hash of hub and person; never a name.",
        json_schema_extra={"x-personal": True},
    )


class AccessGranted(EventData):
    """The bolt was moved by somebody or something that the lock accepted."""

    event_type: ClassVar[str] = "io.latchway.access.granted.v1"
    priority: ClassVar[Priority] = Priority.ACCESS
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {
            "operation": "unlock",
            "method": "keypad",
            "actor": {"credential_kind": "code", "slot": "3"},
        },
        {"operation": "lock", "method": "auto_lock"},
    )

    operation: AccessOperation = Field(description="What was done.")
    method: AccessMethod = Field(description="With what it was done.")
    actor: Actor | None = Field(default=None, description="Who did it, if the lock tells.")
    probable_repeat: bool = Field(
        default=False, description="True if the source probably sent the same fact twice."
    )
    raw: str | None = Field(
        default=None, max_length=128, description="The source's own word where it maps to nothing."
    )


class AccessDenied(EventData):
    """Somebody tried and was not let in."""

    event_type: ClassVar[str] = "io.latchway.access.denied.v1"
    priority: ClassVar[Priority] = Priority.ACCESS
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"operation": "unlock", "method": "keypad", "reason": "wrong_credential"},
    )

    operation: AccessOperation = Field(description="What was tried.")
    method: AccessMethod = Field(description="With what it was tried.")
    reason: DenialReason = Field(description="Why the lock refused.")
    actor: Actor | None = Field(default=None, description="Who tried, if the lock tells.")
    probable_repeat: bool = Field(
        default=False, description="True if the source probably sent the same fact twice."
    )
    raw: str | None = Field(
        default=None, max_length=128, description="The source's own word where it maps to nothing."
    )
