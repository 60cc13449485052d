"""Bolt, door, battery and tamper: what is news, what is a cache, and what is confirmed."""

from __future__ import annotations

import pytest

from support.zigbee2mqtt import (
    DOOR_LOCK,
    SLEEPY_DEADBOLT,
    at_home,
    lock,
    odd_model,
)

LOCKED = {"lock_state": "locked", "state": "LOCK"}
UNLOCKED = {"lock_state": "unlocked", "state": "UNLOCK"}
BETWEEN = {"lock_state": "not_fully_locked", "state": "UNLOCK"}
KEYPAD = {"action_source": 0, "action_source_name": "keypad", "action_user": 3}


async def test_an_event_shows_the_old_state_and_changes_none():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        house.heard()
        await house.say(action="unlock", **KEYPAD, **LOCKED)
        assert house.heard() == ["unlock by keypad code 3"]
        assert house.attribute("lock_state") == ("locked", "read")
        await house.say(**UNLOCKED)
        assert house.heard() == ["bolt unlocked reported"]


async def test_only_a_change_against_the_stored_state_is_told():
    async with at_home(lock()) as house:
        await house.say(**UNLOCKED)
        await house.say(**UNLOCKED)
        await house.say(battery=80, **UNLOCKED)
        assert house.heard() == ["bolt unlocked read", "battery 80"]


async def test_every_message_refreshes_the_age_of_a_confirmed_state():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        await house.wait(600)
        await house.say(**LOCKED)
        at = house.context.state(lock().ieee_address).attributes["lock_state"].at
        assert at == house.context.clock.now()


@pytest.mark.parametrize("mark", [{}, {"linkquality": None}])
async def test_a_message_from_the_cache_is_no_news(mark):
    async with at_home(lock()) as house:
        await house.publish("front", {"battery": 90, **LOCKED, **mark})
        assert house.heard() == []
        assert house.attribute("lock_state") == ("locked", "cached")
        assert house.attribute("battery_percent") == (90, "cached")


async def test_a_retained_message_is_no_news_and_a_retained_event_is_nothing():
    async with at_home() as house:
        await house.bridge(online=True)
        for name in ("front", "back"):
            await house.publish(name, {"linkquality": 120, **LOCKED}, retain=True)
        await house.publish("back", {"action": "unlock", "linkquality": 1, **KEYPAD}, retain=True)
        await house.list(lock("front"), lock("back", 2))
        assert house.heard() == ["device paired"] * 2
        assert house.attribute("lock_state") == ("locked", "cached")
        assert house.attribute("lock_state", 2) is None


async def test_a_cached_locked_never_becomes_confirmed_by_being_repeated():
    async with at_home(lock()) as house:
        await house.wait(60)
        await house.bridge(online=False)
        await house.bridge(online=True)
        await house.publish("front", LOCKED)
        await house.wait(60)
        house.heard()
        await house.say(battery=80, **LOCKED)
        assert house.heard() == ["battery 80"]
        assert house.attribute("lock_state") == ("locked", "cached")


async def test_a_lock_that_is_heard_while_its_state_is_unconfirmed_is_asked():
    async with at_home(lock()) as house:
        await house.publish("front", LOCKED)
        await house.wait(60)
        before = len(house.questions)
        await house.say(battery=80, **LOCKED)
        assert len(house.questions) == before + 1
        await house.say(battery=80, **LOCKED)
        assert house.attribute("lock_state") == ("locked", "read")
        assert house.heard() == ["battery 80", "bolt locked read"]


async def test_an_answer_to_a_question_confirms_what_the_cache_said():
    async with at_home(lock()) as house:
        await house.publish("front", LOCKED)
        await house.say(**LOCKED)
        assert house.heard() == ["bolt locked read"]


async def test_the_cache_takes_locked_away_but_never_gives_it():
    async with at_home(lock()) as house:
        await house.say(**UNLOCKED)
        await house.bridge(online=False)
        await house.bridge(online=True)
        await house.publish("front", LOCKED)
        assert house.attribute("lock_state") == ("unlocked", "cached")
        await house.wait(1)
        await house.say(**LOCKED)
        assert house.attribute("lock_state") == ("locked", "read")
        await house.bridge(online=False)
        await house.bridge(online=True)
        await house.publish("front", UNLOCKED)
        assert house.attribute("lock_state") == ("unlocked", "cached")


