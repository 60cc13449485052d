"""The demo's cloud: subscribes to every event of the hub, and checks that none is missing."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from latchway.drivers.transport.mqtt import MqttClient, MqttDisconnected, MqttMessage, MqttSettings
from latchway.schemas import (
    CompletenessCheck,
    EnvelopeInvalid,
    LaneEpoch,
    Verdict,
    parse_mqtt_binary,
)

if TYPE_CHECKING:
    from latchway.outbox import Account
    from latchway.schemas import Envelope

TOPIC = "latchway/#"
_ACCESS = "io.latchway.access."


class Cloud:
    """What has arrived so far; `on_event` is called with each new event, not with duplicates."""

    def __init__(self, on_event: Callable[[Envelope], None]) -> None:
        self._on_event = on_event
        self._check = CompletenessCheck()
        self._foreign = 0
        self._received = 0
        self._accesses: Counter[str] = Counter()
        self._changed = asyncio.Event()

    @property
    def received(self) -> int:
        """Different events that have arrived."""
        return self._received

    def accesses(self, device: str) -> int:
        """How many different access events of that device have arrived."""
        return self._accesses[device]

    def take(self, message: MqttMessage) -> None:
        """Judge one message as it arrived."""
        if not message.user_properties:
            return  # the hub's birth and last will
        try:
            envelope = parse_mqtt_binary(
                message.payload, message.content_type, message.user_properties
            )
            self._check.receive(envelope)
        except EnvelopeInvalid:
            self._foreign += 1
            return
        received = self._check.verdict().received
        if received > self._received:
            self._received = received
            if envelope.type.startswith(_ACCESS):
                self._accesses[envelope.partitionkey] += 1
            self._on_event(envelope)
            self._changed.set()

    async def wait_for(self, received: int, within_s: float) -> None:
        """Wait until so many events have arrived, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._received < received:
                    self._changed.clear()
                    await self._changed.wait()

    def verdict(self, account: Account) -> Verdict:
        """Judge against the hub's own account: a lane's tail that never came is missing too."""
        for line in account.lanes:
            self._check.expect(LaneEpoch(str(line.lane), line.epoch), line.routed)
        return self._check.verdict()

    @property
    def foreign(self) -> int:
        """Messages under the hub's topics that are no events of a hub."""
        return self._foreign


@contextlib.asynccontextmanager
async def subscribed(port: int, cloud: Cloud) -> AsyncIterator[None]:
    """Feed the cloud from its broker, on the far side of the line, until the block is left."""
    settings = MqttSettings(host="127.0.0.1", port=port, client_id="demo-cloud")
    async with MqttClient(settings) as client:
        await client.subscribe((TOPIC, 1))
        feeding = asyncio.create_task(_feed(client, cloud))
        try:
            yield
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


async def _feed(client: MqttClient, cloud: Cloud) -> None:
    with contextlib.suppress(MqttDisconnected):
        async for message in client.messages:
            cloud.take(message)
            client.acknowledge(message)
