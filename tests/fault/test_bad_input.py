"""Bad MQTT input is counted, kept with its reason, shown, and harms nothing else (rows 40, 48)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.event_path import EventPath
from support.hub import START

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)
LOCK = "Lock 1"

BAD = (
    ("too_large", b'{"action":"unlock","x":"' + b"a" * 300_000 + b'"}'),
    ("not_utf8", b'{"action":"unl\xff\xfeock"}'),
    ("too_deep", b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
    ("not_a_number", b'{"battery": NaN, "linkquality": 120}'),
    ("duplicate_key", b'{"action":"unlock","action":"lock","linkquality":120}'),
    ("wrong_type", b'{"action":"unlock","action_user":{"a":1},"linkquality":120}'),
    ("not_an_object", b"[1, 2, 3]"),
    ("not_json", b'{"action":"unl'),
)
"""Each bad payload, and the code that it must be kept under."""


def rejected(path: EventPath) -> list[dict]:
    """Ask as an operator does: `latchway outbox rejected --json`."""
    environment = os.environ | {"LATCHWAY_RUNTIME_DIR": str(path.hub.runtime_dir)}
    answer = subprocess.run(
        [sys.executable, "-c", START, "outbox", "rejected", "--json"],
        env=environment,
        capture_output=True,
        check=True,
        timeout=30,
    )
    return json.loads(answer.stdout)["rejected"]


def test_bad_messages_are_kept_with_their_reason_and_good_ones_go_on(tmp_path: Path) -> None:
    with EventPath(tmp_path) as path:
        for _, payload in BAD:
            path.bridge.enter()
            path.bridge.send(LOCK, payload)
        for _ in range(20):
            path.bridge.enter()
        path.settle()
        kept = rejected(path)
        assert sorted(entry["code"] for entry in kept) == sorted(code for code, _ in BAD)
        assert all(entry["reason"] for entry in kept)
        assert {entry["topic"] for entry in kept} == {f"zigbee2mqtt/{LOCK}"}
        path.judge()


def test_messages_of_unknown_devices_are_kept_and_harm_nothing(tmp_path: Path) -> None:
    with EventPath(tmp_path) as path:
        path.settle()
        for _ in range(5):
            path.bridge.send("Nobody", {"action": "unlock", "linkquality": 3})
        for _ in range(20):
            path.bridge.enter()
        path.hub.wait_until(lambda: len(rejected(path)) == 5, "what is kept of the unknown device")
        kept = rejected(path)
        arrivals = path.judge()
    assert {(entry["code"], entry["topic"]) for entry in kept} == {
        ("unknown_device", "zigbee2mqtt/Nobody")
    }
    assert not any("Nobody" in arrival.source for arrival in arrivals)


def test_a_device_list_that_cannot_be_read_harms_nothing(tmp_path: Path) -> None:
    with EventPath(tmp_path) as path:
        path.bridge.send("bridge/devices", [{"ieee_address": 7}, "x", None], retain=False)
        path.bridge.announce()
        for _ in range(20):
            path.bridge.enter()
        path.judge()
