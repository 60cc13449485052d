"""What is expected of the recordings is counted again from the recordings, without the driver."""

from __future__ import annotations

import json

import pytest

from support.shared import shared_path
from support.zigbee2mqtt_expected import EXPECTED

pytestmark = pytest.mark.shared

BASE = "zigbee2mqtt/"
TOLD_BY_ATTRIBUTE_ONLY = {"keypad_easyaccess": 2}
"""A finger and a hand at the lock: Onesti modules send no action for them, only who it was."""
ABOUT_ACTIONS = (": unlock by ", ": lock by ", ": unknown by ", ": credential ")


def actions_in(name: str) -> int:
    """Count what the real Zigbee2MQTT told of actions while the recorder listened."""
    count = 0
    file = shared_path("vendors", "zigbee2mqtt-recordings", f"{name}.jsonl")
    for line in file.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        topic = entry.get("topic", "").removeprefix(BASE)
        sent_by_us = entry.get("to") == "z2m"
        if not topic or sent_by_us or entry.get("snapshot") or topic.startswith("bridge/"):
            continue
        try:
            told = json.loads(entry["payload"])
        except ValueError:
            continue
        if isinstance(told, dict) and (told.get("action") or "action_source" in told):
            count += 1
    return count


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_action_that_was_recorded_is_expected_once(name: str) -> None:
    expected = sum(any(word in line for word in ABOUT_ACTIONS) for line in EXPECTED[name])

    assert expected == actions_in(name) + TOLD_BY_ATTRIBUTE_ONLY.get(name, 0)
