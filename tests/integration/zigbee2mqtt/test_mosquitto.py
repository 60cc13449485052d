"""The driver and the virtual Zigbee2MQTT on a real mosquitto: sessions, order, redelivery."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from latchway.drivers.contract import DeliveryClass
from latchway.drivers.testing import FakeContext
from latchway.drivers.transport.mqtt import MqttClient, MqttSettings
from latchway.drivers.zigbee2mqtt import VENDOR
from latchway.drivers.zigbee2mqtt.simulator import (
    BadInput,
    BridgeOptions,
    Simulator,
    VirtualBridge,
)
from support.mosquitto import Mosquitto
from support.zigbee2mqtt import BASE, SLEEPY_DEADBOLT, line, lock
from support.zigbee2mqtt_expected import EXPECTED
from support.zigbee2mqtt_replay import LOCKS, Message, recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

PERSISTENT = ("persistence true", "max_queued_messages 0")


class RealClock:
    """The contract's clock on the real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class BrokerContext(FakeContext):
    """A context in memory whose MQTT client is the real one."""

    def mqtt(self, settings: MqttSettings):
        return MqttClient(settings)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker", *PERSISTENT) as mosquitto:
        yield mosquitto


def new_context(broker: Mosquitto, **settings: object) -> BrokerContext:
    mqtt = {"host": "127.0.0.1", "port": broker.port}
    return BrokerContext(VENDOR, {"mqtt": mqtt, "pacing_s": 0.1, **settings}, clock=RealClock())


def restarted(context: BrokerContext, broker: Mosquitto) -> BrokerContext:
    """The context of the worker's next start: what was stored, and nothing else."""
    again = new_context(broker)
    again._cursors, again._states = context._cursors, context._states
    return again


@asynccontextmanager
async def at_work(context: FakeContext) -> AsyncIterator[None]:
    task = asyncio.create_task(VENDOR.driver().run(context))
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def publisher(broker: Mosquitto) -> MqttClient:
    return MqttClient(MqttSettings(host="127.0.0.1", port=broker.port))


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - the condition is another's state
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what}") from None


def lines(context: FakeContext) -> list[str]:
    return [line(event) for event in context.events]


async def test_what_happens_at_virtual_locks_becomes_events(broker: Mosquitto):
    context = new_context(broker)
    bridge = VirtualBridge([lock()], BridgeOptions(qos=1))
    settings = MqttSettings(host="127.0.0.1", port=broker.port)
    async with Simulator(bridge, settings) as simulator, at_work(context):
        await until(lambda: "bolt locked read" in lines(context), "an answer to the question")
        await simulator.publish(bridge.act("front", "unlock", "keypad", 3))
        await simulator.publish(bridge.misbehave("front", BadInput.NOT_UTF8))
        await simulator.publish(bridge.report("front", battery=50))
        await until(lambda: "battery 50" in lines(context), "the last event")
    assert lines(context) == [
        "device paired",
        "bolt locked read",
        "unlock by keypad code 3",
        "bolt unlocked reported",
        "battery 50",
    ]
    assert [reject.reason.partition(":")[0] for reject in context.rejects] == ["not_utf8"]
    assert context.delivery_class is DeliveryClass.QUEUED


async def test_a_bridge_that_dies_is_told_by_its_will(broker: Mosquitto):
    context = new_context(broker)
    bridge = VirtualBridge([lock()], BridgeOptions(qos=1))
    async with at_work(context):
        simulator = Simulator(bridge, MqttSettings(host="127.0.0.1", port=broker.port))
        async with simulator:
            await until(lambda: "bolt locked read" in lines(context), "the bolt")
            simulator.die()
        await until(lambda: "unreachable: the bridge is offline" in lines(context), "the will")
        async with Simulator(bridge, MqttSettings(host="127.0.0.1", port=broker.port)):
            await until(lambda: "gap bridge_down" in lines(context), "the gap")


async def test_what_happens_while_the_worker_is_away_comes_later_in_order_and_once(
    broker: Mosquitto,
):
    context = new_context(broker)
    bridge = VirtualBridge([lock()], BridgeOptions(qos=1))
    async with Simulator(bridge, MqttSettings(host="127.0.0.1", port=broker.port)) as simulator:
        async with at_work(context):
            await until(lambda: "bolt locked read" in lines(context), "the bolt")
        for slot in range(200):
            await simulator.publish(bridge.act("front", "unlock", "keypad", slot)[0])
        context = restarted(context, broker)
        async with at_work(context):
            wanted = [f"unlock by keypad code {slot}" for slot in range(200)]
            await until(lambda: len(lines(context)) >= 200, "what was queued")
            assert lines(context) == wanted


