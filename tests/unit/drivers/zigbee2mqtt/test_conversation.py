"""Connections, sessions, gaps, acknowledgement, questions, and what cannot be promised."""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest

from latchway.drivers.contract import DeliveryClass
from latchway.drivers.testing import FakeContext, VirtualClock, settle
from latchway.drivers.zigbee2mqtt import VENDOR
from latchway.drivers.zigbee2mqtt.backoff import LONGEST_S, Backoff
from support.zigbee2mqtt import BASE, address, at_home, device_list, lock

LOCKED = {"lock_state": "locked", "state": "LOCK"}
UNLOCKED = {"lock_state": "unlocked", "state": "UNLOCK"}
UNLOCK = {"action": "unlock", "action_source": 0, "action_source_name": "keypad", "action_user": 3}


def new_context(**settings: object) -> FakeContext:
    return FakeContext(VENDOR, settings, clock=VirtualClock())


def events_of(context: FakeContext) -> list[str]:
    return [event.data.event_type.split(".", 2)[2] for event in context.events]


# ---- sessions


async def test_the_session_belongs_to_a_client_id_that_is_made_up_once():
    context = new_context()
    async with at_home(context=context):
        made_up = context.cursor("client_id")
    context = context.restarted()
    async with at_home(context=context):
        assert context.cursor("client_id") == made_up
    assert str(made_up).startswith("latchway-zigbee2mqtt-")


async def test_single_topics_are_subscribed_to_and_no_others():
    async with at_home(lock(), lock("house/back", 2)) as house:
        filters = house.context.broker.filters
    bridge = {"state", "info", "devices", "event", "logging", "response/#"}
    locks = {"front", "front/availability", "house/back", "house/back/availability"}
    watch = {f"{BASE}/+", f"{BASE}/bridge/groups"}
    own = {f"{BASE}/bridge/{tail}" for tail in bridge} | {f"{BASE}/{x}" for x in locks}
    assert filters == own | watch


async def test_another_base_topic_is_another_bridge():
    async with at_home(settings={"base_topic": "house/z2m"}) as house:
        broker = house.context.broker
        broker.publish("house/z2m/bridge/devices", json.dumps(device_list(lock())))
        await settle()
        assert house.heard() == ["device paired"]
        assert "house/z2m/front" in broker.filters


@pytest.mark.parametrize("base", ["", "/x", "x/", "a+b", "#", "a//b", "a\nb"])
def test_a_base_topic_that_makes_no_topic_is_refused(base):
    with pytest.raises(ValueError, match="base_topic"):
        VENDOR.manifest.config.model_validate({"base_topic": base})


async def test_a_first_connection_has_missed_nothing():
    context = new_context()
    async with at_home(lock(), context=context):
        assert "device.coverage_gap.v1" not in events_of(context)


async def test_a_lost_session_forgets_deliveries_before_it_subscribes_and_is_a_gap():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        before = len(house.context.batches)
        house.heard()
        house.context.broker.lose_session()
        await house.wait(2)
        new = house.context.batches[before:]
        assert new[0].forget_deliveries
        assert house.heard() == ["gap session_lost"]
        assert house.attribute("lock_state") == ("locked", "cached")
        assert any("persistence" in reason for reason in house.context.degraded)


async def test_a_kept_session_of_a_queued_vendor_is_no_gap():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        house.heard()
        house.context.broker.drop_connection()
        await house.publish("front", {"linkquality": 9, **UNLOCK}, qos=1)
        await house.wait(2)
        assert house.heard() == ["unlock by keypad code 3"]
        assert house.attribute("lock_state") == ("locked", "read")


async def test_a_lock_that_was_renamed_while_we_were_away_has_a_gap_and_is_asked():
    async with at_home(lock(), lock("back", 2)) as house:
        await house.say(**LOCKED)
        await house.wait(30)
        house.heard()
        asked = len(house.questions)
        house.context.broker.drop_connection()
        await house.list(lock("gate"), lock("back", 2))
        await house.say("gate", **UNLOCK)
        await house.wait(5)
        (gap,) = [event for event in house.context.events if "coverage" in event.data.event_type]
        assert (gap.device, gap.data.reason) == (address(1), "broker_down")
        assert house.heard() == ["gap broker_down"]
        assert house.attribute("lock_state") == ("locked", "cached")
        assert house.questions[asked:] == [address(1)]


async def test_a_lock_that_is_renamed_before_our_eyes_has_no_gap():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        await house.wait(30)
        house.context.broker.drop_connection()
        await house.wait(5)
        house.heard()
        asked = len(house.questions)
        await house.list(lock("gate"))
        await house.say("gate", **LOCKED)
        await house.wait(5)
        assert house.heard() == []
        assert house.questions[asked:] == []


