"""The test kit's broker and client behave like mosquitto and the real client: one set of tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from latchway.drivers.testing import FakeBroker, FakeMqttClient
from latchway.drivers.transport.mqtt import (
    MqttClient,
    MqttDisconnected,
    MqttSettings,
    MqttUnreachable,
)

Connect = Callable[..., MqttClient]
SESSION = {"client_id": "worker", "clean_start": False, "session_expiry_s": 300}


@pytest.fixture(params=["mosquitto", "fake"])
def connect(request, start_broker) -> Connect:
    """Make a client of one broker; further settings as arguments."""
    if request.param == "fake":
        fake = FakeBroker()
        return lambda **more: FakeMqttClient(fake, MqttSettings.model_validate(more))
    broker = start_broker("max_queued_messages 0")
    where = {"host": "127.0.0.1", "port": broker.port}
    return lambda **more: MqttClient(MqttSettings.model_validate({**where, **more}))


@pytest.fixture
def publish(connect) -> Callable:
    """Publish as somebody else does."""

    async def publish(*messages: tuple[str, bytes], qos: int = 1, retain: bool = False) -> None:
        client = connect()
        if isinstance(client, FakeMqttClient):
            for topic, payload in messages:
                client._broker.publish(topic, payload, qos=qos, retain=retain)
            return
        async with client:
            for topic, payload in messages:
                await client.publish(topic, payload, qos=qos, retain=retain)

    return publish


async def take(client: MqttClient, count: int) -> list[tuple]:
    async with asyncio.timeout(10):
        taken = [await client.receive() for _ in range(count)]
    return [(m.topic, m.payload, m.qos, m.retain, m.duplicate) for m in taken]


async def test_messages_arrive_in_order_with_ids_of_their_own(connect, publish) -> None:
    async with connect(**SESSION) as client:
        assert not client.session_present
        await client.subscribe(("a/+", 1), ("b/#", 0))
        await publish(("a/1", b"1"), ("b", b"2"), ("a/1/2", b"no"), ("b/x/y", b"3"), ("a/2", b"4"))
        messages = [await client.receive() for _ in range(4)]

    assert [(m.topic, m.qos) for m in messages] == [("a/1", 1), ("b", 0), ("b/x/y", 0), ("a/2", 1)]
    ids = [m.packet_id for m in messages if m.qos]
    assert len(set(ids)) == 2
    assert messages[1].delivery is None


async def test_what_was_not_acknowledged_comes_again(connect, publish) -> None:
    async with connect(**SESSION) as client:
        await client.subscribe(("t", 1))
        await publish(("t", b"1"), ("t", b"2"), ("t", b"3"))
        first, second, _ = [await client.receive() for _ in range(3)]
        client.acknowledge(second)
        assert client.unacknowledged == 3
        client.acknowledge(first)
        assert client.unacknowledged == 1
    await publish(("t", b"4"))
    async with connect(**SESSION) as client:
        assert client.session_present
        client.acknowledge(first)
        assert await take(client, 2) == [
            ("t", b"3", 1, False, True),
            ("t", b"4", 1, False, False),
        ]


async def test_a_clean_start_forgets_the_session(connect, publish) -> None:
    async with connect(**SESSION) as client:
        await client.subscribe(("t", 1))
    await publish(("t", b"1"))
    async with connect(client_id="worker") as client:
        assert not client.session_present
        await client.subscribe(("t", 1))
        await publish(("t", b"2"))
        assert await take(client, 1) == [("t", b"2", 1, False, False)]


async def test_retained_messages_come_with_the_subscription_and_say_so(connect, publish) -> None:
    await publish(("kept", b"old"), retain=True)
    async with connect() as client:
        await client.subscribe(("kept", 1))
        await publish(("kept", b"new"), retain=True)
        assert await take(client, 2) == [
            ("kept", b"old", 1, True, False),
            ("kept", b"new", 1, False, False),
        ]


async def test_a_subscription_may_do_without_retained_messages(connect, publish) -> None:
    await publish(("kept", b"old"), retain=True)
    async with connect() as client:
        await client.subscribe(("kept", 1), retain_handling=2)
        await publish(("kept", b"new"), retain=True)
        assert await take(client, 1) == [("kept", b"new", 1, False, False)]


async def test_two_clients_have_sessions_of_their_own(connect, publish) -> None:
    async with connect(**SESSION) as client, connect(client_id="other") as other:
        await client.subscribe(("a", 1))
        await other.subscribe(("+", 0))
        await publish(("a", b"1"), ("b", b"2"))
        assert await take(other, 2) == [
            ("a", b"1", 0, False, False),
            ("b", b"2", 0, False, False),
        ]
        assert await take(client, 1) == [("a", b"1", 1, False, False)]
        assert (client.unacknowledged, other.unacknowledged) == (1, 0)
    async with connect(**SESSION) as client:
        assert await take(client, 1) == [("a", b"1", 1, False, True)]


async def test_who_comes_with_the_same_client_id_takes_the_session_over(connect, publish) -> None:
    async with connect(**SESSION) as first:
        await first.subscribe(("t", 1))
        async with connect(**SESSION) as second:
            assert second.session_present
            with pytest.raises(MqttDisconnected):
                await first.receive()
            await publish(("t", b"1"))
            assert await take(second, 1) == [("t", b"1", 1, False, False)]


async def test_topics_of_the_broker_itself_need_their_own_subscription(connect, publish) -> None:
    async with connect() as client:
        await client.subscribe(("#", 1))
        await publish(("t", b"1"))
        assert await take(client, 1) == [("t", b"1", 1, False, False)]


async def test_after_the_end_everything_raises(connect) -> None:
    async with connect() as client:
        pass
    with pytest.raises(MqttDisconnected):
        await client.receive()
    with pytest.raises(MqttDisconnected):
        await client.publish("t", b"x")
    with pytest.raises(MqttDisconnected):
        await client.subscribe(("t", 1))


async def test_a_fake_broker_that_is_off_is_unreachable() -> None:
    broker = FakeBroker()
    broker.reachable = False
    with pytest.raises(MqttUnreachable):
        async with FakeMqttClient(broker, MqttSettings()):
            pass
