"""What each command says and how it ends, as a process of its own in front of a real socket."""

from __future__ import annotations

import base64
import json
import re

import pytest

from latchway.gateway.view import OutboxUnreadable, SinkState
from support.command import latchway, latchway_on_terminal
from support.view import device, event, intake, lane, reject, sink

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
BIDI = "\u202e"


async def test_status_ends_with_0_where_all_is_well(folder):
    ended = await latchway(folder, "status")
    assert ended.code == 0
    assert "All is well." in ended.out
    assert "account closes" in ended.out
    assert ended.err == ""


async def test_status_ends_with_8_and_says_what_to_do_where_something_is_not(view, folder):
    view.sink_statuses = (sink(state=SinkState.WAITING, detail="connection refused"),)
    ended = await latchway(folder, "status")
    assert ended.code == 8
    assert "! cloud is not connected" in ended.out
    assert "fix: check its server and [sinks.cloud]" in ended.out


async def test_status_as_json_is_the_answer_of_the_api_on_one_line(view, folder):
    view.sink_statuses = (sink(state=SinkState.WAITING),)
    ended = await latchway(folder, "status", "--json")
    assert ended.code == 8
    assert ended.out.count("\n") == 1
    report = json.loads(ended.out)
    assert report["verdict"] == "degraded"
    assert report["problems"][0]["fix"]


async def test_devices_shows_names_states_and_which_values_are_not_confirmed(view, folder):
    view.stored_devices = (device("Front door"), device("Shed", lock_state=("locked", "cached")))
    ended = await latchway(folder, "devices")
    front, shed = ended.out.splitlines()[1:]
    assert "locked " in front
    assert "81.5%" in front
    assert "locked?" in shed


async def test_devices_with_a_name_shows_all_of_one_and_ends_with_4_if_there_is_none(view, folder):
    view.stored_devices = (device("Front door"), device("Shed"))
    found = await latchway(folder, "devices", "Shed")
    assert found.code == 0
    assert "YRD256" in found.out
    assert "Front door" not in found.out
    missing = await latchway(folder, "devices", "front")
    assert missing.code == 4
    assert "did you mean 'Front door'?" in missing.err
    as_json = await latchway(folder, "devices", "Shed", "--json")
    assert [each["name"] for each in json.loads(as_json.out)["devices"]] == ["Shed"]


async def test_no_device_yet_is_said_in_words(folder):
    ended = await latchway(folder, "devices")
    assert ended.code == 0
    assert "No device yet" in ended.out


async def test_events_come_oldest_first_up_to_the_limit(view, folder):
    view.history = [event(number) for number in range(1, 40)]
    ended = await latchway(folder, "events", "--limit", "2")
    assert [line.split("  ")[0] for line in ended.out.splitlines()] == [
        "2026-03-01 12:00:38",
        "2026-03-01 12:00:39",
    ]
    assert "zigbee2mqtt/0x00158d0001ab23cd  lock.state_changed  state=locked" in ended.out
    usual = await latchway(folder, "events")
    assert usual.out.count("\n") == 20


async def test_events_for_people_are_flat_and_leave_out_what_is_nearly_always_so(view, folder):
    actor = {"credential_kind": "code", "slot": "3"}
    view.history = [event(actor=actor, probable_repeat=False)]
    line = (await latchway(folder, "events")).out.rstrip()
    assert line.endswith("source=reported actor.credential_kind=code actor.slot=3")
    view.history = [event(probable_repeat=True)]
    assert "probable_repeat=true" in (await latchway(folder, "events")).out


async def test_events_as_json_are_one_cloudevent_a_line(view, folder):
    view.history = [event(1), event(2)]
    ended = await latchway(folder, "events", "--json")
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == ["event-1", "event-2"]


async def test_events_with_a_pattern_show_what_matches(view, folder):
    view.history = [event(1), event(2, state="jammed"), event(3)]
    pattern = '{"data":{"state":["jammed"]}}'
    ended = await latchway(folder, "events", "--pattern", pattern, "--json")
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == ["event-2"]


async def test_a_wrong_pattern_is_wrong_usage_with_its_place(folder):
    ended = await latchway(folder, "events", "--pattern", '{"data":{"state":[{"perfix":"j"}]}}')
    assert ended.code == 2
    assert "data.state[0]: operator 'perfix' is not known" in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("command", [("outbox",), ("outbox", "stats")])
async def test_outbox_shows_the_account_line_by_line(view, folder, command):
    view.intake = (intake(stored=10, rejected=2),)
    view.lanes = (lane(acknowledged=7, waiting=2, parked=1),)
    ended = await latchway(folder, *command)
    assert ended.code == 0
    assert "zigbee2mqtt        12      10          0         2        0" in ended.out
    assert "zigbee2mqtt/cloud/main      1      10             7        2       1" in ended.out
    assert "The account closes: difference 0." in ended.out
    as_json = await latchway(folder, *command, "--json")
    assert json.loads(as_json.out)["account_difference"] == 0


async def test_rejected_shows_when_whence_why_and_the_input(view, folder):
    view.rejects = (reject(), reject(2, raw=b"\xff\xfe{", code="not_utf8", topic=None))
    ended = await latchway(folder, "outbox", "rejected")
    assert ended.code == 0
    for words in ("2026-03-01T12:00:00Z", "zigbee2mqtt", "not_json", "front door", "{oops"):
        assert words in ended.out
    assert r"\xff\xfe{" in ended.out


async def test_rejected_as_json_has_every_byte_and_text_where_it_is_text(view, folder):
    view.rejects = (reject(raw=b"\xff\x00"), reject(2, raw=b'{"a":1}'))
    ended = await latchway(folder, "outbox", "rejected", "--json")
    newest, oldest = json.loads(ended.out)["rejected"]
    assert newest["raw_text"] == '{"a":1}'
    assert base64.b64decode(oldest["raw_base64"]) == b"\xff\x00"
    assert oldest["raw_text"] is None


async def test_rejected_of_one_vendor_leaves_the_others_out(view, folder):
    view.rejects = (reject(1), reject(2, vendor="nuki"))
    ended = await latchway(folder, "outbox", "rejected", "--vendor", "nuki", "--json")
    assert [each["vendor"] for each in json.loads(ended.out)["rejected"]] == ["nuki"]


HOSTILE = f"\x1b[2J\x1b]0;owned\x07\r\x9b31m{BIDI}evil\n"


@pytest.mark.parametrize(
    "command", [("outbox", "rejected"), ("devices",), ("events",), ("status",), ("status", "--all")]
)
@pytest.mark.parametrize("run", [latchway, latchway_on_terminal])
async def test_no_text_from_outside_can_act_on_a_terminal(view, folder, command, run):
    view.rejects = (reject(raw=HOSTILE.encode(), topic=HOSTILE, reason=HOSTILE, code=HOSTILE),)
    view.stored_devices = (device(HOSTILE, lock_state=(HOSTILE, "reported")),)
    view.history = [event(1, state=HOSTILE, extra={"inner": HOSTILE})]
    view.sink_statuses = (sink(state=SinkState.WAITING, detail=HOSTILE),)
    ended = await run(folder, *command, NO_COLOR="1")
    assert r"\x1b[2J" in ended.out
    assert CONTROL.findall(ended.out) == []
    assert BIDI not in ended.out


async def test_an_outbox_that_cannot_be_read_is_a_failure_with_words(view, folder):
    view.failure = OutboxUnreadable("the outbox is being opened anew")
    ended = await latchway(folder, "outbox")
    assert ended.code == 1
    assert "opened anew" in ended.err
