"""QoS 1 is acknowledged only when told, in order of arrival, and on its own connection only."""

from __future__ import annotations

import asyncio
import sys

from latchway.drivers.transport.mqtt import MqttClient, MqttMessage, MqttSettings
from support.mosquitto import Mosquitto

KILLED_CONSUMER = """
import asyncio, sys
from latchway.drivers.transport.mqtt import MqttClient, MqttSettings

async def main() -> None:
    settings = MqttSettings.model_validate_json(sys.argv[1])
    async with MqttClient(settings) as client:
        await client.subscribe(("t/#", 1))
        print("ready", flush=True)
        taken = 0
        async for message in client.messages:
            taken += 1
            if taken <= 40:
                client.acknowledge(message)
            if taken == 99:
                print("taken", flush=True)

asyncio.run(main())
"""


async def publish(settings: MqttSettings, *payloads: str, qos: int = 1) -> None:
    async with MqttClient(settings) as client:
        for payload in payloads:
            await client.publish("t/1", payload, qos=qos)


async def take(client: MqttClient, count: int) -> list[MqttMessage]:
    messages = client.messages
    async with asyncio.timeout(10):
        return [await anext(messages) for _ in range(count)]


async def remaining(settings: MqttSettings) -> list[MqttMessage]:
    """Resume the session, send a marker through it, and return all that came before the marker."""
    taken: list[MqttMessage] = []
    async with MqttClient(settings) as client:
        assert client.session_present
        await client.subscribe(("marker", 0), ("t/#", 1))
        await client.publish("marker", "end", qos=0)
        async with asyncio.timeout(10):
            async for message in client.messages:
                if message.topic == "marker":
                    break
                taken.append(message)
                client.acknowledge(message)
    return taken


def texts(messages: list[MqttMessage]) -> list[str]:
    return [message.payload.decode() for message in messages]


async def test_what_is_not_acknowledged_comes_again_marked_as_duplicate(session, plain) -> None:
    async with MqttClient(session) as client:
        await client.subscribe(("t/#", 1))
        await publish(plain, "a", "b")
        first = await take(client, 2)

    again = await remaining(session)

    assert texts(again) == ["a", "b"]
    assert [message.duplicate for message in first] == [False, False]
    assert [message.duplicate for message in again] == [True, True]
    assert [m.packet_id for m in again] == [m.packet_id for m in first]
    for old, new in zip(first, again, strict=True):
        assert old.delivery is not None
        assert new.delivery is not None
        assert old.delivery.digest == new.delivery.digest


async def test_a_consumer_killed_hard_loses_nothing_that_it_did_not_acknowledge(
    session, plain
) -> None:
    consumer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KILLED_CONSUMER,
        session.model_dump_json(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert consumer.stdout is not None
    try:
        assert await consumer.stdout.readline() == b"ready\n"
        await publish(plain, *[str(number) for number in range(99)])
        assert await consumer.stdout.readline() == b"taken\n"
    finally:
        consumer.kill()
        await consumer.wait()

    again = texts(await remaining(session))

    assert again[-59:] == [str(number) for number in range(40, 99)]


async def test_acknowledgements_leave_in_order_of_arrival(session, plain) -> None:
    async with MqttClient(session) as client:
        await client.subscribe(("t/#", 1))
        await publish(plain, "a", "b", "c", "d")
        a, b, c, _ = await take(client, 4)
        client.acknowledge(c)
        client.acknowledge(b)
        assert client.unacknowledged == 4
        client.acknowledge(a)
        assert client.unacknowledged == 1

    assert texts(await remaining(session)) == ["d"]


async def test_acknowledging_twice_acknowledges_nothing_else(session, plain) -> None:
    async with MqttClient(session) as client:
        await client.subscribe(("t/#", 1))
        await publish(plain, "a", "b")
        a, _ = await take(client, 2)
        client.acknowledge(a)
        client.acknowledge(a)

    assert texts(await remaining(session)) == ["b"]


async def test_a_message_of_an_old_connection_is_never_acknowledged_on_another(
    session, plain
) -> None:
    async with MqttClient(session) as client:
        await client.subscribe(("t/#", 1))
        await publish(plain, "a")
        (old,) = await take(client, 1)
    client.acknowledge(old)
    async with MqttClient(session) as client:
        (new,) = await take(client, 1)
        assert new.packet_id == old.packet_id
        client.acknowledge(old)

    assert texts(await remaining(session)) == ["a"]


async def test_what_is_acknowledged_does_not_come_again(session, plain) -> None:
    async with MqttClient(session) as client:
        await client.subscribe(("t/#", 1))
        await publish(plain, *[str(number) for number in range(500)])
        for _ in range(500):
            (message,) = await take(client, 1)
            client.acknowledge(message)

    assert await remaining(session) == []


async def test_a_session_that_the_broker_forgot_is_reported(broker: Mosquitto, session) -> None:
    async with MqttClient(session) as client:
        assert not client.session_present
        await client.subscribe(("t/#", 1))
    async with MqttClient(session) as client:
        assert client.session_present
    broker.kill()  # without persistence
    broker.start()
    async with MqttClient(session) as client:
        assert not client.session_present


async def test_qos_0_has_no_delivery_and_may_be_acknowledged_without_effect(session, plain) -> None:
    async with MqttClient(session) as client:
        await client.subscribe(("t/#", 1))
        await publish(plain, "now", qos=0)
        (message,) = await take(client, 1)
        client.acknowledge(message)

        assert message.delivery is None
        assert message.qos == 0
