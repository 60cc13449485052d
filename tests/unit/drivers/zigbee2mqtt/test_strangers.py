"""Messages under names that the bridge does not list are kept; all others cost nothing."""

from __future__ import annotations

import json

import pytest

from latchway.drivers.testing import FakeContext, VirtualClock
from latchway.drivers.zigbee2mqtt import VENDOR
from latchway.drivers.zigbee2mqtt.strangers import (
    COUNT_EVERY_S,
    GRACE_S,
    KEPT_BURST,
    WAITING_LIMIT,
    Strangers,
)
from support.zigbee2mqtt import BASE, House, address, at_home, device_list, lock

UNLOCK = {"linkquality": 90, "action": "unlock", "action_source_name": "keypad"}
LAMP = {"ieee_address": address(9), "friendly_name": "lamp", "type": "Router"}


def strange(house: House) -> list[str]:
    return [reject.reason for reject in house.context.rejects]


@pytest.mark.parametrize("qos", [0, 1])
async def test_each_message_of_a_device_that_was_never_listed_is_kept(qos):
    async with at_home(lock()) as house:
        for _ in range(3):
            await house.publish("Nobody", UNLOCK, qos=qos)
        await house.wait(GRACE_S)
        assert strange(house) == ["unknown_device: the bridge lists no device named 'Nobody'"] * 3
        assert {reject.topic for reject in house.context.rejects} == {f"{BASE}/Nobody"}
        assert json.loads(house.context.rejects[0].raw)["action"] == "unlock"
        assert house.heard() == []
        assert house.context.broker.unacknowledged == 0


async def test_a_strangers_codes_are_not_kept():
    async with at_home(lock()) as house:
        await house.publish("Nobody", {"users": {"3": {"pin_code": "4711"}}, "x": ["815815"]})
        await house.publish("Nobody", b'{"pin_code": "4711"')
        await house.wait(GRACE_S)
        kept = b"".join(reject.raw for reject in house.context.rejects)
        assert len(strange(house)) == 2
        assert b"4711" not in kept
        assert b"815815" not in kept


async def test_lamps_groups_locks_and_cleared_topics_are_no_strangers():
    options = {"groups": {"1": {"friendly_name": "all doors"}}}
    async with at_home(lock(), options=options) as house:
        await house.publish("bridge/devices", [*device_list(lock()), LAMP])
        await house.publish("bridge/groups", [{"id": 2, "friendly_name": "all lamps"}, 7, {}])
        for name in ("lamp", "all doors", "all lamps", "front"):
            await house.publish(name, {"state": "ON", "linkquality": 1})
        await house.publish("gone", b"")
        await house.wait(GRACE_S)
        assert strange(house) == []


async def test_before_the_first_list_nobody_is_a_stranger():
    async with at_home() as house:
        await house.bridge(online=True)
        await house.publish("front", UNLOCK)
        await house.wait(60)
        assert strange(house) == []


async def test_after_a_restart_the_list_has_to_come_anew():
    context = FakeContext(VENDOR, clock=VirtualClock())
    async with at_home(lock(), context=context):
        pass
    context = context.restarted()
    context.broker.lose_session()
    context.broker._retained.clear()
    async with at_home(context=context) as house:
        await house.publish("lamp", {"state": "ON"})
        await house.wait(GRACE_S)
        assert strange(house) == []


async def test_a_lock_may_speak_just_before_the_list_that_adds_it():
    async with at_home(lock()) as house:
        await house.publish("back", UNLOCK)
        await house.wait(GRACE_S / 2)
        await house.list(lock(), lock("back", 2))
        await house.wait(GRACE_S)
        assert strange(house) == []


async def test_a_last_word_under_an_old_name_may_come_just_after_the_list_that_drops_it():
    async with at_home(lock()) as house:
        await house.publish("bridge/devices", [*device_list(lock()), LAMP])
        await house.list(lock())
        await house.publish("lamp", {"state": "ON"})
        await house.wait(GRACE_S)
        assert strange(house) == []
        await house.publish("lamp", {"state": "ON"})
        await house.wait(GRACE_S)
        assert strange(house) == ["unknown_device: the bridge lists no device named 'lamp'"]


