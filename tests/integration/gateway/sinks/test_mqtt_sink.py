"""The sink `mqtt` against a real mosquitto, with a subscriber as the cloud."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from latchway.drivers.transport.mqtt import MqttClient, MqttMessage, MqttSettings
from latchway.gateway.sinks.contract import ACCEPTED, Refused
from latchway.gateway.sinks.errors import SinkUnreachable
from latchway.gateway.sinks.mqtt.settings import MqttSinkSettings
from latchway.schemas import parse_mqtt_binary
from support.delivery import delivery
from support.mosquitto import Mosquitto, free_port
from support.sink_contract import Answers, RemoteSinkContract, SinkBench, environment


def mqtt_sink(port: int, **keys: object):
    settings = MqttSinkSettings.model_validate(
        {"type": "mqtt", "host": "127.0.0.1", "port": port, "connect_timeout_s": 5, **keys}
    )
    return settings.build("cloud", environment())


class Cloud:
    """A subscriber to everything, acknowledging at once."""

    def __init__(self, client: MqttClient) -> None:
        self._client = client
        self._messages = client.messages
        self.statuses: list[dict[str, str]] = []
        self.events: list[MqttMessage] = []

    async def until(self, *, events: int = 0, statuses: int = 0) -> None:
        async with asyncio.timeout(10):
            while len(self.events) < events or len(self.statuses) < statuses:
                message = await anext(self._messages)
                self._client.acknowledge(message)
                if message.topic.endswith("/status"):
                    self.statuses.append(json.loads(message.payload))
                else:
                    self.events.append(message)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker", "persistence false") as mosquitto:
        yield mosquitto


@pytest.fixture
async def cloud(broker: Mosquitto) -> AsyncIterator[Cloud]:
    settings = MqttSettings(host="127.0.0.1", port=broker.port, client_id="the-cloud")
    async with MqttClient(settings) as client:
        await client.subscribe(("latchway/#", 1))
        yield Cloud(client)


class TestMqttSink(RemoteSinkContract):
    @pytest.fixture
    def bench(self, broker: Mosquitto, cloud: Cloud) -> SinkBench:
        async def received(count: int) -> list[str]:
            await cloud.until(events=count)
            return [envelope(message).id for message in cloud.events]

        async def hang_up() -> None:
            await asyncio.to_thread(broker.stop)

        return SinkBench(mqtt_sink(broker.port), mqtt_sink(free_port()), received, hang_up)


def envelope(message: MqttMessage):
    return parse_mqtt_binary(message.payload, message.content_type, message.user_properties)


async def test_an_event_arrives_as_a_binary_mode_cloudevent_on_its_topic(broker, cloud):
    answers = Answers()
    async with mqtt_sink(broker.port).connect() as connection:
        await connection.send([delivery(17, epoch=3), delivery(18, device=None)], answers.report)
        await cloud.until(events=2)

    first, second = cloud.events
    assert first.topic == "latchway/h1/z2m/0xa1/lock/state_changed"
    assert second.topic == "latchway/h1/z2m/_/lock/state_changed"
    assert first.payload == delivery(17).event.data
    assert first.content_type == "application/json"
    attributes = dict(first.user_properties)
    assert attributes["sequence"] == "3-0000000000000017"
    assert attributes["lane"] == "z2m/cloud/main"
    assert attributes["lanepos"] == "0000000000000017"


async def test_birth_and_goodbye_are_retained_on_the_status_topic(broker, cloud):
    async with mqtt_sink(broker.port).connect():
        await cloud.until(statuses=1)
    await cloud.until(statuses=2)

    assert cloud.statuses == [
        {"hub": "h1", "state": "online", "reason": "connected"},
        {"hub": "h1", "state": "offline", "reason": "stopped"},
    ]


async def test_the_last_will_speaks_when_the_connection_is_cut(broker, cloud):
    async with mqtt_sink(broker.port).connect() as connection:
        await cloud.until(statuses=1)
        connection._client._stream._socket.shutdown(2)
        await cloud.until(statuses=2)

    assert cloud.statuses[-1] == {"hub": "h1", "state": "offline", "reason": "connection lost"}


async def test_no_subscriber_at_all_is_success(broker):
    answers = Answers()
    async with mqtt_sink(broker.port).connect() as connection:
        await connection.send([delivery(1)], answers.report)
        await answers.reach(1)

    assert answers.given[0][1] == ACCEPTED


async def test_a_topic_that_access_rules_forbid_parks_the_event_and_the_rest_goes_on(tmp_path):
    rules = tmp_path / "acl"
    rules.write_text("topic write latchway/h1/allowed/#\ntopic write latchway/h1/status\n")
    answers = Answers()
    with Mosquitto(tmp_path / "broker", f"acl_file {rules}") as broker:
        sink = mqtt_sink(broker.port, topic="latchway/{hub}/{device}/{fact}")
        async with sink.connect() as connection:
            await connection.send(
                [delivery(1, device="secret"), delivery(2, device="allowed")], answers.report
            )
            await answers.reach(2)

    by_number = {one.position.number: answer for one, answer in answers.given}
    assert isinstance(by_number[1], Refused)
    assert "0x87" in by_number[1].detail
    assert by_number[2] == ACCEPTED


async def test_an_event_above_the_brokers_maximum_packet_size_is_parked_unsent(tmp_path):
    answers = Answers()
    with Mosquitto(tmp_path / "broker", "max_packet_size 2000") as broker:
        async with mqtt_sink(broker.port).connect() as connection:
            large = delivery(1, data=b'"' + b"x" * 3000 + b'"')
            await connection.send([large, delivery(2)], answers.report)
            await answers.reach(2)

    by_number = {one.position.number: answer for one, answer in answers.given}
    assert isinstance(by_number[1], Refused)
    assert "at most 2000" in by_number[1].detail
    assert by_number[2] == ACCEPTED


async def test_a_broker_that_refuses_the_log_in_is_unreachable_and_says_why(tmp_path):
    with Mosquitto(tmp_path / "broker", "allow_anonymous false") as broker:
        sink = mqtt_sink(broker.port)
        with pytest.raises(SinkUnreachable, match=r"(?i)not authorized"):
            await sink.connect().__aenter__()


async def test_a_status_topic_that_is_forbidden_does_not_stop_the_events(tmp_path, caplog):
    rules = tmp_path / "acl"
    rules.write_text("topic write latchway/h1/z2m/#\n")
    answers = Answers()
    with Mosquitto(tmp_path / "broker", f"acl_file {rules}") as broker:
        async with mqtt_sink(broker.port).connect() as connection:
            await connection.send([delivery(1)], answers.report)
            await answers.reach(1)

    assert answers.given[0][1] == ACCEPTED
    assert "status could not be published" in caplog.text


async def test_a_rate_limit_spaces_the_publishes(broker):
    answers = Answers()
    env = environment()
    settings = MqttSinkSettings(type="mqtt", host="127.0.0.1", port=broker.port, messages_per_s=2.0)
    async with settings.build("cloud", env).connect() as connection:
        sending = asyncio.ensure_future(
            connection.send([delivery(n) for n in range(1, 6)], answers.report)
        )
        await answers.reach(2)
        for _ in range(3):
            await env.clock.advance(0.5)
        await sending
        await answers.reach(5)

    assert len(answers.given) == 5
    assert env.clock.elapsed == 1.5
