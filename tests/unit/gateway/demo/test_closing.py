"""How the demo ends: when it holds, and what it says for people and machines."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from latchway.gateway.demo.closing import Story, account_lines, close
from latchway.outbox import Account, IntakeAccount, LaneAccount, LaneKey
from latchway.schemas import Gap, LaneClass, Verdict

LANE = LaneKey("zigbee2mqtt", "cloud", LaneClass.MAIN)
STORY = Story(broker="mosquitto", happened=4, worker_kills=1, cloud_cuts=1)
INTAKE = IntakeAccount("zigbee2mqtt", received=12, stored=10, duplicate=1, rejected=1, refused=0)
DELIVERY = LaneAccount(
    LANE,
    epoch=1,
    routed=10,
    acknowledged=10,
    waiting=0,
    parked=0,
    expired=0,
    compacted=0,
    dropped=0,
    withdrawn=0,
)
ACCOUNT = Account((INTAKE,), (DELIVERY,))
VERDICT = Verdict(
    received=10,
    missing=(),
    duplicates=3,
    conflicting=0,
    unexpected=0,
    out_of_order=0,
    voided=0,
)


def test_the_line_of_json_holds_the_whole_account():
    answer = json.loads(close(STORY, ACCOUNT, VERDICT).to_json())
    expected = {
        "holds": True,
        "stored": 10,
        "acknowledged": 10,
        "received": 10,
        "missing": 0,
        "unexpected": 0,
        "duplicates": 3,
        "account_difference": 0,
    }
    assert expected.items() <= answer.items()


def test_duplicates_with_equal_ids_are_no_failure():
    assert close(STORY, ACCOUNT, VERDICT).holds


@pytest.mark.parametrize(
    "closing",
    [
        close(STORY, ACCOUNT, replace(VERDICT, missing=(Gap(str(LANE), 1, 4, 5),))),
        close(STORY, ACCOUNT, replace(VERDICT, unexpected=1)),
        close(STORY, ACCOUNT, replace(VERDICT, conflicting=1)),
        close(STORY, ACCOUNT, replace(VERDICT, received=0)),
        close(replace(STORY, lost=1), ACCOUNT, VERDICT),
        close(replace(STORY, foreign=1), ACCOUNT, VERDICT),
        close(STORY, Account((replace(INTAKE, received=13),), (DELIVERY,)), VERDICT),
        close(STORY, Account((INTAKE,), (replace(DELIVERY, acknowledged=9, waiting=1),)), VERDICT),
    ],
    ids=[
        "a missing position",
        "an event that was given up",
        "a conflict",
        "nothing at all",
        "an entry of a diary without event",
        "a foreign message",
        "an account that does not close",
        "something that still waits",
    ],
)
def test_the_demo_does_not_hold_with(closing):
    assert not closing.holds
    assert "NOT" in list(closing.verdict_lines())[-1]


def test_missing_counts_positions_and_entries_of_the_diary():
    verdict = replace(VERDICT, missing=(Gap(str(LANE), 1, 4, 5),))
    assert close(replace(STORY, lost=1), ACCOUNT, verdict).missing == 3


def test_the_account_is_told_line_by_line():
    lines = list(account_lines(ACCOUNT))
    assert lines[0].startswith("intake   zigbee2mqtt: received 12 = stored 10 + duplicate 1")
    assert lines[1].startswith("delivery zigbee2mqtt/cloud/main: routed 10 = acknowledged 10")
    assert lines[-1] == "account  difference 0"


def test_the_last_line_says_what_was_survived():
    told = " ".join(close(STORY, ACCOUNT, VERDICT).verdict_lines())
    assert "received 10, missing 0, unexpected 0, duplicates 3" in told
    assert "1 cut of the cloud and 1 kill of the worker" in told
