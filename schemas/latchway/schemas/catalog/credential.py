"""Changes of the credentials that a lock holds. Never the code itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from latchway.schemas.catalog.access import Slot
from latchway.schemas.catalog.base import EventData
from latchway.schemas.vocabulary import AccessMethod, CredentialKind, Priority


class _CredentialFact(EventData):
    priority: ClassVar[Priority] = Priority.ACCESS
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"credential_kind": "code", "slot": "4", "method": "keypad"},
    )

    credential_kind: CredentialKind = Field(description="What kind of credential it is.")
    slot: Slot | None = Field(
        default=None,
        description="The lock's own slot number, per kind; absent if the lock does not tell.",
        json_schema_extra={"x-personal": True},
    )
    method: AccessMethod = Field(
        default=AccessMethod.UNKNOWN, description="Where the change was made."
    )


class CredentialAdded(_CredentialFact):
    """A credential was stored in the lock."""

    event_type: ClassVar[str] = "io.latchway.credential.added.v1"


class CredentialChanged(_CredentialFact):
    """A credential in the lock was replaced."""

    event_type: ClassVar[str] = "io.latchway.credential.changed.v1"


class CredentialRemoved(_CredentialFact):
    """A credential was deleted from the lock."""

    event_type: ClassVar[str] = "io.latchway.credential.removed.v1"
