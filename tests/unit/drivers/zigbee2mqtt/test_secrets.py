"""Codes stay behind: whatever Zigbee2MQTT publishes, no code is told, stored, logged or kept."""

from __future__ import annotations

import json

import pytest

from latchway.drivers.states import encode_state
from latchway.drivers.zigbee2mqtt.fields import word_without_numbers
from latchway.drivers.zigbee2mqtt.redaction import SHOWN_LIMIT, smells_of_a_code, without_secrets
from latchway.schemas import encode_draft
from support.zigbee2mqtt import at_home, lock

CODE = "48151623"

LEAKS = {
    "a code of a user": {"users": {"3": {"pin_code": CODE, "status": "enabled"}}},
    "the code that was typed": {"last_used_pin_code": CODE},
    "a code that was set": {"pin_code": {"user": 3, "pin_code": CODE}},
    "an unknown key": {"guest_pincode": CODE, "door_passcode": int(CODE)},
    "a code as an action's user in an object": {"action": "unlock", "action_user": {"pin": CODE}},
    "a wrong type beside a code": {"battery": [CODE], "users": {"3": {"pin_code": CODE}}},
    "a code as an action's user": {"action": "unlock", "action_user": CODE},
    "a code as a number for a user": {"action": "unlock", "action_user": int(CODE)},
    "a code as an alarm": {"alarm": f"code {CODE}"},
    "a code as a door's fault": {"door_state": f"error_{CODE}"},
    "a code as a key of a refused message": {"battery": [], "x": {CODE: "enabled"}},
    "a code as an action": {"action": f"unlock_{CODE}", "action_source": 0},
}


async def told(payload: bytes, tail: str = "front") -> str:
    """Everything that leaves the driver after this payload."""
    async with at_home(lock()) as house:
        await house.publish(tail, payload, qos=1)
        await house.wait(5)
        context = house.context
        parts = [encode_draft(event) for event in context.events]
        parts += [encode_state(state) for state in context.devices().values()]
        parts += [reject.raw + reject.reason.encode() for reject in context.rejects]
        parts += [json.dumps(dict(batch.cursor)).encode() for batch in context.batches]
        parts += [line.encode() for line in context.log_lines]
        return b"\n".join(parts).decode()


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
async def test_a_code_in_a_message_goes_nowhere(leak):
    assert CODE not in await told(json.dumps({"linkquality": 120, **leak}).encode())


@pytest.mark.parametrize("cut", [1, 2, 5, 9])
async def test_a_code_in_a_message_that_is_cut_off_goes_nowhere(cut):
    whole = json.dumps({"linkquality": 120, **LEAKS["a code of a user"]}).encode()
    assert CODE not in await told(whole[:-cut])


async def test_a_code_in_a_log_line_goes_nowhere():
    line = {"level": "error", "message": f"z2m: setPinCode failed: pincodevalue '{CODE}'"}
    assert CODE not in await told(json.dumps(line).encode(), "bridge/logging")
    assert CODE not in await told(f"Failed to configure {CODE}".encode(), "bridge/logging")


@pytest.mark.parametrize(
    "spelled",
    [
        [4, 8, 1, 5],
        [52, 56, 49, 53],
        [52.0, 56.0, 49.0, 53.0],
        ["4", "8", "1", "5"],
        ["x", 52, 56, None, 49, 53],
        {"0": 4, "1": 8, "2": 1, "3": 5},
        "52, 56, 49, 53",
        "4-8-1-5",
        "[4,8,1,5]",
    ],
    ids=str,
)
def test_a_code_that_is_spelled_out_in_a_refused_payload_is_not_kept(spelled):
    shown = without_secrets(json.dumps({"battery": "full", "frame": spelled}).encode()).decode()
    assert json.loads(shown)["battery"] == "full"
    assert not any(digit in shown for digit in "4815")


def test_few_small_numbers_are_kept_since_they_are_no_code():
    kept = {"battery": 80, "voltage": 600, "x": [1, 2, 3], "linkquality": 120, "y": "v1.2"}
    assert json.loads(without_secrets(json.dumps(kept).encode())) == kept


def test_a_refused_payload_keeps_its_shape_but_no_secret():
    payload = {"lock_state": 5, "users": {"1": {"pin_code": "1234"}}, "note": "call 5551234"}
    kept = json.loads(without_secrets(json.dumps(payload).encode()))
    assert kept == {"lock_state": 5, "users": "[removed]", "note": "call #"}


def test_what_is_no_json_is_kept_without_digits():
    assert without_secrets(b'{"last_used_pin_code":"1234","x') == b'{"last_used_pin_code":"####","x'


def test_only_the_beginning_of_a_large_payload_is_kept():
    assert len(without_secrets(b'{"x":"' + b"y" * 100_000)) == SHOWN_LIMIT


def test_a_key_that_smells_of_a_code_is_known_by_its_name():
    suspects = ("pin_code", "guestPIN", "door_passcode", "network_key", "auth_token", "password")
    assert all(smells_of_a_code(key) for key in suspects)
    assert not any(smells_of_a_code(key) for key in ("battery", "lock_state", "action_user"))


def test_an_unknown_word_is_shown_short_and_without_long_numbers():
    assert word_without_numbers("opened_by_id_7") == "opened_by_id_7"
    assert word_without_numbers("opened_with_48151623") == "opened_with_#"
    assert len(word_without_numbers("x" * 1000)) == 128
