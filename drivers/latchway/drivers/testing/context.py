"""A `DriverContext` in memory: keeps what a driver submits, and stores it when the test says so."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from latchway.drivers.contract import StoredBatch, VendorName
from latchway.drivers.errors import BatchTooLarge, GatewayLost
from latchway.drivers.states import decode_state, encode_json, encode_state
from latchway.drivers.testing.broker import FakeBroker, FakeMqttClient
from latchway.drivers.testing.clock import VirtualClock
from latchway.drivers.wire import MAXIMUM_DRAFTS, MAXIMUM_FRAME
from latchway.drivers.worker.submissions import PendingReceipt
from latchway.schemas import encode_draft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel, JsonValue

    from latchway.drivers.contract import BrokerDelivery, DeliveryClass, DeviceState, Vendor
    from latchway.drivers.transport.mqtt import MqttClient, MqttSettings
    from latchway.schemas import DeviceId, EventDraft


@dataclass(frozen=True, slots=True)
class SubmittedBatch:
    """What one `submit` or `emit` asked to be stored."""

    events: tuple[EventDraft, ...] = ()
    cursor: Mapping[str, JsonValue] = field(default_factory=dict)
    state: Mapping[DeviceId, DeviceState | None] = field(default_factory=dict)
    delivery: BrokerDelivery | None = None
    forget_deliveries: bool = False


@dataclass(frozen=True, slots=True)
class RejectedInput:
    """What one `reject` asked to be kept."""

    raw: bytes
    reason: str
    topic: str | None = None
    device: DeviceId | None = None
    delivery: BrokerDelivery | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    receipt: PendingReceipt
    stored: StoredBatch
    delivery: BrokerDelivery | None


class _Records(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines
        self.setFormatter(logging.Formatter("%(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


class FakeContext:
    """Implements `DriverContext`. Give it to a driver and look at what it did.

    With `store_at_once` (the default) everything is stored as soon as it is submitted; without,
    receipts wait for `store()`. Stored states and cursors make the context of a next start:
    `context.restarted()`.
    """

    def __init__(
        self,
        vendor: Vendor,
        settings: Mapping[str, object] | None = None,
        *,
        broker: FakeBroker | None = None,
        clock: VirtualClock | None = None,
        store_at_once: bool = True,
    ) -> None:
        self._vendor = vendor
        self._settings = dict(settings or {})
        self._config = vendor.manifest.config.model_validate(self._settings)
        self._receipts: deque[_Waiting] = deque()
        self._states: dict[DeviceId, DeviceState] = {}
        self._cursors: dict[str, JsonValue] = {}
        self._deliveries: dict[int, bytes] = {}
        self._number = 0
        self._lost: GatewayLost | None = None
        self.broker = broker or FakeBroker()
        self.clock = clock or VirtualClock()
        self.store_at_once = store_at_once
        self.batches: list[SubmittedBatch] = []
        """Every batch submitted, in order, redeliveries of stored ones included."""
        self.events: list[EventDraft] = []
        """Every event submitted but those of redelivered batches, in order."""
        self.rejects: list[RejectedInput] = []
        self.delivery_class: DeliveryClass = vendor.manifest.delivery_class
        self.class_reason = ""
        self.degraded: tuple[str, ...] = ()
        self.log_lines: list[str] = []
        # A logger of its own: loggers of the registry would collect handlers over many tests.
        self.log = logging.Logger(vendor.manifest.name, logging.DEBUG)  # noqa: LOG001
        self.log.addHandler(_Records(self.log_lines))

    @property
    def vendor(self) -> VendorName:
        return self._vendor.manifest.name

    @property
    def config(self) -> BaseModel:
        return self._config

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
        batch = SubmittedBatch(events, cursor or {}, state or {}, delivery)
        if len(events) > MAXIMUM_DRAFTS or encoded_size(batch) > MAXIMUM_FRAME:
            raise BatchTooLarge(
                f"A batch above {MAXIMUM_DRAFTS} events or {MAXIMUM_FRAME} bytes: "
                "submit smaller ones"
            )
        duplicate = self._is_redelivery(delivery)
        self.batches.append(batch)
        if not duplicate:
            self.events.extend(events)
        self._cursors.update(batch.cursor)
        for device, new in batch.state.items():
            if new is None:
                self._states.pop(device, None)
            else:
                self._states[device] = decode_state(encode_state(new))
        return self._receipt(StoredBatch(duplicate=duplicate), delivery)

    async def reject(
        self,
        raw: bytes,
        reason: str,
        *,
        topic: str | None = None,
        device: DeviceId | None = None,
        delivery: BrokerDelivery | None = None,
    ) -> PendingReceipt:
        duplicate = self._is_redelivery(delivery)
        if not duplicate:
            self.rejects.append(RejectedInput(raw, reason, topic, device, delivery))
        return self._receipt(StoredBatch(duplicate=duplicate), delivery)

    async def forget_deliveries(self) -> None:
        self._deliveries.clear()
        self.batches.append(SubmittedBatch(forget_deliveries=True))
        await self._receipt(StoredBatch())

    def report_delivery_class(self, delivery_class: DeliveryClass, reason: str) -> None:
        self.delivery_class = delivery_class
        self.class_reason = reason

    def report_degraded(self, reasons: Sequence[str]) -> None:
        self.degraded = tuple(reasons)

    def mqtt(self, settings: MqttSettings) -> AbstractAsyncContextManager[MqttClient]:
        client = FakeMqttClient(self.broker, settings)
        return cast("AbstractAsyncContextManager[MqttClient]", client)

    # For the test

    @property
    def waiting(self) -> int:
        """Batches and rejects that are submitted but not stored."""
        return len(self._receipts)

    def store(self, count: int | None = None) -> None:
        """Resolve the oldest receipts, all of them unless told how many."""
        for _ in range(len(self._receipts) if count is None else count):
            waiting = self._receipts.popleft()
            waiting.receipt.resolve(waiting.stored)

    def waiting_deliveries(self) -> set[int]:
        """Return the packet ids of broker messages that are submitted but not stored."""
        return {each.delivery.packet_id for each in self._receipts if each.delivery is not None}

    def lose_gateway(self) -> None:
        """End as a worker does whose gateway died: nobody can tell what is stored."""
        self._lost = GatewayLost("The gateway of this test is gone")
        while self._receipts:
            self._receipts.popleft().receipt.resolve(self._lost)

    def restarted(self) -> FakeContext:
        """Return the context of the worker's next start: same broker, clock and stored state."""
        again = FakeContext(
            self._vendor,
            self._settings,
            broker=self.broker,
            clock=self.clock,
            store_at_once=self.store_at_once,
        )
        again._states = dict(self._states)
        again._cursors = dict(self._cursors)
        again._deliveries = dict(self._deliveries)
        return again

    def _receipt(
        self, stored: StoredBatch, delivery: BrokerDelivery | None = None
    ) -> PendingReceipt:
        if self._lost is not None:
            raise self._lost
        self._number += 1
        receipt = PendingReceipt(self._number)
        self._receipts.append(_Waiting(receipt, stored, delivery))
        if self.store_at_once:
            self.store()
        return receipt

    def _is_redelivery(self, delivery: BrokerDelivery | None) -> bool:
        if delivery is None:
            return False
        if delivery.duplicate and self._deliveries.get(delivery.packet_id) == delivery.digest:
            return True
        self._deliveries[delivery.packet_id] = delivery.digest
        return False


def encoded_size(batch: SubmittedBatch) -> int:
    """Count the bytes that a batch has on the wire; raises what encoding it raises."""
    drafts = sum(len(encode_draft(event)) for event in batch.events)
    cursors = sum(len(encode_json(value)) for value in batch.cursor.values())
    states = sum(len(encode_state(each)) for each in batch.state.values() if each is not None)
    return drafts + cursors + states
