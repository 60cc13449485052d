"""What an action means: method, actor, reason; the odd families; words that nobody knows."""

from __future__ import annotations

import json

import pytest

from latchway.drivers.zigbee2mqtt.actions import read_action
from latchway.drivers.zigbee2mqtt.families import family_of
from latchway.drivers.zigbee2mqtt.lock_messages import decode_lock_message
from latchway.schemas import EventDraft
from support.zigbee2mqtt import line


def meaning(model: str = "BE468", **fields: object) -> str | None:
    message = decode_lock_message(json.dumps(fields).encode())
    assert message.action is not None
    event = read_action(message.action, family_of(model)).event
    return None if event is None else line(EventDraft(event))


def by(source: int | None, name: str | None, user: int | None = None) -> dict[str, object]:
    fields: dict[str, object] = {"action_user": user}
    if source is not None:
        fields["action_source"] = source
    if name is not None:
        fields["action_source_name"] = name
    return fields


@pytest.mark.parametrize(
    ("source", "name", "wanted"),
    [
        (0, "keypad", "unlock by keypad code 3"),
        (1, "rf", "unlock by remote"),
        (2, "manual", "unlock by physical"),
        (3, "rfid", "unlock by card card 3"),
        (4, "fingerprint", "unlock by fingerprint fingerprint 3"),
        (255, None, "unlock by unknown"),
        (9, None, "unlock by unknown"),
        (2, "indeterminate", "unlock by unknown"),
        (0, None, "unlock by keypad code 3"),
        (None, None, "unlock by unknown"),
    ],
)
def test_the_source_tells_the_method_and_whether_a_slot_was_used(source, name, wanted):
    assert meaning(action="unlock", **by(source, name, 3)) == wanted


@pytest.mark.parametrize(
    ("user", "slot"), [(0, " code 0"), (None, ""), (65535, ""), ("12", " code 12")]
)
def test_slot_zero_is_a_slot_and_65535_is_nobody(user, slot):
    assert meaning(action="lock", **by(0, "keypad", user)) == f"lock by keypad{slot}"


@pytest.mark.parametrize(
    ("word", "source", "wanted"),
    [
        ("manual_unlock", "manual", "unlock by knob"),
        ("manual_lock", "manual", "lock by knob"),
        ("key_unlock", "manual", "unlock by key"),
        ("key_lock", "manual", "lock by key"),
        ("one_touch_lock", "keypad", "lock by keypad"),
        ("auto_lock", "manual", "lock by auto_lock"),
        ("schedule_lock", "keypad", "lock by automation"),
        ("schedule_unlock", "keypad", "unlock by automation"),
        (
            "unlock_failure_invalid_pin_or_id",
            "keypad",
            "unlock by keypad denied: wrong_credential code 2",
        ),
        (
            "lock_failure_invalid_pin_or_id",
            "keypad",
            "lock by keypad denied: wrong_credential code 2",
        ),
        (
            "unlock_failure_invalid_schedule",
            "rfid",
            "unlock by card denied: outside_schedule card 2",
        ),
        (
            "lock_failure_invalid_schedule",
            "keypad",
            "lock by keypad denied: outside_schedule code 2",
        ),
        (
            "non_access_user_operational_event",
            "keypad",
            "unknown by keypad denied: user_not_allowed code 2",
        ),
        ("unknown", "keypad", "unknown by keypad code 2"),
        ("pin_code_added", "keypad", "credential added code 2 by keypad"),
        ("rfid_code_added", "rfid", "credential added card 2 by card"),
        ("pin_code_changed", "rf", "credential changed code 2 by remote"),
        ("master_code_changed", "keypad", "credential changed code 2 by keypad"),
        ("pin_code_deleted", "rf", "credential removed code 2 by remote"),
        ("rfid_code_deleted", "keypad", "credential removed card 2 by keypad"),
    ],
)
def test_the_standard_words(word, source, wanted):
    assert meaning(action=word, action_source_name=source, action_user=2) == wanted


def test_an_event_whose_code_nobody_knows_is_an_access_of_unknown_kind():
    assert meaning(**by(0, "keypad", 2)) == "unknown by keypad code 2"


