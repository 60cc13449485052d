"""Plays recordings of the real Zigbee2MQTT, and says which locks were behind it.

The locks of most recordings had joined before: their entry is put into the first device list.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.shared import shared_path
from support.zigbee2mqtt import (
    BASE,
    DOOR_LOCK,
    KEYPAD_DEADBOLT,
    LAST_USER_LOCK,
    SLEEPY_DEADBOLT,
    lock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from latchway.drivers.zigbee2mqtt.simulator import VirtualLock

_DOOR = (lock("door", 1, KEYPAD_DEADBOLT),)
_SLEEPY_DOOR = (lock("door", 1, SLEEPY_DEADBOLT),)
_ONE_AND_TWO = (lock("one", 1, SLEEPY_DEADBOLT), lock("two", 2, KEYPAD_DEADBOLT))
LOCKS: dict[str, tuple[VirtualLock, ...]] = {
    "availability": (lock("battery_lock", 1), lock("mains_lock", 2)),
    "broker_restart": _DOOR,
    "codes_schlage": _DOOR,
    "commands_yale": _SLEEPY_DOOR,
    "coordinator_down": _SLEEPY_DOOR,
    "failures_schlage": _DOOR,
    "homeassistant_on": _SLEEPY_DOOR,
    "join": (),
    "keypad": (lock("front", 1, KEYPAD_DEADBOLT), lock("back", 2, DOOR_LOCK)),
    "keypad_easyaccess": (lock("e", 1, LAST_USER_LOCK),),
    "last_seen": _SLEEPY_DOOR,
    "late_command": _SLEEPY_DOOR,
    "options": _DOOR,
    "output_attribute": _SLEEPY_DOOR,
    "remove": _ONE_AND_TWO,
    "rename": _ONE_AND_TWO,
    "restart": (lock("plain", 1, SLEEPY_DEADBOLT), lock("kept", 2, KEYPAD_DEADBOLT)),
    "retained_command": _SLEEPY_DOOR,
    "startup_two_locks": (),
    "unknown_model": (),
}
_TRUTH = re.compile(r"truth: (\S+) lockState=(\d)")


@dataclass(frozen=True, slots=True)
class Message:
    """One recorded message of the bridge."""

    at: float
    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """What a lock itself knew at this moment: bolt 1 locked, 2 unlocked, 0 between."""

    at: float
    name: str
    bolt: int


def recorded(name: str, *, commands: bool = False) -> Iterator[Message | Truth]:
    """Messages that the bridge, or the broker for it, published, and truths; in order.

    With `commands` also what others published for the bridge.
    """
    path = shared_path("vendors", "zigbee2mqtt-recordings", f"{name}.jsonl")
    missing = [each.listing() for each in LOCKS[name]]
    with path.open(encoding="utf-8") as lines:
        for text in lines:
            entry = json.loads(text)
            if "note" in entry:
                if truth := _TRUTH.match(entry["note"]):
                    yield Truth(entry["t"], truth[1], int(truth[2]))
                continue
            if entry.get("to") == "z2m" and not commands:
                continue
            payload = entry["payload"]
            if entry["topic"] == f"{BASE}/bridge/devices" and missing:
                payload = json.dumps([*json.loads(payload), *missing])
                missing = []
            yield Message(
                entry["t"], entry["topic"], payload.encode(), entry["qos"], entry["retain"]
            )
