"""What the client makes of bytes that a good broker never sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from latchway.drivers.testing import settle
from latchway.drivers.transport.mqtt import (
    MqttClient,
    MqttDisconnected,
    MqttPacketTooLarge,
    MqttRefused,
    MqttSettings,
    MqttUnreachable,
)
from support.scripted_broker import (
    CONNACK,
    ScriptedBroker,
    connack,
    puback,
    publish_packet,
    scripted_broker,
)


@contextlib.asynccontextmanager
async def connection(
    greeting: bytes = CONNACK, **settings: object
) -> AsyncIterator[tuple[ScriptedBroker, MqttClient]]:
    async with (
        scripted_broker(greeting) as broker,
        MqttClient(settings_for(broker, **settings)) as client,
    ):
        try:
            yield broker, client
        finally:
            broker.close()  # as a broker does that was told goodbye


def settings_for(broker: ScriptedBroker, **more: object) -> MqttSettings:
    values = {"host": "127.0.0.1", "port": broker.port, "connect_timeout_s": 3, **more}
    return MqttSettings.model_validate(values)


async def test_a_topic_that_is_not_utf8_is_counted_and_acknowledged() -> None:
    async with connection() as (broker, client):
        broker.send(publish_packet(b"\xff\xfe", packet_id=7), publish_packet(b"good", packet_id=8))
        message = await client.receive()
        assert message.topic == "good"
        assert await broker.packet() == puback(7)
        client.acknowledge(message)
        assert await broker.packet() == puback(8)
        assert client.counters.invalid_topics == 1


async def test_a_bad_topic_waits_its_turn_to_be_acknowledged() -> None:
    async with connection() as (broker, client):
        broker.send(publish_packet(b"good", packet_id=1), publish_packet(b"\xff", packet_id=2))
        message = await client.receive()
        assert client.unacknowledged == 2
        client.acknowledge(message)
        assert await broker.packet() == puback(1)
        assert await broker.packet() == puback(2)


@pytest.mark.parametrize(
    "properties",
    [
        b"\x26\x00\x01\xff\x00\x01b",  # a user property that is not UTF-8
        b"\x7f\x00",  # no such property
        b"\x03\x00\x09a",  # cut short
        b"\x0b\xff\xff\xff\xff\xff",  # endless variable byte integer
    ],
)
async def test_a_message_with_strange_properties_arrives_without_them(properties: bytes) -> None:
    async with connection() as (broker, client):
        broker.send(publish_packet(b"t", b"kept", packet_id=1, properties=properties))
        message = await client.receive()

        assert message.payload == b"kept"
        assert message.user_properties == ()
        assert client.counters.invalid_properties == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"\x30\xff\xff\xff\xff\xff",  # length of five bytes
        b"\x30\xff\xff\xff\x7f",  # longer than we allow
        b"\x32\x02\x00\x09",  # topic longer than the packet
        b"\x30\x00",
        b"\x40\x01\x00",  # PUBACK without packet id
        b"\xf0\x00",  # AUTH that nobody asked for
        b"\x00\x00",  # reserved
        b"\x20\x01\x00",  # half a CONNACK
    ],
)
async def test_what_is_no_packet_ends_the_connection_and_nothing_else(sent: bytes) -> None:
    async with connection() as (broker, client):
        under_way = await client.publish_soon("t", b"x")
        broker.send(sent)
        async with asyncio.timeout(5):
            reason = await client.closed
            with pytest.raises(MqttDisconnected):
                await under_way
        assert "127.0.0.1" in str(reason)


async def test_a_suback_that_nobody_waits_for_is_ignored() -> None:
    async with connection() as (broker, client):
        broker.send(b"\x90\x04\x00\x09\x00\x01", publish_packet(b"after"))
        assert (await client.receive()).topic == "after"


async def test_messages_received_before_the_end_are_still_handed_out() -> None:
    async with connection() as (broker, client):
        broker.send(publish_packet(b"a", packet_id=1), b"\xf0\x00")
        await client.closed
        message = await client.receive()
        client.acknowledge(message)
        with pytest.raises(MqttDisconnected):
            await client.receive()

        assert message.topic == "a"


async def test_an_acknowledgement_for_another_packet_acknowledges_nothing() -> None:
    async with connection() as (broker, client):
        under_way = await client.publish_soon("t", b"x")
        packet = await broker.packet()
        packet_id = int.from_bytes(packet[5:7], "big")
        broker.send(puback(packet_id + 1), publish_packet(b"after"))
        await client.receive()
        assert not under_way.done()
        broker.send(puback(packet_id), puback(packet_id), publish_packet(b"after"))
        await client.receive()
        assert under_way.done()
        assert client.send_window == 100


@pytest.mark.parametrize("reason", [0x80, 0x83, 0x87, 0x97, 0xFE])
async def test_each_reason_code_from_0x80_is_a_refusal(reason: int) -> None:
    async with connection() as (broker, client):
        under_way = await client.publish_soon("t", b"x")
        packet = await broker.packet()
        broker.send(puback(int.from_bytes(packet[5:7], "big"), reason, 0))
        with pytest.raises(MqttRefused) as refused:
            await under_way

        assert refused.value.reason_code == reason


async def test_no_matching_subscribers_is_no_refusal() -> None:
    async with connection() as (broker, client):
        under_way = await client.publish_soon("t", b"x")
        packet = await broker.packet()
        broker.send(puback(int.from_bytes(packet[5:7], "big"), 0x10))
        async with asyncio.timeout(5):
            await under_way


async def test_the_limits_of_the_connack_hold() -> None:
    limits = b"\x21\x00\x02" + b"\x27\x00\x00\x00\x40" + b"\x24\x01" + b"\x25\x00"
    async with connection(connack(properties=limits)) as (_, client):
        assert client.send_window == 2
        with pytest.raises(MqttPacketTooLarge):
            await client.publish("t", b"x" * 64)
        with pytest.raises(MqttRefused, match="Retain not supported"):
            await client.publish("t", b"x", retain=True)


async def test_reading_pauses_when_the_broker_sends_more_than_it_may() -> None:
    async with connection(receive_maximum=3) as (broker, client):
        for packet_id in range(1, 101):
            broker.send(publish_packet(b"t", str(packet_id).encode(), packet_id=packet_id))
        payloads = []
        taken = [await client.receive() for _ in range(4)]
        assert client.counters.pauses == 1
        assert client.receive_nowait() is None
        assert client.unacknowledged == 4
        for message in taken:
            payloads.append(message.payload)
            client.acknowledge(message)
        while len(payloads) < 100:
            message = await client.receive()
            payloads.append(message.payload)
            client.acknowledge(message)
            assert client.unacknowledged <= 4

        assert payloads == [str(number).encode() for number in range(1, 101)]
        assert [await broker.packet() for _ in range(100)] == [
            puback(number) for number in range(1, 101)
        ]


async def test_a_suback_behind_too_many_messages_is_still_read() -> None:
    async with connection(receive_maximum=3) as (broker, client):
        subscribing = asyncio.create_task(client.subscribe(("t", 1)))
        packet = await broker.packet()
        for packet_id in range(1, 51):
            broker.send(publish_packet(b"t", packet_id=packet_id))
        broker.send(b"\x90\x04" + packet[2:4] + b"\x00\x01")
        async with asyncio.timeout(5):
            await subscribing
        for _ in range(50):
            client.acknowledge(await client.receive())


async def test_an_acknowledgement_behind_too_many_messages_is_still_read() -> None:
    async with connection(receive_maximum=3) as (broker, client):
        for packet_id in range(1, 51):
            broker.send(publish_packet(b"t", packet_id=packet_id))
        first = await client.receive()
        assert client.counters.pauses == 1
        under_way = await client.publish_soon("t", b"x")
        packet = await broker.packet()
        broker.send(puback(int.from_bytes(packet[5:7], "big")))
        async with asyncio.timeout(5):
            await under_way
        client.acknowledge(first)


async def test_leaving_waits_until_the_broker_has_read_everything() -> None:
    async with connection() as (broker, client):
        broker.send(publish_packet(b"t", packet_id=1))
        client.acknowledge(await client.receive())
        leaving = asyncio.create_task(client.__aexit__(None, None, None))
        assert await broker.packet() == puback(1)
        assert (await broker.packet())[0] == 0xE0
        await settle()
        assert not leaving.done()
        broker.close()
        async with asyncio.timeout(5):
            await leaving
        assert "closed by us" in str(client.closed.result())


async def test_what_the_settings_say_is_what_the_broker_is_told() -> None:
    async with connection(
        receive_maximum=7, session_expiry_s=60, client_id="me", clean_start=False, keep_alive_s=9
    ) as (broker, _):
        packet = broker.connect_packet

    assert b"\x21\x00\x07" in packet
    assert b"\x11\x00\x00\x00\x3c" in packet
    assert packet.endswith(b"\x00\x02me")
    assert b"MQTT\x05" in packet
    assert b"\x00\x00\x09" in packet


async def test_a_broker_that_answers_nothing_is_given_up() -> None:
    async with scripted_broker(b"") as broker:
        with pytest.raises(MqttUnreachable, match=r"No answer from .* within 0\.2 s"):
            async with MqttClient(settings_for(broker, connect_timeout_s=0.2)):
                pass


async def test_a_refused_connection_carries_the_brokers_code() -> None:
    async with scripted_broker(connack(reason=0x86)) as broker:
        with pytest.raises(MqttRefused, match="Bad user name or password") as refused:
            async with MqttClient(settings_for(broker)):
                pass

    assert refused.value.reason_code == 0x86


async def test_a_broker_of_mqtt_3_is_named_as_unreachable() -> None:
    async with scripted_broker(b"\x20\x02\x00\x01") as broker:
        with pytest.raises((MqttUnreachable, MqttRefused)):
            async with MqttClient(settings_for(broker)):
                pass


async def test_a_client_is_one_connection() -> None:
    async with scripted_broker() as broker:
        client = MqttClient(settings_for(broker))
        async with client:
            broker.close()
        with pytest.raises(RuntimeError, match="one connection"):
            await client.__aenter__()


async def test_cancelling_while_connecting_leaves_nothing_behind() -> None:
    async with scripted_broker(b"") as broker:
        client = MqttClient(settings_for(broker))
        connecting = asyncio.create_task(client.__aenter__())
        await broker.connected.wait()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert client.closed.done()


async def test_a_broker_that_says_goodbye_gives_its_reason() -> None:
    async with connection() as (broker, client):
        broker.send(b"\xe0\x02\x8b\x00")
        reason = await client.closed

    assert "Server shutting down" in str(reason)
