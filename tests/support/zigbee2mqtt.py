"""Runs the Zigbee2MQTT driver in memory and tells in short lines what it made of the traffic."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import asynccontextmanager
from functools import singledispatch
from typing import TYPE_CHECKING

from latchway.drivers.testing import FakeBroker, FakeContext, VirtualClock, settle
from latchway.drivers.zigbee2mqtt import VENDOR
from latchway.drivers.zigbee2mqtt.simulator import (
    DOOR_LOCK,
    KEYPAD_DEADBOLT,
    SLEEPY_DEADBOLT,
    Model,
    VirtualLock,
)
from latchway.schemas import (
    AccessDenied,
    AccessGranted,
    BatteryCritical,
    BatteryReported,
    DeviceCoverageGap,
    DeviceFaulted,
    DeviceFirmwareChanged,
    DeviceRemoved,
    DeviceUnreachable,
    DoorStateChanged,
    EventData,
    LockStateChanged,
    TamperDetected,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from latchway.schemas import EventDraft

BASE = "zigbee2mqtt"
LAST_USER_LOCK = Model(
    "easyCodeTouch_v1",
    "Onesti Products AS",
    "Digital door lock",
    (
        *KEYPAD_DEADBOLT.exposes[:1],
        {"type": "enum", "name": "last_unlock_source", "property": "last_unlock_source"},
    ),
)
MODELS = {
    model.model: model for model in (KEYPAD_DEADBOLT, SLEEPY_DEADBOLT, DOOR_LOCK, LAST_USER_LOCK)
}


def address(number: int) -> str:
    return f"0x00158d{number:010x}"


def lock(name: str = "front", number: int = 1, model: Model = KEYPAD_DEADBOLT) -> VirtualLock:
    return VirtualLock(address(number), name, model)


def odd_model(model: str, vendor: str = "Maker", *exposes: dict) -> Model:
    """A model without an expose of type `lock`."""
    return Model(model, vendor, "odd", exposes or ({"type": "text", "name": "x", "property": "x"},))


class House:
    """A driver at work, its context, and what it has said since one last looked."""

    def __init__(self, context: FakeContext, task: asyncio.Task[None]) -> None:
        self.context = context
        self.task = task
        self._seen = len(context.events)

    async def publish(
        self, tail: str, value: object, *, qos: int = 0, retain: bool = False
    ) -> None:
        payload = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.context.broker.publish(f"{BASE}/{tail}", payload, qos=qos, retain=retain)
        await settle()

    async def say(self, name: str = "front", *, qos: int = 1, **fields: object) -> None:
        """Let a lock say something: a frame of its own, so with link quality."""
        await self.publish(name, {"linkquality": 120, **fields}, qos=qos)

    async def bridge(self, *, online: bool) -> None:
        await self.publish("bridge/state", {"state": "online" if online else "offline"}, qos=1)

    async def list(self, *locks: VirtualLock, **changes: object) -> None:
        await self.publish("bridge/devices", device_list(*locks, **changes), retain=True)

    async def wait(self, seconds: float) -> None:
        await self.context.clock.advance(seconds)

    def heard(self) -> list[str]:
        """Lines of the events since the last look."""
        events = self.context.events[self._seen :]
        self._seen = len(self.context.events)
        return [line(event) for event in events]

    def attribute(self, name: str, number: int = 1) -> tuple[object, str] | None:
        state = self.context.state(address(number))
        found = None if state is None else state.attributes.get(name)
        return None if found is None else (found.value, str(found.source))

    @property
    def questions(self) -> list[str]:
        """The locks that were asked for their state, in order."""
        topics = [published.topic for published in self.context.broker.published]
        return [topic.split("/")[-2] for topic in topics if topic.endswith("/get")]


def device_list(*locks: VirtualLock, **changes: object) -> list[object]:
    coordinator = {"ieee_address": address(0), "friendly_name": "C", "type": "Coordinator"}
    return [coordinator, *({**each.listing(), **changes} for each in locks)]


@asynccontextmanager
async def at_home(
    *locks: VirtualLock,
    settings: dict | None = None,
    options: dict | None = None,
    context: FakeContext | None = None,
) -> AsyncIterator[House]:
    """A driver that knows these locks; the lines about their pairing are read already."""
    context = context or FakeContext(VENDOR, settings, broker=FakeBroker(), clock=VirtualClock())
    task = asyncio.create_task(VENDOR.driver().run(context))
    house = House(context, task)
    try:
        await settle()
        if locks:
            await house.publish("bridge/state", {"state": "online"}, qos=1, retain=True)
            if options is not None:
                await house.publish("bridge/info", {"config": options}, retain=True)
            await house.list(*locks)
            house.heard()
        yield house
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def line(draft: EventDraft) -> str:
    """One event in a few words, without its device."""
    return " ".join(str(word) for word in _words(draft.data))


@singledispatch
def _words(data: EventData) -> Iterable[object]:
    family, fact = data.event_type.split(".")[2:4]
    kind, slot = getattr(data, "credential_kind", None), getattr(data, "slot", None)
    return [family, fact, *([] if kind is None else [kind, slot or "?", "by", data.method])]


@_words.register
def _(data: AccessGranted) -> Iterable[object]:
    return [data.operation, "by", data.method, *_actor(data), *_marks(data)]


@_words.register
def _(data: AccessDenied) -> Iterable[object]:
    words = [data.operation, "by", data.method, "denied:", data.reason]
    return [*words, *_actor(data), *_marks(data)]


@_words.register
def _(data: LockStateChanged) -> Iterable[object]:
    return ["bolt", data.state, data.source, *(["deadbolt"] if data.deadbolt_from_inside else [])]


@_words.register
def _(data: DoorStateChanged) -> Iterable[object]:
    return ["door", data.state]


@_words.register
def _(data: BatteryReported) -> Iterable[object]:
    return ["battery", f"{data.percent:g}", *(["halved"] if data.scale_suspect else [])]


@_words.register
def _(data: BatteryCritical) -> Iterable[object]:
    return ["battery critical"]


@_words.register
def _(data: TamperDetected) -> Iterable[object]:
    words = ["tamper", data.kind, *(["suspected"] if data.suspected else [])]
    return words if data.attempts is None else [*words, data.attempts]


@_words.register
def _(data: DeviceFaulted) -> Iterable[object]:
    return ["fault:", data.fault]


@_words.register
def _(data: DeviceUnreachable) -> Iterable[object]:
    return ["unreachable:", data.reason]


@_words.register
def _(data: DeviceRemoved) -> Iterable[object]:
    return ["removed", *(["by itself"] if data.by_lock else [])]


@_words.register
def _(data: DeviceCoverageGap) -> Iterable[object]:
    return ["gap", data.reason]


@_words.register
def _(data: DeviceFirmwareChanged) -> Iterable[object]:
    return ["firmware", data.previous, "->", data.firmware]


def _actor(data: AccessGranted | AccessDenied) -> Iterable[str]:
    return () if data.actor is None else (data.actor.credential_kind, data.actor.slot or "?")


def _marks(data: AccessGranted | AccessDenied) -> Iterable[str]:
    if data.probable_repeat:
        yield "(repeat)"
    if data.raw is not None:
        yield f"'{data.raw}'"
