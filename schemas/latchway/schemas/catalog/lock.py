"""Facts about the bolt."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from latchway.schemas.catalog.base import ConfirmingSource, EventData, Instant
from latchway.schemas.vocabulary import LockState, Priority


class LockStateChanged(EventData):
    """The lock confirmed another bolt state than the one last stored."""

    event_type: ClassVar[str] = "io.latchway.lock.state_changed.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"state": "unlocked", "previous": "locked", "source": "reported"},
        {"state": "jammed", "previous": "locking", "source": "read", "deadbolt_from_inside": False},
    )

    state: LockState = Field(description="The bolt state that the lock confirmed.")
    previous: LockState = Field(description="The state stored before; `unknown` at first sight.")
    source: ConfirmingSource = Field(
        description="`reported` unasked, or `read` as an answer to our question."
    )
    deadbolt_from_inside: bool | None = Field(
        default=None, description="True if the bolt was set so that it opens from inside only."
    )


class LockOpenedLate(EventData):
    """The lock opened after its command's deadline, while the command was still watched."""

    event_type: ClassVar[str] = "io.latchway.lock.opened_late.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "gateway.commands"
    experimental: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"command": "0192f0c1-7c1e-7a44-9d0b-1c5a6f0e2b11", "deadline": "2026-03-01T08:00:10Z"},
    )

    command: str = Field(
        max_length=64, description="Id of the command that may have opened the lock."
    )
    deadline: Instant = Field(description="When the command's permit ended.")
