"""What happens at virtual locks goes the whole way to the cloud, and no code goes with it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from latchway.drivers.transport.mqtt import MqttClient, MqttSettings
from latchway.drivers.zigbee2mqtt.simulator import (
    DOOR_LOCK,
    Behaviour,
    BridgeOptions,
    Simulator,
    VirtualBridge,
)
from latchway.schemas import parse_structured
from support.whole_path import WRITTEN, WholePath, leaks, places_of
from support.zigbee2mqtt import BASE, address, lock

if TYPE_CHECKING:
    from pathlib import Path

    from support.whole_path import Evidence

BRIDGE = "house"
FRONT, BACK = address(1), address(2)
SET, SHOWN, TYPED, TRIED, CUT_OFF, MISPLACED, STRANGE = (
    "48151623",
    "739164",
    "60417",
    "27182818",
    "31415926",
    "16180339",
    "5772156",
)
CODES = (SET, SHOWN, TYPED, TRIED, CUT_OFF, MISPLACED, STRANGE)


class House:
    """Two locks behind a virtual bridge, somebody who sends commands, and the cloud."""

    def __init__(
        self, path: WholePath, bridge: VirtualBridge, simulator: Simulator, somebody: MqttClient
    ) -> None:
        self._path = path
        self.bridge = bridge
        self._simulator = simulator
        self._somebody = somebody
        self.happens = simulator.publish

    async def told(self, device: str, words: str) -> None:
        await asyncio.to_thread(self._path.wait_told, BRIDGE, device, words)

    async def heard_under(self, *names: str) -> None:
        await asyncio.to_thread(self._path.wait_subscribed, BRIDGE, *names)

    async def say(self, tail: str, payload: str) -> None:
        await self._somebody.publish(f"{BASE}/{tail}", payload)

    async def request(self, tail: str, value: object) -> None:
        await self.say(tail, json.dumps(value))


async def a_day(house: House) -> None:
    """Each step waits until the cloud knows, so that the expected order is the only one."""
    bridge = house.bridge
    await house.told(FRONT, "bolt locked read")
    await house.told(BACK, "bolt locked read")
    await house.happens(bridge.act("front", "unlock", "keypad", 3))
    await house.told(FRONT, "bolt unlocked reported")
    await house.happens(bridge.act("front", "unlock_failure_invalid_pin_or_id", "keypad"))
    await house.told(FRONT, "unlock by keypad denied: wrong_credential")
    await house.happens(bridge.report("back", door_state="open"))
    await house.told(BACK, "door open")
    await house.happens(bridge.report("front", battery=45))
    await house.told(FRONT, "battery 45")
    await house.happens(bridge.report("back", lock_state="not_fully_locked", state="UNLOCK"))
    await house.told(BACK, "bolt jammed reported")
    await house.request("bridge/request/device/rename", {"from": "front", "to": "hall/front"})
    await house.heard_under("hall/front")
    await house.happens(bridge.act("hall/front", "lock", "keypad", 5))
    await house.told(FRONT, "bolt locked reported")
    await codes_are_said(house)
    await house.happens(bridge.availability("hall/front", online=False))
    await house.told(FRONT, "unreachable: the bridge reports it offline")
    await house.happens(bridge.availability("hall/front", online=True))
    await house.told(FRONT, "device reachable")
    await house.request("bridge/request/device/remove", {"id": "back"})
    await house.told(BACK, "removed")


async def codes_are_said(house: House) -> None:
    """Let codes be where real bridges put them, and where broken ones could.

    What cannot be read makes the driver ask, at a moment of its own: from here on the bolts rest.
    """
    bridge = house.bridge
    await house.request("hall/front/set", {"pin_code": {"user": 7, "pin_code": SET}})
    await house.told(FRONT, "credential added code 7 by remote")
    await house.happens(bridge.report("hall/front", last_used_pin_code=TYPED))
    await house.happens(bridge.report("hall/front", users={"9": {"pin_code": SHOWN}}))
    bridge.lock("back").behaviour = Behaviour.SILENT
    await house.request("back/set", {"pin_code": {"user": 8, "pin_code": TRIED}})
    as_bytes = ",".join(str(byte) for byte in TRIED.encode())
    log = {"level": "error", "message": f'setPinCode({{"pincodevalue":[{as_bytes}]}}) failed'}
    await house.say("bridge/logging", json.dumps(log))
    cut_off = json.dumps({"linkquality": 120, "pin_code": {"user": 3, "pin_code": CUT_OFF}})[:-2]
    await house.say("hall/front", cut_off)
    await house.say("hall/front", json.dumps({"linkquality": 120, "battery": [MISPLACED]}))
    await house.say("hall/front", json.dumps({"linkquality": 120, "action": f"unlock_{MISPLACED}"}))
    await house.told(FRONT, "unknown by unknown 'unlock_#'")
    await house.say("nobody", json.dumps({"action": "unlock", "pin_code": STRANGE}))


EXPECTED = {
    FRONT: [
        "device paired",
        "bolt locked read",
        "unlock by keypad code 3",
        "bolt unlocked reported",
        "unlock by keypad denied: wrong_credential",
        "battery 45",
        "lock by keypad code 5",
        "bolt locked reported",
        "credential added code 7 by remote",
        "unknown by unknown 'unlock_#'",
        "unreachable: the bridge reports it offline",
        "device reachable",
        "unreachable: the bridge is offline",
    ],
    BACK: [
        "device paired",
        "bolt locked read",
        "door open",
        "bolt jammed reported",
        "removed",
    ],
}
REJECTED = ["not_json", "unknown_device", "wrong_type"]


async def lived_through(folder: Path) -> Evidence:
    locks = [lock("front", 1), lock("back", 2, DOOR_LOCK)]
    bridge = VirtualBridge(locks, BridgeOptions(qos=1, availability=True, expose_pin=True))
    path = WholePath(folder, [BRIDGE])
    with path:
        settings = MqttSettings(host="127.0.0.1", port=path.local[BRIDGE].port)
        async with (
            MqttClient(settings) as somebody,
            Simulator(bridge, settings) as simulator,
        ):
            await a_day(House(path, bridge, simulator, somebody))
            await asyncio.to_thread(path.wait_rejected, len(REJECTED))
        await asyncio.to_thread(path.wait_told, BRIDGE, FRONT, EXPECTED[FRONT][-1])
        return await asyncio.to_thread(path.stop)


def test_a_day_at_virtual_locks_is_told_at_the_cloud_and_no_code_is(tmp_path: Path):
    evidence = asyncio.run(lived_through(tmp_path))

    assert evidence.told(BRIDGE) == EXPECTED
    assert sorted(reject.code for reject in evidence.rejects) == REJECTED
    assert evidence.account.difference == 0
    assert evidence.audit == evidence.account
    archived = [parse_structured(line) for line in evidence.archive.splitlines()]
    assert sorted(each.id for each in archived) == sorted(each.id for _, each in evidence.events)
    haystacks = evidence.haystacks()
    assert set(places_of(FRONT, haystacks)) >= WRITTEN, "this search finds nothing"
    assert leaks(CODES, haystacks) == {}