async def test_without_a_cache_every_value_is_a_report():
    async with at_home(lock(), options={"advanced": {"cache_state": False}}) as house:
        await house.say(**LOCKED)
        await house.bridge(online=False)
        await house.bridge(online=True)
        await house.wait(60)
        house.heard()
        await house.say(battery=70)
        assert house.attribute("lock_state") == ("locked", "cached")
        await house.say(**LOCKED)
        assert house.attribute("lock_state") == ("locked", "reported")


async def test_an_old_cache_that_was_not_shown_at_the_start_is_not_believed():
    options = {"advanced": {"cache_state_send_on_startup": False}}
    async with at_home(lock(), options=options) as house:
        await house.say(**UNLOCKED)
        await house.bridge(online=False)
        await house.bridge(online=True)
        await house.wait(60)
        house.heard()
        await house.say(battery=70, **LOCKED)
        assert house.heard() == ["battery 70"]
        assert house.attribute("lock_state") == ("unlocked", "cached")


async def test_link_quality_may_be_hidden_on_purpose():
    options = {"device_options": {"filtered_attributes": ["^linkquality$"]}}
    async with at_home(lock(), options=options) as house:
        await house.publish("front", LOCKED)
        assert house.heard() == []
        await house.publish("front", {"action": "unlock", **KEYPAD, **LOCKED})
        await house.publish("front", UNLOCKED)
        assert house.heard() == ["unlock by keypad code 3", "bolt unlocked reported"]


async def test_a_lock_state_that_vanishes_is_unknown_never_guessed_from_state():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        await house.say(state="UNLOCK")
        await house.say(lock_state=None, state="LOCK")
        assert house.heard() == ["bolt locked read", "bolt unknown reported"]


async def test_a_word_for_the_bolt_that_nobody_knows_is_unknown():
    async with at_home(lock()) as house:
        await house.say(**LOCKED)
        await house.say(lock_state="half_open", state="UNLOCK")
        assert house.heard() == ["bolt locked read", "bolt unknown reported"]


async def test_keys_of_home_assistant_without_a_value_say_nothing():
    async with at_home(lock()) as house:
        await house.say(action_source_name=None, action_user=None, lock_state=None, state=None)
        assert house.heard() == []


async def test_not_fully_locked_out_of_the_blue_is_a_jam():
    async with at_home(lock()) as house:
        await house.say(**UNLOCKED)
        await house.wait(20)
        await house.say(**BETWEEN)
        assert house.heard()[-1] == "bolt jammed reported"


async def test_not_fully_locked_after_an_auto_lock_is_on_its_way_for_ten_seconds():
    async with at_home(lock()) as house:
        await house.say(**UNLOCKED)
        await house.say(action="auto_lock", action_source=2, **UNLOCKED)
        await house.say(**BETWEEN)
        assert house.heard()[-1] == "bolt locking reported"
        await house.wait(9)
        assert house.heard() == []
        await house.wait(2)
        assert house.heard() == ["bolt jammed reported"]


async def test_a_bolt_that_arrives_in_time_is_no_jam():
    async with at_home(lock()) as house:
        await house.say(**UNLOCKED)
        await house.say(action="auto_lock", action_source=2, **UNLOCKED)
        await house.say(**BETWEEN)
        await house.say(**LOCKED)
        await house.wait(30)
        assert house.heard()[-2:] == ["bolt locking reported", "bolt locked reported"]


async def test_a_lock_that_passes_through_on_unlocking_is_not_jammed():
    passing = odd_model("YDD-D4F0-TSDB", "Yale", *SLEEPY_DEADBOLT.exposes)
    async with at_home(lock(model=passing)) as house:
        await house.say(**LOCKED)
        await house.say(action="unlock", **KEYPAD, **LOCKED)
        await house.say(**BETWEEN)
        await house.say(**UNLOCKED)
        assert house.heard()[-2:] == ["bolt unlocking reported", "bolt unlocked reported"]


