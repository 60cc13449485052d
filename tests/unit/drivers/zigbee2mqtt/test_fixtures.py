"""What the real converters publish for 43 models: all of it decodes, and means what the lock did.

The judge is the lock's own frame (`type`, `data`), where it says more than the published words.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import pytest

from latchway.drivers.zigbee2mqtt.actions import read_action
from latchway.drivers.zigbee2mqtt.devices import decode_devices
from latchway.drivers.zigbee2mqtt.families import family_of
from latchway.drivers.zigbee2mqtt.lock_messages import decode_lock_message
from latchway.schemas import (
    AccessDenied,
    AccessGranted,
    CredentialAdded,
    CredentialChanged,
    CredentialRemoved,
    EventDraft,
    decode_draft,
    encode_draft,
)
from latchway.schemas.vocabulary import AccessMethod, AccessOperation
from support.shared import shared_json
from support.zigbee2mqtt import at_home, lock, odd_model

pytestmark = pytest.mark.shared

_SOURCES = {
    0: AccessMethod.KEYPAD,
    1: AccessMethod.REMOTE,
    3: AccessMethod.CARD,
    4: AccessMethod.FINGERPRINT,
}
_LOCKS, _UNLOCKS = {1, 7, 8, 10, 11, 13}, {2, 9, 12, 14}
_DENIED = {3, 4, 5, 6, 15}
_PLAIN = {1, 2}
_PROGRAMMED = {
    1: CredentialChanged,
    2: CredentialAdded,
    3: CredentialRemoved,
    4: CredentialChanged,
    5: CredentialAdded,
    6: CredentialRemoved,
}


@cache
def facts() -> dict:
    return shared_json("vendors", "zigbee2mqtt-fixtures.json")


def published() -> list[dict]:
    return [case for case in facts()["cases"] if case["output"] is not None]


def decoded(case: dict):
    return decode_lock_message(json.dumps({**case["output"], "linkquality": 120}).encode())


def events_of(frame_type: str) -> list[tuple[dict, object]]:
    """Frames of that type and the event that is made of each."""
    pairs = []
    for case in published():
        message = decoded(case)
        if case["type"] == frame_type and message.action is not None:
            pairs.append((case, read_action(message.action, family_of(case["model"])).event))
    return pairs


def test_every_model_is_a_lock():
    for number, model in enumerate(facts()["exposes"]):
        definition = {key: model[key] for key in ("model", "vendor", "exposes", "source")}
        entry = lock(number=number).listing() | {"definition": definition}
        devices = decode_devices(json.dumps([entry]).encode())
        assert [profile.model for profile in devices.locks] == [model["model"]]


def test_every_case_decodes_and_every_event_fits_the_catalog():
    kinds: Counter[str] = Counter()
    for case in published():
        message = decoded(case)
        kinds["state"] += message.action is None
        if message.action is None:
            continue
        fact = read_action(message.action, family_of(case["model"]))
        assert fact.known, case["output"]
        assert fact.event is None or decode_draft(encode_draft(EventDraft(fact.event)))
        kinds["event"] += 1
    assert kinds["event"] > 1000
    assert kinds["state"] > 800


def test_no_case_tells_a_code():
    codes = ("123456", "846213")
    for case in published():
        assert not any(code in repr(decoded(case)) for code in codes)


def test_operations_are_what_the_lock_did():
    cases = events_of("commandOperationEventNotification")
    for case, event in cases:
        code = case["data"]["opereventcode"]
        if code in _DENIED:
            assert isinstance(event, AccessDenied), case
            continue
        assert isinstance(event, AccessGranted), case
        operation = event.operation
        assert (operation is AccessOperation.LOCK) == (code in _LOCKS), case
        assert (operation is AccessOperation.UNLOCK) == (code in _UNLOCKS), case
    assert len(cases) > 850


def test_methods_and_slots_are_what_the_lock_said():
    for case, event in events_of("commandOperationEventNotification"):
        data = case["data"]
        source = data["opereventsrc"]
        if data["opereventcode"] not in _PLAIN or source not in list(_SOURCES):
            continue
        method = _SOURCES[source]
        assert event.method is method, case
        uses_slot = method is not AccessMethod.REMOTE and isinstance(data["userid"], int)
        assert (event.actor.slot if event.actor else None) == (
            str(data["userid"]) if uses_slot else None
        ), case


def test_programming_is_what_the_lock_did():
    cases = events_of("commandProgrammingEventNotification")
    for case, event in cases:
        wanted = _PROGRAMMED.get(case["data"]["programeventcode"])
        if wanted is None:
            assert isinstance(event, AccessGranted), case
            continue
        assert type(event) is wanted, case
        assert event.slot == str(case["data"]["userid"]), case
    assert len(cases) > 200


def test_short_frames_never_claim_more_than_the_lock_said():
    """Byte 3 is the source, byte 4 the code; the converters guess the operation from the source."""
    checked = 0
    for case, event in events_of("raw"):
        frame = bytes.fromhex(case["data"]["buffer"])
        source, nobody = frame[3], frame[5:7] == b"\xff\xff"
        if case["model"] not in ("YMC420-W", "YDM60"):
            continue
        checked += 1
        assert event.operation is AccessOperation.UNKNOWN, case
        assert event.method is _SOURCES.get(
            source, AccessMethod.PHYSICAL if source == 2 else AccessMethod.UNKNOWN
        )
        if nobody:
            assert isinstance(event, AccessDenied), case
    assert checked > 20


@pytest.mark.parametrize(
    "model", ["BE468", "0402946", "YRD256HA20BP", "ACME-LOCK-1", "easyCodeTouch_v1"]
)
async def test_bolt_reports_end_as_the_state_that_the_lock_reported(model):
    words = {0: "jammed", 1: "locked", 2: "unlocked"}
    cases = [
        case for case in published() if case["model"] == model and case["group"] == "lock state"
    ]
    exposes = next(each for each in facts()["exposes"] if each["model"] == model)["exposes"]
    async with at_home(lock(model=odd_model(model, "x", *exposes))) as house:
        for case in cases:
            await house.say(**case["output"])
            state = case["data"]["lockState"]
            wanted = words.get(state, "unknown") if isinstance(state, int) else "unknown"
            found = house.attribute("lock_state")
            assert found is not None
            assert found[0] == wanted, case
    assert len(cases) == 5


async def test_every_message_of_every_model_goes_through_the_driver():
    for model in facts()["exposes"]:
        cases = [case for case in published() if case["model"] == model["model"]]
        async with at_home(
            lock(model=odd_model(model["model"], model["vendor"], *model["exposes"]))
        ) as house:
            for case in cases:
                await house.say(**case["output"])
            assert house.context.rejects == []
            assert house.context.broker.unacknowledged == 0
