"""Watches, on a connection of its own, for devices that the bridge does not list.

Locks are heard elsewhere: whatever happens here, a flood of lamps included, takes nothing from
their queue at the broker, their session, or their order. Decision 0034.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from latchway.drivers.errors import (
    MqttDisconnected,
    MqttRefused,
    MqttUnreachable,
    PayloadInvalid,
)
from latchway.drivers.zigbee2mqtt.bridge import decode_groups
from latchway.drivers.zigbee2mqtt.redaction import without_secrets
from latchway.drivers.zigbee2mqtt.strangers import reason

if TYPE_CHECKING:
    from latchway.drivers.contract import DriverContext
    from latchway.drivers.transport.mqtt import MqttClient, MqttSettings
    from latchway.drivers.zigbee2mqtt.backoff import Backoff
    from latchway.drivers.zigbee2mqtt.fleet import Fleet
    from latchway.drivers.zigbee2mqtt.strangers import Strangers
    from latchway.drivers.zigbee2mqtt.topics import Topics

_NO_RETAINED = 2
"""Retain handling: what is retained under a name that is gone is no news."""


class Watch:
    """Hears all names of one level, keeps what comes under those that are not listed."""

    def __init__(
        self,
        context: DriverContext,
        settings: MqttSettings,
        topics: Topics,
        fleet: Fleet,
        strangers: Strangers,
        backoff: Backoff,
    ) -> None:
        self._context = context
        # The broker is to keep nothing of this for us, so there is no session.
        self._settings = settings.model_copy(
            update={
                "client_id": f"{settings.client_id}-strangers",
                "clean_start": True,
                "session_expiry_s": 0,
            }
        )
        self._topics = topics
        self._fleet = fleet
        self._strangers = strangers
        self._backoff = backoff
        self._refused = ""
        self._heard = asyncio.Event()

    async def run(self) -> None:
        """Watch for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_connected())
            tasks.create_task(self._keep_judging())

    async def _keep_connected(self) -> None:
        while True:
            try:
                async with self._context.mqtt(self._settings) as client:
                    await self._listen(client)
            except MqttRefused as error:
                self._say_refused(str(error))
            except (MqttUnreachable, MqttDisconnected):
                pass  # the connection for the locks says so
            await self._context.clock.sleep(self._backoff.next_s())

    async def _listen(self, client: MqttClient) -> None:
        await client.subscribe((self._topics.groups, 0))
        await client.subscribe((self._topics.all_names, 0), retain_handling=_NO_RETAINED)
        self._backoff.reset()
        async for message in client.messages:
            if message.topic == self._topics.groups:
                await self._hear_groups(message.payload)
            elif self._strangers.hear(
                message.topic, self._topics.name_in(message.topic), message.payload, self._now()
            ):
                self._heard.set()

    def _say_refused(self, words: str) -> None:
        """Log a refusal once."""
        if words != self._refused:
            self._refused = words
            log = self._context.log
            log.warning("devices that the bridge does not list go unnoticed: %s", words)

    async def _hear_groups(self, payload: bytes) -> None:
        if not payload:
            return
        try:
            self._fleet.groups = decode_groups(payload)
        except PayloadInvalid as error:
            why = f"{error.code}: {error.reason}"
            shown = without_secrets(payload)
            await (await self._context.reject(shown, why, topic=self._topics.groups))
        self._strangers.know(self._fleet.listed, self._now())

    async def _keep_judging(self) -> None:
        strangers = self._strangers
        while True:
            self._heard.clear()
            if (deadline := strangers.deadline) is None:
                await self._heard.wait()
                continue
            await self._context.clock.sleep(deadline - self._now())
            while (stranger := strangers.judge(self._now())) is not None:
                # One at a time, so that a flood of them holds up nothing of the locks.
                await (
                    await self._context.reject(
                        stranger.shown, reason(stranger.name), topic=stranger.topic
                    )
                )
            if count := strangers.take_count(self._now()):
                self._context.log.warning(
                    "%d messages of devices that the bridge does not list were not kept: "
                    "too many; `latchway outbox rejected` shows others",
                    count,
                )

    def _now(self) -> float:
        return self._context.clock.monotonic()