async def test_what_was_not_stored_is_delivered_again(broker: Mosquitto):
    context = new_context(broker)
    bridge = VirtualBridge([lock()], BridgeOptions(qos=1))
    async with Simulator(bridge, MqttSettings(host="127.0.0.1", port=broker.port)) as simulator:
        async with at_work(context):
            await until(lambda: "bolt locked read" in lines(context), "the bolt")
            context.store_at_once = False
            await simulator.publish(bridge.act("front", "unlock", "keypad", 7)[0])
            await until(lambda: context.waiting == 1, "the submit")
        again = restarted(context, broker)
        async with at_work(again):
            await until(lambda: bool(again.events), "the redelivery")
            assert lines(again) == ["unlock by keypad code 7"]


async def test_a_broker_that_forgets_the_session_is_a_gap(tmp_path: Path):
    with Mosquitto(tmp_path / "forgetful", "persistence false") as broker:
        context = new_context(broker)
        async with publisher(broker) as bridge:
            await announce(bridge)
            async with at_work(context):
                await until(lambda: "device paired" in lines(context), "the lock")
                await bridge.publish(f"{BASE}/front", b'{"linkquality":1,"battery":50}', qos=1)
                await until(lambda: "battery 50" in lines(context), "the battery")
                broker.stop()
                broker.start()
                await until(lambda: "gap session_lost" in lines(context), "the gap")
                async with publisher(broker) as another:
                    await announce(another)
                    await another.publish(f"{BASE}/front", b'{"linkquality":1,"battery":9}', qos=1)
                    await until(lambda: "battery critical" in lines(context), "events again")


async def test_strangers_are_kept_and_the_messages_of_locks_come_once(broker: Mosquitto):
    context = new_context(broker)
    bridge = VirtualBridge([lock()], BridgeOptions(qos=1))
    async with (
        Simulator(bridge, MqttSettings(host="127.0.0.1", port=broker.port)) as simulator,
        publisher(broker) as somebody,
        at_work(context),
    ):
        await until(lambda: "bolt locked read" in lines(context), "the bolt")
        before = len(context.batches)
        for slot in range(50):
            await simulator.publish(bridge.act("front", "unlock", "keypad", slot)[0])
            await somebody.publish(f"{BASE}/Nobody", b'{"action":"unlock"}', qos=slot % 2)
        await until(lambda: len(context.rejects) >= 50, "what is kept of strangers")
        told = [text for text in lines(context) if text.startswith("unlock by keypad")]
    assert told == [f"unlock by keypad code {slot}" for slot in range(50)]
    delivered = [batch.delivery for batch in context.batches[before:] if batch.events]
    assert len(delivered) == 50
    assert None not in delivered, "they came at QoS 1"
    assert {reject.reason for reject in context.rejects} == {
        "unknown_device: the bridge lists no device named 'Nobody'"
    }
    assert len(context.rejects) == 50
    assert context.delivery_class is DeliveryClass.QUEUED


async def announce(client: MqttClient) -> None:
    await client.publish(f"{BASE}/bridge/state", b'{"state":"online"}', retain=True)
    listing = json.dumps([lock(model=SLEEPY_DEADBOLT).listing()])
    await client.publish(f"{BASE}/bridge/devices", listing, retain=True)


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(LOCKS))
async def test_a_recording_played_through_mosquitto_becomes_the_same_events(
    broker: Mosquitto, name: str
):
    """In a tenth of its time; gaps of more than a second are cut, since nothing happens in them."""
    context = new_context(broker)
    expected = [text.split(": ", 1)[1] for text in EXPECTED[name]]
    async with at_work(context), publisher(broker) as bridge:
        await until(lambda: context.class_reason != "", "the subscriptions")
        before: float | None = None
        for entry in recorded(name):
            if not isinstance(entry, Message):
                continue
            pause_s = 0.0 if before is None else min(entry.at - before, 1.0)
            before = entry.at
            await asyncio.sleep(pause_s / 10 if pause_s < 0.1 else max(pause_s / 10, 0.05))
            await bridge.publish(
                entry.topic, entry.payload, qos=min(entry.qos, 1), retain=entry.retain
            )
        await until(lambda: len(context.events) >= len(expected), "the last events")
    assert sorted(without_source(lines(context))) == sorted(without_source(expected))
    assert context.rejects == []


def without_source(told: list[str]) -> list[str]:
    """Whether a state was read or reported depends on who asked first, which is a race here."""
    return [text.removesuffix(" read").removesuffix(" reported") for text in told]