async def test_a_jam_that_comes_as_an_action():
    yale = odd_model("YAYRD256HA2619", "Yale", *SLEEPY_DEADBOLT.exposes)
    async with at_home(lock(model=yale)) as house:
        await house.say(action="error_jammed", **BETWEEN)
        assert house.heard() == ["bolt jammed reported"]


async def test_a_state_that_comes_only_with_its_action_is_asked_for():
    control4 = odd_model("ZYA-C4-MOD-S", "Yale", *SLEEPY_DEADBOLT.exposes)
    async with at_home(lock(model=control4)) as house:
        await house.wait(60)
        before = len(house.questions)
        await house.say(action="keypad_lock", lock_state="locked", state="LOCKED", tamper=False)
        assert house.heard() == ["lock by keypad"]
        assert len(house.questions) == before + 1
        await house.say(lock_state="locked", state="LOCK", tamper=False)
        assert house.heard() == ["bolt locked read"]


async def test_aqara_tells_bolt_and_deadbolt_with_its_status_actions_only():
    async with at_home(lock(model=odd_model("ZNMS12LM", "Aqara"))) as house:
        await house.say(action="locked", state="LOCK", reverse="UNLOCK")
        await house.say(action="reverse_lock", state="LOCK", reverse="LOCK")
        await house.say(action="finger_open_user_id2", state="LOCK", reverse="LOCK")
        await house.say(action="lock_opened_outside", state="UNLOCK", reverse="UNLOCK")
        await house.say(action="door_closed", state="UNLOCK", reverse="UNLOCK")
        assert house.heard() == [
            "bolt locked reported",
            "bolt locked reported deadbolt",
            "unlock by fingerprint fingerprint 2",
            "unlock by unknown",
            "bolt unlocked reported",
            "door closed",
        ]
        assert house.questions == []


async def test_a_state_that_a_timer_invented_is_not_believed():
    async with at_home(lock(model=odd_model("JS-SLK2-ZB", "JAVIS"))) as house:
        await house.say(action="unlock", action_source_name="keypad", action_user=4, state="UNLOCK")
        await house.say(action="lock", state="LOCK")
        await house.say(state="LOCK")
        assert house.heard() == ["unlock by keypad code 4"]
        assert house.attribute("lock_state") is None


@pytest.mark.parametrize(("version", "told"), [("25.1.0", []), ("26.105.0", ["bolt locked read"])])
async def test_wyze_is_believed_only_with_converters_that_read_it_right(version, told):
    wyze = odd_model("WLCKG1", "Wyze", *SLEEPY_DEADBOLT.exposes)
    async with at_home(lock(model=wyze)) as house:
        await house.publish("bridge/info", {"zigbee_herdsman_converters": {"version": version}})
        await house.say(**LOCKED)
        assert house.heard() == told


async def test_the_empty_copy_of_an_event_says_nothing():
    async with at_home(lock()) as house:
        await house.say(action="lock", **KEYPAD, **UNLOCKED)
        await house.say(action="", lock_state="locked")
        assert house.heard() == ["lock by keypad code 3"]


async def test_a_repeated_event_is_marked_not_dropped():
    async with at_home(lock()) as house:
        for _ in range(2):
            await house.say(action="unlock", **KEYPAD)
        await house.say(**UNLOCKED)
        await house.say(action="unlock", **KEYPAD, **UNLOCKED)
        await house.wait(3)
        await house.say(action="unlock", **KEYPAD, **UNLOCKED)
        assert [line for line in house.heard() if "keypad" in line] == [
            "unlock by keypad code 3",
            "unlock by keypad code 3 (repeat)",
            "unlock by keypad code 3",
            "unlock by keypad code 3",
        ]


# ---- door


async def test_a_door_and_its_faults():
    async with at_home(lock(model=DOOR_LOCK)) as house:
        for word in ("closed", "open", "error_jammed", "error_forced_open", "error_unspecified"):
            await house.say(door_state=word)
        await house.say(door_state="closed")
        await house.say()
        assert house.heard() == [
            "door closed",
            "door open",
            "fault: door sensor reports a jam",
            "door unknown",
            "tamper forced",
            "door open",
            "door unknown",
            "door closed",
            "door unknown",
        ]


