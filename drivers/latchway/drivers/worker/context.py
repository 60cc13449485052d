"""The driver's context in a worker: submits over the wire, remembers what it submitted."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from latchway.drivers.contract import DeliveryClass, StoredBatch, VendorName
from latchway.drivers.states import encode_json, encode_state
from latchway.drivers.transport.mqtt import MqttClient
from latchway.drivers.wire import Batch, Reject
from latchway.schemas import DeviceId, encode_draft

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from pydantic import BaseModel, JsonValue

    from latchway.drivers.contract import BrokerDelivery, Clock, DeviceState
    from latchway.drivers.transport.mqtt import MqttSettings
    from latchway.drivers.wire import Frame
    from latchway.drivers.worker.submissions import PendingReceipt, Submissions
    from latchway.schemas import EventDraft

_REJECT_LIMIT = 64 * 1024
"""Bytes of an undecodable input that are kept."""


class SystemClock:
    """The machine's clocks, as the contract's `Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the gateway gave this worker to start with."""

    vendor: VendorName
    config: BaseModel
    states: Mapping[DeviceId, DeviceState]
    cursors: Mapping[str, JsonValue]


@dataclass(slots=True)
class Standing:
    """What the driver says about itself, for the heartbeat."""

    delivery_class: DeliveryClass
    class_reason: str = ""
    degraded: tuple[str, ...] = ()


class WorkerContext:
    """Implements `DriverContext` over a connection to the gateway."""

    def __init__(
        self,
        assignment: Assignment,
        submissions: Submissions,
        standing: Standing,
        log: logging.Logger,
        changed: Callable[[], None],
    ) -> None:
        self._assignment = assignment
        self._submissions = submissions
        self._standing = standing
        self._changed = changed
        self._states = dict(assignment.states)
        self._cursors = dict(assignment.cursors)
        self._clients: set[MqttClient] = set()
        self._counted: dict[str, int] = {}
        self._events = 0
        self._clock = SystemClock()
        self._log = log

    @property
    def vendor(self) -> VendorName:
        return self._assignment.vendor

    @property
    def config(self) -> BaseModel:
        return self._assignment.config

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def log(self) -> logging.Logger:
        return self._log

    def state(self, device: DeviceId) -> DeviceState | None:
        return self._states.get(device)

    def devices(self) -> Mapping[DeviceId, DeviceState]:
        return MappingProxyType(self._states)

    def cursor(self, name: str = "") -> JsonValue:
        return self._cursors.get(name)

    async def emit(
        self,
        *events: EventDraft,
        cursor: Mapping[str, JsonValue] | None = None,
        state: Mapping[DeviceId, DeviceState | None] | None = None,
        delivery: BrokerDelivery | None = None,
    ) -> StoredBatch:
        return await (await self.submit(*events, cursor=cursor, state=state, delivery=delivery))

    async def submit(
        self,
        *events: EventDraft,
        cursor: Mapping[str, JsonValue] | None = None,
        state: Mapping[DeviceId, DeviceState | None] | None = None,
        delivery: BrokerDelivery | None = None,
    ) -> PendingReceipt:
        cursors, states = cursor or {}, state or {}
        drafts = tuple([encode_draft(event) for event in events])
        raw_cursors = {name: encode_json(value) for name, value in cursors.items()}
        raw_states = {
            str(device): None if new is None else encode_state(new)
            for device, new in states.items()
        }

        def build(number: int) -> Frame:
            return Batch(number, drafts, raw_cursors, raw_states, delivery).to_frame()

        def sent() -> None:
            self._events += len(drafts)
            self._cursors.update(cursors)
            self._remember(states)

        return await self._submissions.submit(build, sent)

    def _remember(self, states: Mapping[DeviceId, DeviceState | None]) -> None:
        for device, new in states.items():
            if new is None:
                self._states.pop(device, None)
            else:
                self._states[device] = new

    async def reject(
        self,
        raw: bytes,
        reason: str,
        *,
        topic: str | None = None,
        device: DeviceId | None = None,
        delivery: BrokerDelivery | None = None,
    ) -> PendingReceipt:
        if len(raw) > _REJECT_LIMIT:
            reason = f"{reason} (the first {_REJECT_LIMIT} of {len(raw)} bytes are kept)"
            raw = raw[:_REJECT_LIMIT]
        return await self._submissions.submit(
            lambda number: Reject(number, raw, reason, topic, device, delivery).to_frame()
        )

    async def forget_deliveries(self) -> None:
        receipt = await self._submissions.submit(
            lambda number: Batch(number, forget_deliveries=True).to_frame()
        )
        await receipt

    def report_delivery_class(self, delivery_class: DeliveryClass, reason: str) -> None:
        self._standing.delivery_class = delivery_class
        self._standing.class_reason = reason
        self._changed()

    def report_degraded(self, reasons: Sequence[str]) -> None:
        self._standing.degraded = tuple(reasons)
        self._changed()

    @asynccontextmanager
    async def mqtt(self, settings: MqttSettings) -> AsyncIterator[MqttClient]:
        client = MqttClient(settings)
        async with client:
            self._clients.add(client)
            try:
                yield client
            finally:
                self._clients.discard(client)
                _add(self._counted, client)

    def counters(self) -> dict[str, int]:
        """Count what this worker did since it began, for the heartbeat."""
        counted = dict(self._counted)
        for client in self._clients:
            _add(counted, client)
        return {"events": self._events, "batches": self._submissions.number, **counted}


def _add(counted: dict[str, int], client: MqttClient) -> None:
    for each in fields(client.counters):
        name = f"mqtt_{each.name}"
        counted[name] = counted.get(name, 0) + getattr(client.counters, each.name)
