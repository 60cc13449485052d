"""A virtual Zigbee2MQTT on a real broker, for tests, demos and clients of Zigbee2MQTT.

`VirtualBridge` decides what is published; here it is published, and what others publish is
answered.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from latchway.drivers.errors import MqttDisconnected
from latchway.drivers.transport.mqtt import MqttClient, MqttSettings, MqttWill
from latchway.drivers.zigbee2mqtt.virtual_bridge import (
    BadInput,
    BridgeOptions,
    Published,
    VirtualBridge,
)
from latchway.drivers.zigbee2mqtt.virtual_lock import (
    DOOR_LOCK,
    KEYPAD_DEADBOLT,
    SLEEPY_DEADBOLT,
    Behaviour,
    Model,
    VirtualLock,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

__all__ = [
    "DOOR_LOCK",
    "KEYPAD_DEADBOLT",
    "SLEEPY_DEADBOLT",
    "BadInput",
    "Behaviour",
    "BridgeOptions",
    "Model",
    "Published",
    "Simulator",
    "VirtualBridge",
    "VirtualLock",
]

_NAME_LEVELS = 3
"""Friendly names with more slashes take no commands here."""


class Simulator:
    """A `VirtualBridge` connected to a broker; async context manager.

    Leaving stops the bridge cleanly. `publish` puts anything of the bridge on the broker.
    """

    def __init__(self, bridge: VirtualBridge, settings: MqttSettings) -> None:
        self.bridge = bridge
        will = bridge.will()
        self._client = MqttClient(
            settings, will=MqttWill(will.topic, will.payload, will.qos, will.retain)
        )
        self._last_words = bridge.stop()
        self._answering: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        base = self.bridge.options.base_topic
        names = ["/".join("+" * depth) for depth in range(1, _NAME_LEVELS + 1)]
        orders = [f"{name}/{verb}" for name in names for verb in ("set", "set/+", "get", "get/+")]
        # As the real one does: at QoS 0, so that it hears nothing of what is said while it is away.
        await self._client.subscribe(
            *((f"{base}/{tail}", 0) for tail in (*orders, "bridge/request/#"))
        )
        self._answering = asyncio.create_task(self._answer())
        await self.publish(self.bridge.start())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(MqttDisconnected):
            await self.publish(self._last_words)
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
        await self._client.__aexit__(exc_type, exc, traceback)

    def die(self) -> None:
        """Leave, at the end of the block, what the broker would publish for a killed bridge."""
        self._last_words = [self.bridge.will()]

    async def publish(self, messages: Published | Iterable[Published]) -> None:
        """Publish messages of the bridge in order; at QoS 1 wait until the broker has them all."""
        answers = [
            await self._client.publish_soon(
                message.topic, message.payload, qos=min(message.qos, 1), retain=message.retain
            )
            for message in ((messages,) if isinstance(messages, Published) else messages)
        ]
        for answer in answers:
            await answer

    async def _answer(self) -> None:
        with suppress(MqttDisconnected):
            async for message in self._client.messages:
                await self.publish(self.bridge.take(message.topic, message.payload))
                self._client.acknowledge(message)
