"""What no bridge should publish is survived: a worker that ends would get it again and again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from latchway.drivers.zigbee2mqtt.attributes import Moment
from latchway.drivers.zigbee2mqtt.bridge import BridgeEvent, decode_info
from latchway.drivers.zigbee2mqtt.fleet import Fleet
from latchway.drivers.zigbee2mqtt.protocol import LockSaid
from latchway.schemas import decode_draft, encode_draft
from support.zigbee2mqtt import address, at_home, device_list, lock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMOJI = "\U0001f6aa"


def test_a_version_of_very_many_digits_is_no_crash():
    info = {"zigbee_herdsman_converters": {"version": "1" * 5000}}
    assert decode_info(json.dumps(info).encode()).converters is not None


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 500, "["])
async def test_an_option_that_is_no_regular_expression_is_no_crash(pattern):
    options = {"device_options": {"filtered_attributes": [pattern]}}
    async with at_home(lock(), options=options) as house:
        await house.say(battery=50)
        assert house.heard() == ["battery 50"]


async def test_a_slot_that_is_longer_than_any_is_an_unknown_action():
    async with at_home(lock()) as house:
        await house.say(action="finger_open_user_id" + "4" * 5000)
        (event,) = house.context.events[-1:]
        assert decode_draft(encode_draft(event)) is not None
        assert house.heard() == ["unknown by unknown 'finger_open_user_id#'"]


async def test_hundreds_of_locks_with_the_longest_names_are_stored_and_known_again():
    def named(number: int) -> object:
        return {**lock(number=number).listing(), "friendly_name": f"{number:03}{EMOJI * 250}"}

    long = dict.fromkeys(("model_id", "manufacturer", "software_build_id"), EMOJI * 300)
    async with at_home(lock()) as house:
        listing = [{**named(number), **long} for number in range(1, 301)]
        for entry in listing:
            entry["definition"] = {**entry["definition"], "model": EMOJI * 99, "vendor": EMOJI * 99}
        await house.publish("bridge/devices", listing, retain=True)
        assert house.heard().count("device paired") == 299
        await house.bridge(online=False)
        assert len(house.heard()) == 300
    async with at_home(context=house.context.restarted()) as house:
        await house.publish(f"300{EMOJI * 250}", {"linkquality": 1, "battery": 7}, qos=1)
        await house.wait(1)
        assert "battery 7" in house.heard()


async def test_a_lock_that_exposes_thousands_of_keys_is_a_lock():
    keys = [{"type": "numeric", "property": f"{'x' * 100}{n}", "access": 1} for n in range(4000)]
    entry = lock("back", 2).listing()
    entry["definition"]["exposes"] += keys
    async with at_home(lock()) as house:
        await house.publish("bridge/devices", [*device_list(lock()), entry])
        assert house.heard() == ["device paired"]


async def test_leaves_of_devices_that_are_no_locks_are_not_remembered():
    fleet = Fleet({}, lambda _: None)
    for number in range(10):
        event = BridgeEvent("device_leave", address(number))
        fleet.take(event, Moment(NOON, 0.0), retained=False)
    assert fleet._left == {}


@pytest.mark.parametrize("name", ["bridge/devices", "bridge/state", "bridge/info"])
async def test_a_lock_with_the_name_of_a_bridge_topic_does_not_make_us_deaf(name):
    async with at_home(lock()) as house:
        await house.list(lock(name))
        await house.list(lock("front"))
        await house.bridge(online=False)
        assert house.heard() == ["unreachable: the bridge is offline"]
        await house.bridge(online=True)
        await house.say(battery=50)
        assert "battery 50" in house.heard()
        assert house.context.rejects == []


async def test_cursors_of_another_version_are_no_crash():
    async with at_home(lock()) as house:
        context = house.context
    context = context.restarted()
    context._cursors |= {
        f"held/{address(1)}": {"event": {"from": "the future"}, "at": "noon"},
        f"profile/{address(1)}": {"from": "the future"},
        "coverage": {"until": "noon", "class": "excellent"},
    }
    async with at_home(context=context) as house:
        await house.list(lock())
        await house.say(battery=50)
        assert "battery 50" in house.heard()


async def test_a_fault_of_ours_in_one_message_keeps_it_aside_and_reads_on(monkeypatch):
    def faulty(fleet: Fleet, message: object, moment: Moment, *, retained: bool) -> object:
        if isinstance(message, LockSaid) and poisoned:
            raise ZeroDivisionError
        return take(fleet, message, moment, retained=retained)

    take, poisoned = Fleet.take, [True]
    async with at_home(lock()) as house:
        monkeypatch.setattr(Fleet, "take", faulty)
        await house.say(battery=50)
        (rejected,) = house.context.rejects
        assert rejected.reason.startswith("internal_error: ZeroDivisionError")
        assert house.context.broker.unacknowledged == 0
        poisoned.clear()
        await house.say(battery=40)
        assert house.heard() == ["battery 40"]
