"""Plays recordings of the real Zigbee2MQTT without their pauses: in memory, and to real brokers.

The rehearsal in memory tells what the driver asks when, so that a real one is given the time for
it: whether a repeated state is news depends on whether it answers a question.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from latchway.drivers.testing import FakeContext, VirtualClock
from latchway.drivers.zigbee2mqtt import VENDOR
from support.zigbee2mqtt import BASE, at_home
from support.zigbee2mqtt_replay import Message, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from latchway.schemas import EventDraft
    from support.whole_path import WholePath

PACING_S = 0.1
"""The least that the driver's config allows; time for two questions passes where it asks."""


@dataclass(slots=True)
class Rehearsal:
    """What the driver does in memory."""

    asked: list[int] = field(default_factory=list)
    """How many questions it has asked after each message."""
    drafts: list[EventDraft] = field(default_factory=list)


def traffic(name: str) -> Iterator[Message]:
    """All messages of a recording, commands of other clients included."""
    return (entry for entry in recorded(name, commands=True) if isinstance(entry, Message))


def listed(message: Message) -> list[dict]:
    """Return the entries of a device list, none for any other message."""
    return json.loads(message.payload) if message.topic == f"{BASE}/bridge/devices" else []


async def rehearse(name: str) -> Rehearsal:
    """Play a recording into a driver in memory."""
    context = FakeContext(VENDOR, {"pacing_s": PACING_S}, clock=VirtualClock())
    rehearsal = Rehearsal()
    async with at_home(context=context) as house:
        for message in traffic(name):
            await house.publish(
                message.topic.removeprefix(f"{BASE}/"),
                message.payload,
                qos=message.qos,
                retain=message.retain,
            )
            if message.topic in (f"{BASE}/bridge/state", f"{BASE}/bridge/devices"):
                await house.wait(2 * PACING_S)
            rehearsal.asked.append(len(house.questions))
        rehearsal.drafts = list(context.events)
    return rehearsal


class Player:
    """A client that publishes as the real bridge did, and hears what the driver asks."""

    def __init__(self, path: WholePath, name: str) -> None:
        self._path = path
        self._name = name
        self._questions = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._path.local[self._name].port)
        self._client.loop_start()
        # Commands of the recording are its own, questions are the driver's.
        self._client.subscribe(f"{BASE}/+/get", options=SubscribeOptions(qos=0, noLocal=True))
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, *_: object) -> None:
        self._questions += 1

    def play(self, rehearsal: Rehearsal) -> None:
        """Publish everything; wait where the driver subscribes or asks, as in the rehearsal.

        The real bridge does not wait, and what it says within that moment is lost.
        """
        for message, asked in zip(traffic(self._name), rehearsal.asked, strict=True):
            sent = self._client.publish(message.topic, message.payload, message.qos, message.retain)
            sent.wait_for_publish(10)
            known = [entry["friendly_name"] for entry in listed(message) if entry.get("definition")]
            self._path.wait_subscribed(self._name, *known)
            self._wait_asked(asked)

    def _wait_asked(self, count: int, timeout_s: float = 20.0) -> None:
        deadline = time.monotonic() + timeout_s
        while self._questions < count:
            assert time.monotonic() < deadline, (
                f"{self._name}: {self._questions} questions instead of {count}"
            )
            time.sleep(0.005)
