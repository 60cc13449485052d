"""The judges of codes find a planted one wherever it stands, and none that is there by chance."""

from __future__ import annotations

import json

import pytest

from support.whole_path import leaks
from support.zigbee2mqtt_codes import codes_in
from support.zigbee2mqtt_replay import Message

CODE = "4815"


def said(tail: str, payload: str) -> set[str]:
    return codes_in(Message(0.0, f"zigbee2mqtt/{tail}", payload.encode(), 0, retain=False))


@pytest.mark.parametrize(
    "place",
    [
        '{"pin_code":"4815"}',
        '{"pin_code":4815,"x":1}',
        'setPinCode({\\"pincodevalue\\":\\"4815\\"})',
        "got number (4815)",
        '{"data":[52,56,49,53]}',
        "[52, 56, 49, 53]",
        "4815",
    ],
)
def test_a_code_that_stands_somewhere_is_found(place):
    assert leaks([CODE], {"here": b"nothing", "there": place.encode()}) == {CODE: ["there"]}


@pytest.mark.parametrize(
    "chance",
    ["0000000000004815", "019cb05e-4815a", "0x00158d004815", "took=0.4815", "[152,56,49,53]"],
)
def test_digits_inside_of_something_longer_are_no_code(chance):
    assert leaks([CODE], {"here": chance.encode()}) == {}


def test_codes_are_collected_from_wherever_a_bridge_says_them():
    users = {"users": {"3": {"pin_code": CODE, "status": "enabled"}}}
    publish = f"MQTT publish: topic 'z/door', payload '{json.dumps(users)}'"
    assert said("door", json.dumps(users)) == {CODE}
    assert said("door", '{"last_used_pin_code":"4815"}') == {CODE}
    assert said("door/set", '{"pin_code":{"user":3,"pin_code":4815}}') == {CODE}
    assert said("door/set/pin_code", '{"user":3,"pin_code":4815}') == {CODE}
    assert said("bridge/logging", json.dumps({"message": publish})) == {CODE}
    assert said("bridge/logging", '{"message":"not a object, got number (4815)"}') == {CODE}
    assert said("bridge/logging", '{"message":"pincodevalue [52,56,49,53]"}') == {CODE}


def test_slots_and_times_are_no_codes():
    assert said("door", '{"last_successful_pincode_save":1795498809889,"battery":4815}') == set()
    assert said("door/set", '{"pin_code":{"user":9999,"pin_code":null}}') == set()