async def test_a_dropped_connection_of_a_live_vendor_is_a_gap():
    async with at_home(lock()) as house:
        await house.say(**LOCKED, qos=0)
        house.heard()
        house.context.broker.drop_connection()
        await house.wait(2)
        assert house.heard() == ["gap broker_down"]
        assert house.attribute("lock_state") == ("locked", "cached")
        await house.wait(3)
        assert house.questions[-1] == address(1)


async def test_a_worker_of_a_live_vendor_that_was_down_says_so():
    context = new_context()
    async with at_home(lock(), context=context) as house:
        await house.say(**LOCKED, qos=0)
    context = context.restarted()
    context.clock = VirtualClock()
    async with at_home(context=context) as house:
        assert house.heard() == ["gap worker_down"]


async def test_a_worker_of_a_queued_vendor_reads_on_where_it_was():
    context = new_context()
    async with at_home(lock(), context=context) as house:
        await house.say(**LOCKED)
    context.broker.publish(f"{BASE}/front", json.dumps({"linkquality": 9, **UNLOCK}))
    context = context.restarted()
    async with at_home(context=context) as house:
        assert house.heard() == ["unlock by keypad code 3"]
        assert context.delivery_class is DeliveryClass.QUEUED


async def test_a_broker_that_is_away_is_waited_for():
    async with at_home(lock()) as house:
        house.context.broker.reachable = False
        house.context.broker.drop_connection()
        await house.wait(30)
        assert any("broker" in reason for reason in house.context.degraded)
        house.context.broker.reachable = True
        await house.wait(120)
        assert not any("local broker" in reason for reason in house.context.degraded)
        await house.say(**LOCKED)
        assert house.heard() == ["gap broker_down", "bolt locked reported"]


async def test_a_subscription_that_is_refused_is_tried_again():
    context = new_context()
    context.broker.refused_filters.add(f"{BASE}/bridge/devices")
    async with at_home(context=context) as house:
        await house.wait(5)
        assert any("Not authorized" in reason for reason in context.degraded)
        context.broker.refused_filters.clear()
        await house.wait(60)
        assert context.degraded == ()


def test_waits_grow_and_are_never_in_step():
    waits = [Backoff(Random(seed)) for seed in (1, 2)]
    first = [[backoff.next_s() for _ in range(20)] for backoff in waits]
    assert first[0] != first[1]
    assert all(wait <= LONGEST_S for waits in first for wait in waits)
    assert first[0][0] <= 0.5 < max(first[0])
    waits[0].reset()
    assert waits[0].next_s() <= 0.5


# ---- acknowledgement


async def test_one_message_is_one_submit_with_its_delivery():
    async with at_home(lock()) as house:
        before = len(house.context.batches)
        await house.say(**LOCKED)
        await house.say(**UNLOCK)
        await house.say(sound_volume="low")
        batches = house.context.batches[before:]
        assert [len(batch.events) for batch in batches] == [1, 1, 0]
        assert all(batch.delivery is not None for batch in batches)


async def test_messages_are_acknowledged_when_they_are_stored_and_not_before():
    context = new_context()
    async with at_home(lock(), context=context) as house:
        context.store_at_once = False
        for _ in range(3):
            await house.say(**UNLOCK)
        acknowledged = len(context.broker.acknowledged)
        assert context.broker.unacknowledged == 3
        context.store(2)
        await settle()
        assert context.broker.unacknowledged == 1
        assert len(context.broker.acknowledged) == acknowledged + 2
        context.store()
        context.store_at_once = True


async def test_messages_are_submitted_before_earlier_ones_are_stored():
    context = new_context()
    async with at_home(lock(), context=context) as house:
        context.store_at_once = False
        for _ in range(20):
            await house.say(**UNLOCK)
        assert context.waiting == 20
        context.store()
        context.store_at_once = True


async def test_a_redelivery_of_what_is_stored_is_told_once():
    context = new_context()
    async with at_home(lock(), context=context) as house:
        context.store_at_once = False
        await house.say(**UNLOCK)
        context.broker.drop_connection()
        context.store()
        context.store_at_once = True
        await house.wait(2)
        assert house.heard() == ["unlock by keypad code 3"]
        assert context.broker.unacknowledged == 0


# ---- the bridge


async def test_an_offline_bridge_makes_all_locks_unreachable_and_stale():
    async with at_home(lock(), lock("back", 2)) as house:
        await house.say(**LOCKED)
        await house.say("back", **LOCKED)
        house.heard()
        await house.bridge(online=False)
        assert house.heard() == ["unreachable: the bridge is offline"] * 2
        assert house.attribute("lock_state") == ("locked", "cached")
        assert "the bridge is offline; start Zigbee2MQTT" in house.context.degraded


