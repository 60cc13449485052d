"""What we publish: refusals are errors, the window is the smaller one, too large is not sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from latchway.drivers.transport.mqtt import (
    MqttClient,
    MqttDisconnected,
    MqttPacketTooLarge,
    MqttRefused,
    MqttWill,
    PublishProperties,
)

from .conftest import settings_for


async def test_a_refused_publish_is_an_error_with_the_brokers_code(start_broker, tmp_path) -> None:
    rights = tmp_path / "acl"
    rights.write_text("topic readwrite allowed/#\n", encoding="utf-8")
    broker = start_broker(f"acl_file {rights}")
    async with MqttClient(settings_for(broker)) as client:
        with pytest.raises(MqttRefused) as refused:
            await client.publish("forbidden/1", b"x")
        await client.publish("allowed/1", b"x")

    assert refused.value.reason_code == 0x87
    assert refused.value.name == "Not authorized"


async def test_a_refused_publish_in_a_pipeline_fails_alone(start_broker, tmp_path) -> None:
    rights = tmp_path / "acl"
    rights.write_text("topic readwrite allowed/#\n", encoding="utf-8")
    broker = start_broker(f"acl_file {rights}")
    async with MqttClient(settings_for(broker)) as client:
        topics = ("allowed/1", "forbidden/1", "allowed/2")
        futures = [await client.publish_soon(topic, b"x") for topic in topics]
        results = await asyncio.gather(*futures, return_exceptions=True)

    assert [type(result) for result in results] == [type(None), MqttRefused, type(None)]


async def test_the_window_is_the_smaller_of_ours_and_the_brokers(start_broker) -> None:
    broker = start_broker("max_inflight_messages 5")
    async with MqttClient(settings_for(broker, send_window=100)) as client:
        assert client.send_window == 5
    async with MqttClient(settings_for(broker, send_window=3)) as client:
        assert client.send_window == 3


async def test_no_more_than_the_window_is_ever_under_way(start_broker) -> None:
    broker = start_broker("max_inflight_messages 5")
    async with MqttClient(settings_for(broker)) as client:
        broker.freeze()
        under_way = [await client.publish_soon("t", str(number)) for number in range(5)]
        sixth = asyncio.create_task(client.publish("t", "5"))
        await asyncio.wait((sixth,), timeout=0.1)
        assert not sixth.done()
        assert not any(future.done() for future in under_way)
        broker.thaw()
        async with asyncio.timeout(10):
            await asyncio.gather(*under_way, sixth)


async def test_a_cancelled_publish_gives_its_place_in_the_window_back(start_broker) -> None:
    broker = start_broker("max_inflight_messages 1")
    async with MqttClient(settings_for(broker)) as client:
        broker.freeze()
        first = asyncio.create_task(client.publish("t", "1"))
        waiting = asyncio.create_task(client.publish("t", "2"))
        await asyncio.sleep(0)
        waiting.cancel()
        first.cancel()
        broker.thaw()
        async with asyncio.timeout(10):
            await client.publish("t", "3")


async def test_a_packet_above_the_brokers_limit_is_refused_before_sending(start_broker) -> None:
    broker = start_broker("max_packet_size 2000")
    async with MqttClient(settings_for(broker)) as client:
        with pytest.raises(MqttPacketTooLarge, match="2000"):
            await client.publish("t", b"x" * 2000)
        await client.publish("t", b"x" * 1990)
        assert not client.closed.done()


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "nul\0", "x" * 70_000])
async def test_a_topic_that_nobody_can_publish_to_is_refused_here(plain, topic: str) -> None:
    async with MqttClient(plain) as client:
        with pytest.raises(ValueError, match=r"no topic|does not fit"):
            await client.publish(topic, b"x")
        await client.publish("t", b"x")


async def test_properties_travel_with_the_message(plain) -> None:
    properties = PublishProperties(
        content_type="application/json",
        user_properties=(("id", "1"), ("id", "2"), ("späť", "✓")),
        message_expiry_s=60,
    )
    async with MqttClient(plain) as client:
        await client.subscribe(("t", 1))
        await client.publish("t", "{}", properties=properties)
        message = await anext(client.messages)

    assert message.content_type == "application/json"
    assert message.user_properties == properties.user_properties


async def test_retained_is_told_apart_from_fresh(plain) -> None:
    async with MqttClient(plain) as client:
        await client.publish("kept", "old", retain=True)
        await client.subscribe(("kept", 1))
        old = await anext(client.messages)
        await client.publish("kept", "new", retain=True)
        new = await anext(client.messages)

    assert (old.payload, old.retain) == (b"old", True)
    assert (new.payload, new.retain) == (b"new", False)


async def test_what_was_under_way_when_the_broker_died_is_unknown(broker, plain) -> None:
    async with MqttClient(plain) as client:
        broker.freeze()
        under_way = await client.publish_soon("t", b"x")
        broker.kill()
        with pytest.raises(MqttDisconnected):
            await under_way
        with pytest.raises(MqttDisconnected):
            await client.publish("t", b"y")


async def test_the_last_will_is_published_when_the_connection_breaks(plain) -> None:
    will = MqttWill("status", b"gone", properties=PublishProperties(content_type="text/plain"))
    async with MqttClient(plain) as watcher:
        await watcher.subscribe(("status", 1))
        async with MqttClient(plain, will=will) as client:
            client.abandon("cut by the test")
        async with asyncio.timeout(10):
            message = await anext(watcher.messages)

    assert (message.payload, message.content_type) == (b"gone", "text/plain")


async def test_an_orderly_end_publishes_no_will(plain) -> None:
    async with MqttClient(plain) as watcher:
        await watcher.subscribe(("status", 1), ("after", 1))
        async with MqttClient(plain, will=MqttWill("status", b"gone")) as client:
            await client.publish("after", b"")
        await watcher.publish("after", b"end")
        topics = [(await anext(watcher.messages)).topic for _ in range(2)]

    assert topics == ["after", "after"]


async def test_a_refused_subscription_is_an_error_with_the_brokers_code(
    start_broker, tmp_path: Path
) -> None:
    broker = start_broker(*deny_subscribing(tmp_path))
    async with MqttClient(settings_for(broker)) as client:
        with pytest.raises(MqttRefused, match="'secret/#'") as refused:
            await client.subscribe(("secret/#", 1))

    assert refused.value.reason_code == 0x87


def deny_subscribing(folder: Path) -> tuple[str, ...]:
    """Lines that load mosquitto's own access plugin with rights to everything but subscribing."""
    plugins = sorted(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    assert plugins, "mosquitto's dynamic security plugin is missing: apt-get install mosquitto"
    rights = folder / "rights.json"
    rights.write_text(
        """{"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true,
            "subscribe": false, "unsubscribe": true},
            "groups": [{"groupname": "anyone", "roles": []}], "anonymousGroup": "anyone"}""",
        encoding="utf-8",
    )
    return f"plugin {plugins[0]}", f"plugin_opt_config_file {rights}"
