"""Onesti: the action says what, a later state says who; both become one event."""

from __future__ import annotations

from latchway.drivers.testing import FakeContext, VirtualClock
from latchway.drivers.zigbee2mqtt import VENDOR
from support.zigbee2mqtt import LAST_USER_LOCK, at_home, lock, odd_model

LOCKED = {"lock_state": "locked", "state": "LOCK"}
UNLOCKED = {"lock_state": "unlocked", "state": "UNLOCK"}


def last(operation: str, source: str, user: str) -> dict[str, object]:
    return {f"last_{operation}_source": source, f"last_{operation}_user": user}


def touch():
    return lock(model=LAST_USER_LOCK)


async def test_the_event_waits_for_the_name():
    async with at_home(touch()) as house:
        await house.say(**LOCKED)
        house.heard()
        await house.say(action="keypad_unlock", **LOCKED)
        await house.say(**UNLOCKED)
        assert house.heard() == ["bolt unlocked reported"]
        await house.say(**UNLOCKED, **last("unlock", "keypad", "2"))
        assert house.heard() == ["unlock by keypad code 2"]
        await house.wait(5)
        assert house.heard() == []


async def test_the_event_keeps_the_time_at_which_it_came():
    async with at_home(touch()) as house:
        await house.wait(100)
        at = house.context.clock.now()
        await house.say(action="keypad_unlock", **LOCKED)
        await house.wait(2)
        assert house.context.events[-1].time == at


async def test_the_same_person_twice_is_told_by_the_message_after_the_bolt():
    async with at_home(touch()) as house:
        seen = last("unlock", "keypad", "2")
        await house.say(**LOCKED, **seen)
        house.heard()
        await house.say(action="keypad_unlock", **LOCKED, **seen)
        await house.say(**UNLOCKED, **seen)
        assert house.heard() == ["bolt unlocked reported"]
        await house.say(**UNLOCKED, **seen)
        assert house.heard() == ["unlock by keypad code 2"]


async def test_the_bolt_message_with_the_name_of_the_one_before_names_nobody():
    async with at_home(touch()) as house:
        before = last("unlock", "keypad", "2")
        await house.say(**LOCKED, **before)
        house.heard()
        await house.say(action="keypad_unlock", **LOCKED, **before)
        await house.say(**UNLOCKED, **before)
        await house.wait(2)
        assert house.heard() == ["bolt unlocked reported", "unlock by keypad"]


async def test_another_person_at_a_bolt_that_did_not_move_is_named():
    async with at_home(touch()) as house:
        await house.say(**UNLOCKED, **last("unlock", "keypad", "2"))
        house.heard()
        await house.say(action="keypad_unlock", **UNLOCKED, **last("unlock", "keypad", "2"))
        await house.say(**UNLOCKED, **last("unlock", "keypad", "2"))
        await house.say(**UNLOCKED, **last("unlock", "keypad", "5"))
        assert house.heard() == ["unlock by keypad code 5"]


async def test_a_movement_whose_action_was_not_understood_is_told_by_its_name():
    async with at_home(touch()) as house:
        await house.say(**UNLOCKED, **last("unlock", "keypad", "2"))
        house.heard()
        await house.say(**UNLOCKED, **last("unlock", "fingerprintsensor", "3"))
        assert house.heard() == ["unlock by fingerprint fingerprint 3"]
        await house.say(
            **LOCKED, **last("unlock", "fingerprintsensor", "3"), **last("lock", "self", "0")
        )
        assert house.heard() == ["lock by unknown 'self'", "bolt locked reported"]


async def test_a_name_that_was_there_before_we_came_is_no_news():
    async with at_home(touch()) as house:
        await house.say(**UNLOCKED, **last("unlock", "keypad", "2"))
        assert house.heard() == ["bolt unlocked read"]


async def test_a_name_that_comes_too_late_is_marked_as_a_probable_repeat():
    async with at_home(touch()) as house:
        await house.say(**LOCKED)
        await house.say(action="keypad_unlock", **LOCKED)
        await house.say(**UNLOCKED)
        await house.wait(2)
        house.heard()
        await house.say(**UNLOCKED, **last("unlock", "keypad", "2"))
        assert house.heard() == ["unlock by keypad code 2 (repeat)"]


async def test_an_event_that_follows_another_lets_it_go():
    async with at_home(touch()) as house:
        await house.say(action="keypad_unlock")
        await house.say(action="fingerprint_unlock")
        assert house.heard() == ["unlock by keypad"]
        await house.wait(2)
        assert house.heard() == ["unlock by fingerprint"]


async def test_an_event_that_names_its_user_does_not_wait():
    async with at_home(touch()) as house:
        await house.say(
            action="unlock", action_source=0, action_source_name="keypad", action_user=3
        )
        assert house.heard() == ["unlock by keypad code 3"]


async def test_a_command_by_radio_does_not_wait():
    async with at_home(touch()) as house:
        await house.say(action="zigbee_unlock")
        assert house.heard() == ["unlock by remote"]


async def test_without_a_cache_every_name_is_news():
    async with at_home(touch(), options={"advanced": {"cache_state": False}}) as house:
        for _ in range(2):
            await house.say(**last("unlock", "rfid", "9"))
        assert house.heard() == ["unlock by card card 9"] * 2


async def test_an_event_that_waits_survives_a_restart():
    context = FakeContext(VENDOR, clock=VirtualClock())
    async with at_home(touch(), context=context) as house:
        await house.say(action="keypad_unlock", **LOCKED)
        assert house.heard() == []
    context = context.restarted()
    async with at_home(context=context) as house:
        assert house.heard() == ["unlock by keypad"]
    async with at_home(context=context.restarted()) as house:
        assert house.heard() == []


async def test_the_bolt_tells_what_easycode_903_meant():
    easycode = odd_model("EasyCode903G2.1", "EasyAccess", *LAST_USER_LOCK.exposes[:1])
    async with at_home(lock(model=easycode)) as house:
        await house.say(**UNLOCKED)
        house.heard()
        await house.say(action="keypad_unlock", **UNLOCKED)
        await house.say(**LOCKED)
        assert house.heard() == ["lock by keypad", "bolt locked reported"]
        await house.say(action="keypad_unlock", **LOCKED)
        await house.wait(2)
        assert house.heard() == ["unknown by keypad"]
