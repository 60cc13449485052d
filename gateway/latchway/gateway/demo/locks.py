"""The demo's locks and their bridge: they say on MQTT what Zigbee2MQTT says for real ones."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.drivers.transport.mqtt import MqttClient, MqttDisconnected, MqttSettings
from latchway.gateway.demo.scenario import Door, Happening, Means, Moment

if TYPE_CHECKING:
    from pydantic import JsonValue

BASE = "zigbee2mqtt"
_NOBODY = 65535
_COORDINATOR = "0x00124b0022c0a000"
_ACTIONS = {
    Happening.UNLOCKED: "unlock",
    Happening.LOCKED: "lock",
    Happening.AUTO_LOCKED: "auto_lock",
    Happening.REFUSED: "unlock_failure_invalid_pin_or_id",
}
_STATE_AFTER = {
    Happening.UNLOCKED: ("UNLOCK", "unlocked"),
    Happening.LOCKED: ("LOCK", "locked"),
    Happening.AUTO_LOCKED: ("LOCK", "locked"),
}


@dataclass(slots=True)
class _Memory:
    """What the bridge has cached of one lock."""

    state: str = "LOCK"
    lock_state: str = "locked"
    door_state: str = "closed"
    battery: int = 90

    def fields(self) -> dict[str, JsonValue]:
        return {
            "battery": self.battery,
            "door_state": self.door_state,
            "linkquality": 132,
            "lock_state": self.lock_state,
            "state": self.state,
        }


class Locks:
    """Publishes what happens at the doors; keeps the diary that the cloud is judged by."""

    def __init__(self, client: MqttClient, house: Sequence[Door]) -> None:
        self._client = client
        self._house = house
        self._memory = {door.name: _Memory() for door in house}
        self.published = 0
        self.diary: Counter[str] = Counter()
        """How often the bolt of a lock was moved, or somebody was refused."""

    async def announce(self) -> None:
        """Say, as a bridge does when it starts, who is there and how they are."""
        await self._publish("bridge/state", {"state": "online"}, retain=True)
        await self._publish("bridge/info", _INFO, retain=True)
        devices = [_coordinator(), *(_device(door) for door in self._house)]
        await self._publish("bridge/devices", devices, retain=True)
        for door in self._house:
            await self._publish(f"{door.name}/availability", {"state": "online"}, retain=True)
            await self._publish(door.name, self._memory[door.name].fields())

    async def play(self, moment: Moment) -> None:
        """Let one thing happen; returns when the local broker has been told all of it."""
        name, memory = moment.door.name, self._memory[moment.door.name]
        if moment.what is Happening.GARBLED:
            await self._publish(name, b'{"state": "LOCK", "battery": NaN')
            return
        if moment.what.is_access:
            await self._publish(name, {**memory.fields(), **_action(moment)})
            self.diary[moment.door.address] += 1
        match moment.what:
            case Happening.DOOR_OPENED | Happening.DOOR_CLOSED:
                opened = moment.what is Happening.DOOR_OPENED
                memory.door_state = "open" if opened else "closed"
            case Happening.REPORTED:
                memory.battery = moment.battery_percent
            case Happening.REFUSED:
                return
            case _:
                memory.state, memory.lock_state = _STATE_AFTER[moment.what]
        await self._publish(name, memory.fields())

    async def answer_questions(self) -> None:
        """Answer whoever asks a lock for its state, as the lock would. Never returns."""
        by_address = {door.address: door.name for door in self._house}
        await self._client.subscribe((f"{BASE}/+/get", 1))
        with contextlib.suppress(MqttDisconnected):
            async for message in self._client.messages:
                self._client.acknowledge(message)
                asked = message.topic.split("/")[1]
                name = by_address.get(asked, asked)
                if name in self._memory:
                    await self._publish(name, self._memory[name].fields())

    async def _publish(
        self,
        tail: str,
        content: Mapping[str, JsonValue] | Sequence[JsonValue] | bytes,
        *,
        retain: bool = False,
    ) -> None:
        payload = content if isinstance(content, bytes) else json.dumps(content)
        await self._client.publish(f"{BASE}/{tail}", payload, qos=1, retain=retain)
        self.published += 1


@contextlib.asynccontextmanager
async def connected(port: int, house: Sequence[Door]) -> AsyncIterator[Locks]:
    """Bring the locks and their bridge to the local broker until the block is left."""
    settings = MqttSettings(host="127.0.0.1", port=port, client_id="demo-bridge")
    async with MqttClient(settings) as client:
        locks = Locks(client, house)
        await locks.announce()
        answering = asyncio.create_task(locks.answer_questions())
        try:
            yield locks
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


def _action(moment: Moment) -> dict[str, JsonValue]:
    automatic = moment.what is Happening.AUTO_LOCKED
    return {
        "action": _ACTIONS[moment.what],
        "action_source_name": (Means.BY_HAND if automatic else moment.means).value,
        "action_user": _NOBODY if moment.slot is None else moment.slot,
    }


_INFO: dict[str, JsonValue] = {
    "version": "2.14.1",
    "zigbee_herdsman_converters": {"version": "26.105.0"},
    "config": {"availability": {"enabled": True}, "advanced": {"last_seen": "disable"}},
}


def _coordinator() -> dict[str, JsonValue]:
    return {
        "ieee_address": _COORDINATOR,
        "type": "Coordinator",
        "friendly_name": "Coordinator",
        "network_address": 0,
        "supported": True,
        "interview_state": "SUCCESSFUL",
    }


def _device(door: Door) -> dict[str, JsonValue]:
    return {
        "ieee_address": door.address,
        "type": "EndDevice",
        "friendly_name": door.name,
        "network_address": int(door.address[-4:], 16),
        "supported": True,
        "disabled": False,
        "power_source": "Battery",
        "model_id": "YRD226 TSDB",
        "manufacturer": "Yale",
        "interview_state": "SUCCESSFUL",
        "definition": {
            "model": "YRD226HA2619",
            "vendor": "Yale",
            "description": "Assure lock",
            "source": "native",
            "exposes": [_LOCK, *_SENSORS],
        },
        "endpoints": {"1": {"clusters": {"input": ["genBasic", "closuresDoorLock"]}}},
    }


def _expose(name: str, kind: str, access: int) -> dict[str, JsonValue]:
    return {"name": name, "property": name, "type": kind, "access": access}


_LOCK: dict[str, JsonValue] = {
    "type": "lock",
    "features": [_expose("state", "binary", 7), _expose("lock_state", "enum", 1)],
}
_SENSORS: tuple[JsonValue, ...] = (
    _expose("action", "enum", 1),
    _expose("action_source_name", "enum", 1),
    _expose("action_user", "numeric", 1),
    _expose("battery", "numeric", 5),
    _expose("door_state", "enum", 1),
)
