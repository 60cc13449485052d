"""The receipt that ends every command."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from latchway.schemas.catalog.base import Count, EventData
from latchway.schemas.vocabulary import Priority


class CommandCompleted(EventData):
    """A command came to its end; the receipt tells when each step happened."""

    event_type: ClassVar[str] = "io.latchway.command.completed.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "gateway.commands"
    experimental: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"command": "c-81", "verb": "lock", "outcome": "succeeded", "confirmed_ms": 640},
    )

    command: str = Field(max_length=64, description="Id of the command.")
    verb: Literal["lock", "unlock", "unlatch", "identify", "refresh"] = Field(
        description="What was asked for."
    )
    outcome: Literal["succeeded", "failed", "refused", "unknown"] = Field(
        description="How it ended; `unknown` means that the lock may have moved."
    )
    reason: str | None = Field(default=None, max_length=512, description="Why, in words.")
    accepted_ms: Count | None = Field(default=None, description="From receipt to acceptance.")
    permit_ms: Count | None = Field(default=None, description="From receipt to the permit.")
    written_ms: Count | None = Field(default=None, description="From receipt to the write.")
    confirmed_ms: Count | None = Field(default=None, description="From receipt to the lock's word.")
