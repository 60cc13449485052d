"""The demo's locks: plays a day's moments on the driver's own virtual Zigbee2MQTT."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from latchway.drivers.transport.mqtt import MqttSettings
from latchway.drivers.zigbee2mqtt.simulator import (
    KEYPAD_DEADBOLT,
    BadInput,
    BridgeOptions,
    Simulator,
    VirtualBridge,
    VirtualLock,
)
from latchway.gateway.demo.scenario import Door, Happening, Moment

if TYPE_CHECKING:
    from latchway.drivers.zigbee2mqtt.simulator import Published

_MODEL = replace(
    KEYPAD_DEADBOLT,
    exposes=(
        *KEYPAD_DEADBOLT.exposes,
        {"type": "enum", "name": "door_state", "property": "door_state", "access": 1},
    ),
)
_ACTIONS = {
    Happening.UNLOCKED: "unlock",
    Happening.LOCKED: "lock",
    Happening.AUTO_LOCKED: "auto_lock",
    Happening.REFUSED: "unlock_failure_invalid_pin_or_id",
}


class Locks:
    """Lets things happen at the doors; keeps the diary that the cloud is judged by."""

    def __init__(self, simulator: Simulator, house: Sequence[Door]) -> None:
        self._simulator = simulator
        self._bridge = simulator.bridge
        self._house = house
        self.published = 0
        """Messages of the locks so far."""
        self.diary: Counter[str] = Counter()
        """How often the bolt of a lock was moved, or somebody was refused, by hardware id."""

    async def announce(self) -> None:
        """Let each lock be reached, and say how it is."""
        for door in self._house:
            reading = self._bridge.lock(door.name).reading()
            await self._publish(
                self._bridge.availability(door.name, online=True),
                self._bridge.report(door.name, battery=90, door_state="closed", **reading),
            )

    async def play(self, moment: Moment) -> None:
        """Let one thing happen; returns when the local broker has been told all of it."""
        name = moment.door.name
        match moment.what:
            case Happening.GARBLED:
                await self._publish(self._bridge.misbehave(name, BadInput.NOT_A_NUMBER))
            case Happening.DOOR_OPENED:
                await self._publish(self._bridge.report(name, door_state="open"))
            case Happening.DOOR_CLOSED:
                await self._publish(self._bridge.report(name, door_state="closed"))
            case Happening.REPORTED:
                reading = self._bridge.lock(name).reading()
                battery = moment.battery_percent
                await self._publish(self._bridge.report(name, battery=battery, **reading))
            case access:
                action, means = _ACTIONS[access], moment.means.value
                await self._publish(*self._bridge.act(name, action, means, moment.slot))
                self.diary[moment.door.address] += 1

    async def _publish(self, *messages: Published) -> None:
        await self._simulator.publish(messages)
        self.published += len(messages)


@contextlib.asynccontextmanager
async def connected(port: int, house: Sequence[Door]) -> AsyncIterator[Locks]:
    """Bring the locks and their bridge to the local broker until the block is left."""
    bridge = VirtualBridge(
        [VirtualLock(door.address, door.name, _MODEL) for door in house],
        BridgeOptions(qos=1, availability=True),
    )
    settings = MqttSettings(host="127.0.0.1", port=port, client_id="demo-bridge")
    async with Simulator(bridge, settings) as simulator:
        locks = Locks(simulator, house)
        await locks.announce()
        yield locks