async def test_a_door_that_stays_forced_is_told_once():
    async with at_home(lock(model=DOOR_LOCK)) as house:
        await house.say(door_state="error_forced_open")
        await house.say(door_state="error_forced_open", battery=50)
        assert house.heard() == ["tamper forced", "door open", "battery 50"]


# ---- battery


async def test_a_battery_is_told_when_it_changes_and_halved_above_one_hundred():
    async with at_home(lock()) as house:
        for figure in (90, 90, 15.5, 200, 255):
            await house.say(battery=figure)
        assert house.heard() == ["battery 90", "battery 15.5", "battery 100 halved"]


async def test_a_battery_gets_critical_once_until_it_is_better():
    async with at_home(lock()) as house:
        for figure in (11, 10, 9, 60, 8):
            await house.say(battery=figure)
        critical = [line for line in house.heard() if "critical" in line]
        assert critical == ["battery critical"] * 2


async def test_a_lock_that_only_says_low_is_critical_too():
    async with at_home(lock()) as house:
        await house.say(battery_low=False)
        await house.say(battery_low=True)
        await house.say(battery_low=True)
        assert house.heard() == ["battery critical"]


# ---- tamper


async def test_five_wrong_codes_within_a_minute_look_like_a_lockout():
    wrong = {"action": "unlock_failure_invalid_pin_or_id", "action_source": 0}
    async with at_home(lock()) as house:
        for _ in range(4):
            await house.say(**wrong)
            await house.wait(10)
        assert not [line for line in house.heard() if "tamper" in line]
        await house.say(**wrong)
        assert house.heard()[-1] == "tamper wrong_code_lockout suspected 5"
        await house.say(**wrong)
        assert "tamper" not in house.heard()[-1]


async def test_wrong_codes_that_are_far_apart_are_no_lockout():
    async with at_home(lock()) as house:
        for _ in range(8):
            await house.say(action="unlock_failure_invalid_pin_or_id", action_source=0)
            await house.wait(16)
        assert not [line for line in house.heard() if "tamper" in line]


async def test_wrong_codes_of_two_locks_are_not_added_up():
    async with at_home(lock(), lock("back", 2)) as house:
        for name in ("front", "back") * 4:
            await house.say(name, action="unlock_failure_invalid_pin_or_id", action_source=0)
        assert not [line for line in house.heard() if "tamper" in line]


async def test_control4_alarms_are_told_on_change():
    control4 = odd_model("ZYA-C4-MOD-S", "Yale", *SLEEPY_DEADBOLT.exposes)
    async with at_home(lock(model=control4)) as house:
        await house.say(alarm="tamper_alarm_keypad_attempts", tamper=True, battery_low=False)
        await house.say(alarm="tamper_alarm_keypad_attempts", tamper=True, battery_low=False)
        await house.say(alarm="tamper_alarm_front_escutcheon", tamper=True, battery_low=False)
        await house.say(action="keypad_unlock", alarm="tamper_alarm_front_escutcheon", tamper=False)
        await house.say(alarm="tamper_alarm_front_escutcheon", tamper=True, battery_low=False)
        await house.say(alarm="low_battery", tamper=False, battery_low=True)
        await house.say(alarm="master_code_changed", tamper=False, battery_low=False)
        await house.say(alarm="lock_reset_to_factory_defaults", tamper=False, battery_low=False)
        await house.say(alarm="rf_module_power_cycled", tamper=False, battery_low=False)
        assert house.heard() == [
            "tamper wrong_code_lockout",
            "tamper cover",
            "unlock by keypad",
            "tamper cover",
            "battery critical",
            "credential changed code ? by unknown",
            "fault: the lock was reset to factory defaults",
        ]


async def test_the_keys_of_a_xiaomi_lock():
    async with at_home(lock(model=odd_model("A6121", "Xiaomi"))) as house:
        await house.say(inserted=5)
        await house.say(inserted=5)
        await house.say(inserted="unknown", keyerror=True)
        await house.say(inserted="strange", keyerror=True)
        await house.say(inserted="strange", forgotten=5)
        assert house.heard() == [
            "unknown by key key 5",
            "unknown by key denied: wrong_credential",
            "tamper foreign_object",
            "fault: key 5 was left in the lock",
        ]
