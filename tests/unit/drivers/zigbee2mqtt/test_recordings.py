"""Every recording of the real Zigbee2MQTT becomes the right events; the locks' truth judges."""

from __future__ import annotations

import pytest

from latchway.drivers.contract import DeliveryClass
from latchway.drivers.testing import FakeContext, VirtualClock, settle
from latchway.drivers.zigbee2mqtt import VENDOR
from support.zigbee2mqtt import at_home, line
from support.zigbee2mqtt_expected import EXPECTED
from support.zigbee2mqtt_replay import LOCKS, Message, Truth, recorded

pytestmark = pytest.mark.shared


UNTOLD = {("failures_schlage", 38.249)}
"""The bolt was moved by another client's command, and neither lock nor bridge said a word of it."""


async def replay(name: str) -> tuple[FakeContext, list[str]]:
    """Play a recording in its own time; return the context and a line per event."""
    context = FakeContext(VENDOR, clock=VirtualClock())
    names: dict[str | None, str] = {None: "-"}
    lines: list[str] = []
    told = 0
    async with at_home(context=context) as house:
        start: float | None = None
        for entry in recorded(name):
            start = entry.at if start is None else start
            late = entry.at - start - context.clock.monotonic()
            if late > 0:
                await house.wait(late)
            if isinstance(entry, Message):
                context.broker.publish(
                    entry.topic, entry.payload, qos=entry.qos, retain=entry.retain
                )
                await settle()
            elif (name, entry.at) not in UNTOLD:
                judge(context, entry)
            names |= {device: state.name for device, state in context.devices().items()}
            lines += [f"{names[event.device]}: {line(event)}" for event in context.events[told:]]
            told = len(context.events)
    return context, lines


def judge(context: FakeContext, truth: Truth) -> None:
    """Nobody may call a bolt locked, and confirmed, that is not."""
    for state in context.devices().values():
        bolt = state.attributes.get("lock_state")
        if state.name == truth.name and bolt is not None and bolt.source.confirms:
            assert bolt.value != "locked" or truth.bolt == 1, f"at {truth.at}"


def test_every_recording_is_played():
    assert EXPECTED.keys() == LOCKS.keys()


@pytest.mark.parametrize("name", sorted(LOCKS))
async def test_a_recording_becomes_these_events(name):
    context, lines = await replay(name)
    assert lines == EXPECTED[name]
    assert context.rejects == []
    assert context.broker.unacknowledged == 0


async def test_one_topic_per_key_is_complained_of():
    context, _ = await replay("output_attribute")
    assert any("set advanced.output to json" in reason for reason in context.degraded)


async def test_the_qos_option_makes_the_vendor_queued():
    context, _ = await replay("options")
    assert context.delivery_class is DeliveryClass.QUEUED
    context, _ = await replay("keypad")
    assert context.delivery_class is DeliveryClass.LIVE
