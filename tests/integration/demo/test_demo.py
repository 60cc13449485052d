"""The demo as a newcomer runs it: a process of its own, ended by itself, its account closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

START = "import sys; from latchway.gateway.cli.main import main; sys.exit(main())"


def demo(*options, broker, timeout_s=100):
    return subprocess.run(
        [sys.executable, "-c", START, "demo", *options],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=timeout_s,
        env={**os.environ, "LATCHWAY_DEMO_BROKER": broker},
    )


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
def test_the_account_closes_over_a_cut_cloud_and_a_killed_worker(broker):
    answer = demo("--json", "--duration", "12", broker=broker)

    assert answer.returncode == 0, answer.stderr
    closing = json.loads(answer.stdout.splitlines()[-1])
    assert closing["missing"] == closing["unexpected"] == closing["account_difference"] == 0
    assert closing["received"] == closing["acknowledged"] > closing["happened"] > 100
    assert closing["rejected"] > 0, "the garbled message was not kept with its reason"
    assert (closing["cloud_cuts"], closing["worker_kills"]) == (1, 1)
    assert closing["broker"] == broker


def test_without_a_terminal_it_tells_plain_lines_and_ends_by_itself():
    answer = demo("--duration", "8", broker="mosquitto")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "\x1b" not in answer.stdout
    assert "KILLED" in answer.stdout
    assert "CUT" in answer.stdout
    *_, account, verdict, summary = answer.stdout.splitlines()
    assert "difference 0" in account
    assert "missing 0, unexpected 0" in verdict
    assert "reached the cloud" in summary


def test_it_names_the_brokers_when_asked_for_another():
    answer = demo(broker="amqtt")

    assert answer.returncode == 1
    assert "use one of mosquitto, embedded" in answer.stderr
