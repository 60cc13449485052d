"""The sink `mqtt`: MQTT 5 at QoS 1, CloudEvents in binary mode, birth and last will."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from pydantic_core import to_json

from latchway.drivers.transport.mqtt import (
    MqttClient,
    MqttDisconnected,
    MqttPacketTooLarge,
    MqttRefused,
    MqttSettings,
    MqttUnreachable,
    MqttWill,
    PublishProperties,
)
from latchway.gateway.logs import fields
from latchway.gateway.sinks.contract import ACCEPTED, Answer, Refused, Report, Retry
from latchway.gateway.sinks.envelope import envelope_attributes
from latchway.gateway.sinks.errors import SinkDisconnected, SinkUnreachable
from latchway.gateway.sinks.mqtt.answers import RETRY_S, UNCLEAR_TRIES, Verdict, verdict_on
from latchway.gateway.sinks.mqtt.topics import NO_DEVICE, TopicTemplate, family_and_fact
from latchway.gateway.sinks.shaper import Shaper, ShapingProfile
from latchway.schemas import EnvelopeTooLarge, mqtt_binary

if TYPE_CHECKING:
    from latchway.gateway.sinks.contract import SinkEnvironment
    from latchway.gateway.sinks.mqtt.settings import MqttSinkSettings
    from latchway.outbox.model import Delivery

_LOG: Final = logging.getLogger(__name__)
_GOODBYE_S: Final = 2.0
_JSON: Final = PublishProperties(content_type="application/json")
_ENDED_BY_BROKER: Final = ("the broker said", "the broker closed")
"""How `MqttDisconnected` begins its reason when the other side ended the connection."""


class MqttSink:
    """Publishes events to one broker."""

    type = "mqtt"

    def __init__(self, name: str, settings: MqttSinkSettings, environment: SinkEnvironment) -> None:
        self._name = name
        self._settings = settings
        self._environment = environment
        self._status_topic = TopicTemplate(settings.status_topic, names=("hub",)).fill(
            hub=environment.hub
        )
        self._unclear = UnclearRefusals()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[MqttConnection]:
        """Connect and say that the hub is online; leaving says that it is offline."""
        will = MqttWill(self._status_topic, self._status("offline", "connection lost"))
        client = MqttClient(self._client_settings(), will=will)
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(client)
            except (MqttUnreachable, MqttRefused, OSError) as error:
                raise SinkUnreachable(str(error)) from error
            await self._announce(client, "online", "connected")
            try:
                yield MqttConnection(client, self._settings, self._environment, self._unclear)
            finally:
                if not client.closed.done():
                    with suppress(SinkUnreachable, TimeoutError):
                        async with asyncio.timeout(_GOODBYE_S):
                            await self._announce(client, "offline", "stopped")

    def _client_settings(self) -> MqttSettings:
        if self._settings.client_id is not None:
            return self._settings
        client_id = f"latchway-{self._environment.hub}-{self._name}"
        return self._settings.model_copy(update={"client_id": client_id})

    async def _announce(self, client: MqttClient, state: str, reason: str) -> None:
        """Publish the hub's status. A broker that refuses it still takes the events."""
        try:
            await client.publish(
                self._status_topic, self._status(state, reason), retain=True, properties=_JSON
            )
        except MqttDisconnected as error:
            raise SinkUnreachable(str(error)) from error
        except (MqttRefused, MqttPacketTooLarge) as error:
            _LOG.warning(
                "the hub's status could not be published",
                extra=fields(sink=self._name, topic=self._status_topic, error=error),
            )

    def _status(self, state: str, reason: str) -> bytes:
        return to_json({"hub": self._environment.hub, "state": state, "reason": reason})