def test_a_word_that_nobody_knows_is_kept_and_counted():
    message = decode_lock_message(b'{"action":"dance","action_source":0,"action_user":1}')
    fact = read_action(message.action, family_of("BE468"))
    assert not fact.known
    assert line(EventDraft(fact.event)) == "unknown by keypad code 1 'dance'"


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("finger_open_admin_id5", "unlock by fingerprint fingerprint 5"),
        ("finger_open_user_id18", "unlock by fingerprint fingerprint 18"),
        ("password_open_user_id7", "unlock by keypad code 7"),
        ("finger_not_match", "unlock by fingerprint denied: wrong_credential"),
        ("password_not_match", "unlock by keypad denied: wrong_credential"),
        ("finger_add", "credential added fingerprint ? by unknown"),
        ("finger_delete", "credential removed fingerprint ? by unknown"),
        ("password_add", "credential added code ? by unknown"),
        ("password_delete", "credential removed code ? by unknown"),
        ("lock_opened_inside", "unlock by knob"),
        ("lock_opened_outside", "unlock by unknown"),
        ("lock_opened", "unlock by unknown"),
        ("locked", None),
        ("reverse_lock", None),
        ("door_closed", None),
        ("ring_bell", None),
        ("change_language_to_chinese", None),
    ],
)
def test_aqara(word, wanted):
    assert meaning("ZNMS12LM", action=word) == wanted


def test_aqara_takes_the_slot_from_the_user_where_there_is_one():
    assert meaning("ZNMS12LM", action="password_add", action_user=9) == (
        "credential added code 9 by unknown"
    )


def test_an_older_aqara_puts_its_refusals_under_another_key():
    wanted = "unlock by fingerprint denied: wrong_credential"
    assert meaning("ZNMS11LM", action_action="finger_not_match", action_repeat=1) == wanted


@pytest.mark.parametrize(
    ("word", "user", "wanted"),
    [
        ("password_unlock", 4, "unknown by keypad code 4"),
        ("rfid_unlock", 9, "unknown by card card 9"),
        ("fingerprint_unlock", 1, "unknown by fingerprint fingerprint 1"),
        ("unlock", 0, "unknown by remote"),
        ("auto_lock", 0, "unknown by physical"),
        ("unknown", 0, "unknown by unknown"),
        ("password_unlock", 255, "unknown by keypad denied: unknown"),
    ],
)
def test_the_short_frames_of_ymc_tell_the_source_and_nothing_of_the_bolt(word, user, wanted):
    assert meaning("YMC420-W", action=word, action_source_user=user) == wanted


@pytest.mark.parametrize("model", ["EasyCode903G2.1", "easyCodeTouch_v1", "YAYRD256HA2619"])
def test_a_bare_lock_is_a_command_by_radio_on_some_families(model):
    assert meaning(model, action="lock") == "lock by remote"


@pytest.mark.parametrize("model", ["YMF40A RL", "YMF40/YDM4109+/YDF40", "easyCodeTouch_v1"])
def test_manual_may_be_anything_by_hand_on_some_families(model):
    assert meaning(model, action="manual_unlock", **by(2, "manual")) == "unlock by physical"


@pytest.mark.parametrize("word", ["keypad_unlock", "rfid_unlock"])
def test_easycode_903_calls_a_lock_an_unlock_so_that_only_the_bolt_tells(word):
    told = meaning("EasyCode903G2.1", action=word)
    assert told is not None
    assert told.startswith("unknown by")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("keypad_lock", "lock by keypad"),
        ("manual_unlock_key_or_thumbturn", "unlock by physical"),
        ("manual_lock_touch", "lock by knob"),
        ("unlock_module", "unlock by remote"),
    ],
)
def test_control4(word, wanted):
    assert meaning("ZYA-C4-MOD-S", action=word) == wanted


def test_the_lock_that_javis_invents_after_two_seconds_is_no_event():
    assert meaning("JS-SLK2-ZB", action="lock") is None


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("rfid_card_unlock", "unlock by card card 4"),
        ("touch_unlock", "unlock by fingerprint fingerprint 4"),
        ("keypad", "unlock by keypad code 4"),
        ("pairing", "unlock by unknown"),
    ],
)
def test_the_sources_of_javis_are_told_by_name_not_by_number(name, wanted):
    assert meaning("JS-SLK2-ZB", action="unlock", **by(1, name, 4)) == wanted