async def test_what_is_retained_under_a_name_that_is_gone_is_no_news():
    async with at_home(lock()) as house:
        await house.publish("Nobody", UNLOCK, retain=True)
        await house.wait(GRACE_S)
        house.context.broker.drop_connection()
        await house.wait(60)
        assert len(strange(house)) == 1


async def test_a_message_that_two_connections_carry_is_kept_once():
    async with at_home(lock()) as house:
        await house.list(lock("new name"))
        await house.wait(2 * GRACE_S)
        await house.publish("front", UNLOCK, qos=1)
        await house.wait(GRACE_S)
        await house.publish("front", UNLOCK, qos=1)
        await house.wait(GRACE_S)
        assert len(strange(house)) == 2


async def test_a_list_with_entries_that_cannot_be_read_makes_nobody_a_stranger():
    async with at_home(lock()) as house:
        await house.publish("bridge/devices", [*device_list(lock()), LAMP])
        await house.publish("bridge/devices", [7])
        house.context.rejects.clear()
        await house.publish("lamp", {"state": "ON"})
        await house.wait(GRACE_S)
        assert strange(house) == []


async def test_garbage_for_a_list_of_groups_is_kept_and_changes_nothing():
    async with at_home(lock()) as house:
        await house.publish("bridge/groups", [{"friendly_name": "all lamps"}])
        await house.publish("bridge/groups", {"friendly_name": "x"})
        await house.publish("bridge/groups", b"[")
        await house.publish("bridge/groups", b"")
        await house.publish("all lamps", {"state": "ON"})
        await house.wait(GRACE_S)
        codes = [each.partition(":")[0] for each in strange(house)]
        assert codes == ["not_a_list", "not_json"]


async def test_a_broker_that_refuses_the_watch_costs_the_locks_nothing():
    context = FakeContext(VENDOR, clock=VirtualClock())
    context.broker.refused_filters.add(f"{BASE}/+")
    async with at_home(lock(), context=context) as house:
        await house.wait(300)
        await house.say(**UNLOCK)
        assert "unlock by keypad" in house.heard()
        said = [line for line in context.log_lines if "go unnoticed" in line]
        assert len(said) == 1
        context.broker.refused_filters.clear()
        await house.wait(100)
        await house.publish("Nobody", UNLOCK)
        await house.wait(GRACE_S)
        assert len(strange(house)) == 1


async def test_the_watch_keeps_no_session_at_the_broker():
    async with at_home(lock()) as house:
        house.context.broker.drop_connection()
        await house.publish("Nobody", UNLOCK, qos=1)
        await house.wait(60)
        assert strange(house) == []


async def test_a_flood_of_strangers_is_sampled_and_counted():
    async with at_home(lock()) as house:
        for number in range(700):
            house.context.broker.publish(f"{BASE}/x{number}", b'{"state":"ON"}', qos=0)
        await house.wait(GRACE_S)
        assert len(strange(house)) == int(KEPT_BURST)
        await house.wait(COUNT_EVERY_S)
        assert any("200 messages of devices" in line for line in house.context.log_lines)


def test_what_waits_to_be_judged_is_bounded_and_the_rest_is_counted():
    strangers = Strangers()
    strangers.know(frozenset({"front"}), 0)
    for number in range(WAITING_LIMIT + 5):
        strangers.hear(f"{BASE}/x", f"x{number}", b"1", 0)
    kept = 0
    while strangers.judge(GRACE_S) is not None:
        kept += 1
    assert kept == int(KEPT_BURST)
    assert strangers.take_count(GRACE_S) == 0
    assert strangers.take_count(COUNT_EVERY_S) == WAITING_LIMIT + 5 - kept
    assert strangers.deadline is None


def test_the_allowance_grows_back():
    strangers = Strangers()
    strangers.know(frozenset({"front"}), 0)
    kept = 0
    for second in range(1000):
        for _ in range(20):
            strangers.hear(f"{BASE}/x", "x", b"1", second)
        while strangers.judge(second) is not None:
            kept += 1
    assert KEPT_BURST + 9_900 < kept < KEPT_BURST + 10_000