class MqttConnection:
    """A live connection to the broker."""

    def __init__(
        self,
        client: MqttClient,
        settings: MqttSinkSettings,
        environment: SinkEnvironment,
        unclear: UnclearRefusals,
    ) -> None:
        self.window = settings.send_window
        self._client = client
        self._hub = environment.hub
        self._clock = environment.clock
        self._topic = TopicTemplate(settings.topic)
        self._shaper = Shaper(
            ShapingProfile(settings.messages_per_s, settings.bytes_per_s),
            environment.clock.monotonic(),
        )
        self._unclear = unclear
        self._ended: asyncio.Future[SinkDisconnected] = asyncio.get_running_loop().create_future()
        client.closed.add_done_callback(self._on_closed)

    async def send(self, deliveries: Sequence[Delivery], report: Report) -> None:
        """Publish the events in order; the broker's word on each comes through `report`."""
        for delivery in deliveries:
            try:
                answer = await self._publish(delivery)
            except MqttDisconnected as error:
                raise _disconnected(error) from error
            except MqttRefused as error:  # this connection cannot do QoS 1 at all
                raise SinkDisconnected(str(error)) from error
            except (MqttPacketTooLarge, EnvelopeTooLarge, ValueError) as error:
                report(delivery, Refused(str(error)))
            else:
                answer.add_done_callback(partial(self._answered, delivery, report))

    async def wait_closed(self) -> NoReturn:
        """Wait until the connection has ended."""
        raise await asyncio.shield(self._ended)

    async def _publish(self, delivery: Delivery) -> asyncio.Future[None]:
        payload, content_type, properties = mqtt_binary(
            envelope_attributes(delivery), delivery.event.data
        )
        if not self._shaper.unlimited:
            size = len(payload) + sum(len(name) + len(value) + 5 for name, value in properties)
            await self._clock.sleep(self._shaper.wait_s(size, self._clock.monotonic()))
        return await self._client.publish_soon(
            self._topic_of(delivery),
            payload,
            properties=PublishProperties(content_type, tuple(properties)),
        )

    def _topic_of(self, delivery: Delivery) -> str:
        family, fact = family_and_fact(delivery.event.type)
        return self._topic.fill(
            hub=self._hub,
            vendor=delivery.lane.vendor,
            device=delivery.event.device or NO_DEVICE,
            family=family,
            fact=fact,
        )

    def _answered(self, delivery: Delivery, report: Report, answer: asyncio.Future[None]) -> None:
        if answer.cancelled():
            return
        error = answer.exception()
        if error is None:
            self._unclear.forget(delivery)
            report(delivery, ACCEPTED)
        elif isinstance(error, MqttRefused):
            self._refused(delivery, report, error)
        # Whatever else ended it ended the connection: the event is unacknowledged.

    def _refused(self, delivery: Delivery, report: Report, error: MqttRefused) -> None:
        verdict = verdict_on(error.reason_code)
        if verdict is Verdict.RECONNECT:
            self._end(SinkDisconnected(str(error)))
            return
        if verdict is Verdict.UNCLEAR:
            report(delivery, self._unclear.answer(delivery, str(error)))
            return
        self._unclear.forget(delivery)
        parks = verdict is Verdict.PARK
        report(delivery, Refused(str(error)) if parks else Retry(RETRY_S, str(error)))

    def _on_closed(self, closed: asyncio.Future[MqttDisconnected]) -> None:
        if not closed.cancelled():
            self._end(_disconnected(closed.result()))

    def _end(self, reason: SinkDisconnected) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)


class UnclearRefusals:
    """Counts how often an event was refused without a clear reason, over all connections."""

    def __init__(self) -> None:
        self._tries: dict[str, int] = {}

    def answer(self, delivery: Delivery, detail: str) -> Answer:
        """Ask for another try, or give the event up after enough of them."""
        tries = self._tries.get(delivery.event.id, 0) + 1
        if tries >= UNCLEAR_TRIES:
            self.forget(delivery)
            return Refused(f"{detail}, {tries} times")
        self._tries[delivery.event.id] = tries
        return Retry(RETRY_S, detail)

    def forget(self, delivery: Delivery) -> None:
        """The event has its outcome."""
        if self._tries:
            self._tries.pop(delivery.event.id, None)


def _disconnected(error: MqttDisconnected) -> SinkDisconnected:
    text = str(error)
    return SinkDisconnected(text, by_server=any(words in text for words in _ENDED_BY_BROKER))
