"""The life of the hub itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from latchway.schemas.catalog.base import Count, EventData, Integer, Ordinal
from latchway.schemas.vocabulary import Priority


class HubStarted(EventData):
    """The gateway is up: outbox open, lanes running."""

    event_type: ClassVar[str] = "io.latchway.hub.started.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "gateway"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"version": "0.1.0", "epoch": 1, "clean": True, "waiting": 0},
    )

    version: str = Field(max_length=64, description="Latchway's version.")
    epoch: Ordinal = Field(description="The epoch that sequence numbers carry now.")
    clean: bool = Field(description="True if the last run ended by itself; False after a crash.")
    waiting: Count = Field(description="Deliveries that were waiting at the start.")


class HubStopping(EventData):
    """The gateway was asked to stop."""

    event_type: ClassVar[str] = "io.latchway.hub.stopping.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "gateway"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"reason": "SIGTERM"},)

    reason: str = Field(max_length=128, description="Why it stops.")


class HubClockSynchronised(EventData):
    """The hub's clock became synchronised after events were stored without it."""

    event_type: ClassVar[str] = "io.latchway.hub.clock_synchronised.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "gateway"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"bootid": "5f0c2c5e-2b1f-4f52-8a8e-0e0f6f7a9d11", "offset_ms": 1767225600000},
    )

    bootid: str = Field(max_length=64, description="The boot to whose `bootms` the offset applies.")
    offset_ms: Integer = Field(description="Wall time in ms since 1970 minus `bootms`.")


class HubClockStepped(EventData):
    """The hub's wall clock jumped against its monotonic clock."""

    event_type: ClassVar[str] = "io.latchway.hub.clock_stepped.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "gateway"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"step_ms": -3600000},)

    step_ms: Integer = Field(description="By how much it jumped, in milliseconds.")


class HubOutboxFull(EventData):
    """The outbox reached a step of the order that holds when it is full."""

    event_type: ClassVar[str] = "io.latchway.hub.outbox_full.v1"
    priority: ClassVar[Priority] = Priority.CRITICAL
    owner: ClassVar[str] = "outbox"
    experimental: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"step": "telemetry_compacted", "used_bytes": 268435456},
    )

    step: str = Field(max_length=64, description="Which step of the overflow order began.")
    used_bytes: Count = Field(description="Size of the outbox file.")