async def test_a_bridge_that_is_back_is_a_gap_and_all_locks_are_asked_one_a_second():
    async with at_home(lock(), lock("back", 2), lock("side", 3)) as house:
        await house.wait(10)
        before = len(house.questions)
        await house.bridge(online=False)
        await house.bridge(online=True)
        assert house.heard().count("gap bridge_down") == 1
        assert len(house.questions) == before + 1
        await house.wait(1)
        assert len(house.questions) == before + 2
        await house.wait(1)
        assert house.questions[before:] == [address(1), address(2), address(3)]


async def test_a_bridge_that_restarts_without_a_word_is_a_gap_too():
    async with at_home(lock()) as house:
        await house.wait(10)
        await house.bridge(online=True)
        assert house.heard() == ["gap bridge_down"]


async def test_a_broker_that_repeats_online_is_no_restart():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        house.heard()
        house.context.broker.drop_connection()
        await house.wait(5)
        assert house.heard() == []
        assert house.attribute("lock_state") == ("locked", "read")


@pytest.mark.parametrize("payload", [b"offline", b'{"state":"offline"}'])
async def test_the_plain_words_of_old_versions_are_understood(payload):
    async with at_home(lock()) as house:
        await house.publish("bridge/state", payload, qos=1)
        assert house.heard() == ["unreachable: the bridge is offline"]


async def test_questions_go_to_the_address_at_qos_0_and_never_retained():
    async with at_home(lock("bridge_door")) as house:
        await house.wait(2)
        (question,) = house.context.broker.published
        assert question.topic == f"{BASE}/{address(1)}/get"
        assert json.loads(question.payload) == {"state": ""}
        assert (question.qos, question.retain) == (0, False)


# ---- reachability


async def test_availability_is_told_on_change():
    async with at_home(lock()) as house:
        for word in ("online", "offline", "offline", "online"):
            await house.publish("front/availability", {"state": word}, qos=1)
        await house.publish("front/availability", b"", qos=1)
        assert house.heard() == ["unreachable: the bridge reports it offline", "device reachable"]


async def test_a_lock_that_misses_two_of_its_own_reports_is_unreachable():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        house.heard()
        await house.wait(7100)
        assert house.heard() == []
        await house.wait(200)
        assert house.heard() == ["unreachable: it missed its own reports"]
        assert house.attribute("lock_state") == ("locked", "cached")
        await house.say(**LOCKED)
        assert house.heard() == ["device reachable"]


# ---- delivery class and degradation


async def test_the_class_is_found_from_the_qos_that_arrives():
    context = new_context()
    async with at_home(lock(), lock("back", 2), context=context) as house:
        assert context.delivery_class is DeliveryClass.LIVE
        await house.say(**LOCKED, qos=1)
        assert context.delivery_class is DeliveryClass.QUEUED
        await house.say("back", **LOCKED, qos=0)
        assert context.delivery_class is DeliveryClass.LIVE
        assert "back" in context.class_reason
        await house.say("back", **LOCKED, qos=1)
        assert context.delivery_class is DeliveryClass.QUEUED


@pytest.mark.parametrize("mqtt", [{"clean_start": True}, {"session_expiry_s": 0}])
async def test_without_a_kept_session_the_class_is_live(mqtt):
    context = new_context(mqtt=mqtt)
    async with at_home(lock(), context=context) as house:
        await house.say(**LOCKED, qos=1)
        assert context.delivery_class is DeliveryClass.LIVE


OPTIONS = {
    "qos": ({}, "device_options.qos"),
    "retain": ({"device_options": {"retain": True}}, "retain"),
    "debounce": ({"devices": {address(1): {"debounce": 1}}}, "debounce"),
    "throttle": ({"devices": {address(1): {"throttle": 2}}}, "throttle"),
    "filters": ({"device_options": {"filtered_attributes": ["^lock_"]}}, "filtered_attributes"),
    "disabled": ({"devices": {address(1): {"disabled": True}}}, "disabled"),
    "codes": ({"device_options": {"expose_pin": True}}, "expose_pin"),
    "output": ({"advanced": {"output": "attribute"}}, "advanced.output"),
    "no retain": ({"mqtt": {"force_disable_retain": True}}, "mqtt.force_disable_retain"),
    "debug log": ({"advanced": {"log_level": "debug"}}, "advanced.log_level"),
    "empty actions": ({"homeassistant": {"legacy_action_sensor": True}}, "legacy_action_sensor"),
}


@pytest.mark.parametrize(("options", "option"), OPTIONS.values(), ids=OPTIONS.keys())
async def test_an_option_that_weakens_a_promise_is_named_with_its_fix(options, option):
    async with at_home(lock(), options=options) as house:
        assert any(
            option in reason.partition("; ")[0] and "; " in reason
            for reason in house.context.degraded
        )


async def test_good_options_are_no_reason_to_complain():
    options = {"device_options": {"qos": 1, "retain": False, "expose_pin": False}}
    async with at_home(lock(), options=options) as house:
        assert house.context.degraded == ()


async def test_a_qos_that_arrives_is_believed_before_the_option():
    async with at_home(lock(), options={}) as house:
        await house.say(**LOCKED, qos=1)
        assert house.context.degraded == ()


# ---- bad input


async def test_what_cannot_be_read_is_kept_with_its_reason_and_acknowledged():
    bad = {
        b'{"battery":NaN}': "not_a_number",
        b'{"a":1,"a":2}': "duplicate_key",
        b'{"x":' * 40 + b"1" + b"}" * 40: "too_deep",
        b"\xff\xfe": "not_utf8",
        b"[1]": "not_an_object",
        b'{"lock_state"': "not_json",
        b'{"x":"' + b"y" * 100_000 + b'"}': "too_large",
        b'{"lock_state":7}': "wrong_type: key 'lock_state' holds a number, not text",
        b'{"battery":-1}': "out_of_range",
        b'{"action":"unlock","action_user":[1]}': "wrong_type: key 'action_user'",
    }
    async with at_home(lock()) as house:
        for payload in bad:
            await house.publish("front", payload, qos=1)
        reasons = [reject.reason for reject in house.context.rejects]
        assert len(reasons) == len(bad)
        assert all(
            reason.startswith(code) for reason, code in zip(reasons, bad.values(), strict=True)
        )
        assert {reject.device for reject in house.context.rejects} == {address(1)}
        assert house.context.broker.unacknowledged == 0
        assert house.heard() == []
        await house.say(**LOCKED)
        assert house.heard() == ["bolt locked read"]


async def test_a_message_that_cannot_be_read_makes_the_lock_be_asked():
    async with at_home(lock()) as house:
        await house.wait(5)
        before = len(house.questions)
        await house.publish("front", b'{"lock_state":7}', qos=1)
        assert house.questions[before:] == [address(1)]


async def test_an_event_is_not_lost_for_a_wrong_key_beside_it():
    async with at_home(lock()) as house:
        await house.say(**UNLOCK, battery="full", lock_state=7)
        assert house.heard() == ["unlock by keypad code 3"]


async def test_a_message_of_an_unknown_device_is_kept():
    async with at_home(lock()) as house:
        await house.list(lock("new name"))
        await house.say("front", **LOCKED)
        (reject,) = house.context.rejects
        assert reject.reason == "unknown_device: the bridge lists no device named 'front'"
        assert house.context.broker.unacknowledged == 0


async def test_a_lamp_that_takes_the_old_name_of_a_lock_is_no_stranger():
    lamp = {"ieee_address": address(9), "friendly_name": "front", "type": "Router"}
    async with at_home(lock()) as house:
        await house.publish("bridge/devices", [*device_list(lock("new name")), lamp])
        await house.say("front", state="ON")
        assert house.context.rejects == []
        assert house.context.broker.unacknowledged == 0


async def test_a_driver_with_a_foreign_config_says_so():
    context = new_context()
    context._config = object()
    with pytest.raises(TypeError, match="config"):
        await VENDOR.driver().run(context)


async def test_very_many_locks_are_stored_in_parts_that_fit():
    many = [lock(f"door {number}", number) for number in range(1, 301)]
    async with at_home(*many) as house:
        for each in many:
            await house.say(each.name, **LOCKED)
        await house.bridge(online=False)
        await asyncio.sleep(0)
        assert len(house.heard()) == 600
        assert len(house.context.devices()) == 300


async def test_what_is_odd_is_logged_once():
    own = lock("own", 2)
    async with at_home(lock(), options={"device_options": {"qos": 1}}) as house:
        listing = own.listing()
        listing["definition"]["source"] = "external"
        await house.publish("bridge/devices", [*device_list(lock()), listing])
        for _ in range(3):
            await house.say(action="dance_48151623", action_source=0)
            await house.list(lock(), own)
        log = "\n".join(house.context.log_lines)
        assert log.count("'dance_#' is not known") == 1
        assert log.count("converter is a user's own") == 1
        assert log.count("(availability.enabled)") == 1
