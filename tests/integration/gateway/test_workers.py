"""Real workers of a small vendor under a real gateway, with real databases and the file sink."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from latchway.gateway.core import CoreOptions
from latchway.gateway.supervisor import RestartPolicy, spawn
from latchway.gateway.view import VendorState
from latchway.outbox import Outbox, OutboxFailed
from support import vendors
from support.gateway import IMPATIENT, QUICK, account, config_of, gateway, sent

TESTS = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _installed_vendor(tmp_path, monkeypatch):
    packages = tmp_path / "packages"
    vendors.install(packages)
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(packages), str(TESTS))))


def vendor(mode: str, count: int = 3, **quotas: int) -> str:
    limits = "".join(f"quotas.{key} = {value}\n" for key, value in quotas.items())
    return f'[vendors.test]\nmode = "{mode}"\ncount = {count}\n{limits}'


async def test_an_emitted_event_ends_in_the_file(tmp_path):
    async with gateway(config_of(tmp_path, vendor("emit")), tmp_path) as running:
        await running.until_sent("lock.state_changed", 3)

        status = running.vendor()
        assert (status.state, status.title) == (VendorState.RUNNING, "Test locks")
        assert status.delivery_class == "queued"
        [device] = await running.daemon.view().devices()
        assert (device.name, device.model) == ("Front door", "T1")
        assert device.attributes["lock_state"].value == "locked"

    states = [event["data"]["state"] for event in sent(tmp_path, "lock.state_changed")]
    assert states == ["locked", "unlocked", "locked"]
    positions = [event["lanepos"] for event in sent(tmp_path, "lock.state_changed")]
    assert positions == [f"{n:016}" for n in (1, 2, 3)]


async def test_a_graceful_stop_drains_and_says_so(tmp_path):
    async with gateway(config_of(tmp_path, vendor("stream", 0)), tmp_path) as running:
        await running.until_sent("lock.state_changed", 20)

    closed = await account(tmp_path)
    assert closed.difference == 0
    assert sum(lane.waiting for lane in closed.lanes) == 0
    [stopping] = sent(tmp_path, "hub.stopping")
    assert stopping["data"] == {"reason": "the test is over"}
    async with gateway(config_of(tmp_path, vendor("emit", 0)), tmp_path) as running:
        await running.until_sent("hub.started", 2)
    first, second = sent(tmp_path, "hub.started")
    assert first["data"]["epoch"] == second["data"]["epoch"] == 1
    assert second["data"]["clean"]


async def test_a_killed_worker_is_replaced_and_both_are_told(tmp_path):
    async with gateway(config_of(tmp_path, vendor("emit", 1)), tmp_path) as running:
        await running.until_sent("lock.state_changed", 1)
        first = running.kill_worker()

        await running.until_sent("vendor.recovered")
        assert running.vendor().pid not in (first, None)
        assert running.vendor().restarts == 1
        assert "SIGKILL" in running.vendor().last_error

    [degraded] = sent(tmp_path, "vendor.degraded")
    assert degraded["source"].endswith("/test")
    assert degraded["data"]["reason"] == "worker died: signal 9 (SIGKILL)"
    assert degraded["data"]["next_step"].startswith("restart in")
    assert len(sent(tmp_path, "lock.state_changed")) == 2


async def test_a_worker_that_hangs_is_killed(tmp_path):
    async with gateway(config_of(tmp_path, vendor("hang", 1)), tmp_path) as running:
        await running.until_sent("vendor.degraded")
        assert running.vendor().last_error.startswith("no heartbeat for 0.")

        await running.until_sent("lock.state_changed", 2)


async def test_a_stopped_process_is_killed_too(tmp_path):
    async with gateway(config_of(tmp_path, vendor("emit", 1)), tmp_path) as running:
        await running.until_sent("lock.state_changed", 1)
        running.kill_worker(signal.SIGSTOP)

        await running.until_sent("vendor.recovered")


async def test_a_crash_loop_ends_in_quarantine_and_others_go_on(tmp_path):
    other = '[vendors.other]\ndriver = "test"\nmode = "emit"\n'
    config = config_of(tmp_path, vendor("crash", 1), other)

    async with gateway(config, tmp_path) as running:
        await running.until_sent("vendor.quarantined")
        status = running.vendor()
        await running.until(lambda: len(running.events("lock.state_changed")) >= 9)

        assert status.state is VendorState.QUARANTINED
        assert status.restarts == 5
        assert status.quarantined_until is not None
        assert status.pid is None
        assert "the driver is meant to crash" in status.last_error
        assert running.vendor("other").state is VendorState.RUNNING
        assert running.vendor("other").restarts == 0

    [quarantined] = sent(tmp_path, "vendor.quarantined")
    assert quarantined["data"]["duration_s"] == 600
    assert quarantined["data"]["reason"].startswith("5 restarts in 60 s; worker died: ")
    assert len(sent(tmp_path, "vendor.degraded")) == 5


async def test_a_quarantine_ends_by_itself(tmp_path):
    policy = RestartPolicy(
        first_ceiling_s=0.01, highest_ceiling_s=0.01, restarts=1, first_quarantine_s=0.2
    )
    core = CoreOptions(timing=QUICK, policy=policy)
    async with gateway(config_of(tmp_path, vendor("crash", 1)), tmp_path, core) as running:
        await running.until_sent("lock.state_changed", 3)

        assert running.vendor().quarantined_until is None or running.vendor().restarts >= 2


async def test_a_driver_that_ignores_the_stop_is_killed_after_its_grace(tmp_path):
    config = config_of(tmp_path, vendor("deaf", 2), grace_s=0.3)
    async with gateway(config, tmp_path) as running:
        await running.until_sent("lock.state_changed", 2)
        pid = running.vendor().pid

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert (await account(tmp_path)).difference == 0


async def test_what_a_driver_cannot_promise_is_an_event(tmp_path):
    async with gateway(config_of(tmp_path, vendor("degrade", 0)), tmp_path) as running:
        await running.until_sent("vendor.degraded")

        assert running.vendor().degraded == ("the bridge is offline: start it",)
        assert running.vendor().state is VendorState.RUNNING


async def test_beyond_its_rate_a_vendor_gets_no_credit(tmp_path):
    config = config_of(tmp_path, vendor("stream", 0, events_per_s=20, burst=20))
    async with gateway(config, tmp_path) as running:
        await running.until_sent("lock.state_changed", 30)
        began = running.daemon.view().hub().uptime_s
        before = len(running.events("lock.state_changed"))
        await running.until(lambda: running.daemon.view().hub().uptime_s > began + 2)
        let_in = len(running.events("lock.state_changed")) - before

        assert let_in <= 2 * 20 + 64 + 20
        assert running.vendor().state is VendorState.RUNNING


RAW_WORKER = """
import socket, sys, time
sys.path.insert(0, {tests!r})
from support.raw_worker import BEHAVIOURS
peer = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
BEHAVIOURS[{behaviour!r}](peer)
time.sleep(3600)
"""


def raw(behaviour: str, monkeypatch, tmp_path) -> CoreOptions:
    """Replace the interpreter by a script that speaks the wire by itself, and badly."""
    script = tmp_path / "python"
    program = RAW_WORKER.format(tests=str(TESTS), behaviour=behaviour)
    (tmp_path / "raw_worker_main.py").write_text(program)
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path}/raw_worker_main.py "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    return CoreOptions(timing=QUICK, policy=IMPATIENT)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("noise", "it broke the rules of the wire: A frame announces"),
        ("a_gigabyte", "it broke the rules of the wire: A frame announces"),
        ("broken_header", "it broke the rules of the wire: The header"),
        ("wrong_lengths", "it broke the rules of the wire: "),
        ("old_generation", "it broke the rules of the wire: its wire is of generation 0"),
        ("other_name", "it says that it is 'somebody'"),
        ("no_credit", "it broke the rules of the wire: batch 65 came without credit"),
        ("skipped_number", "it broke the rules of the wire: batch 2 came after batch 0"),
        ("half_a_frame", "exit status 0"),
        ("crowded_batch", "it broke the rules of the wire: A batch of 60000 drafts"),
        ("closed_socket", "it closed its socket"),
        ("silence", "no hello within"),
    ],
)
async def test_garbage_ends_the_worker_and_nothing_else(behaviour, reason, monkeypatch, tmp_path):
    core = raw(behaviour, monkeypatch, tmp_path)
    if behaviour == "silence":
        core = CoreOptions(timing=type(QUICK)(0.1, 5, hello_s=1.0), policy=IMPATIENT)
    async with gateway(config_of(tmp_path, vendor("emit")), tmp_path, core) as running:
        await running.until_sent("vendor.degraded")

        assert running.vendor().last_error.startswith(reason)
    assert (await account(tmp_path)).difference == 0


async def test_a_fault_of_our_own_in_keeping_one_worker_is_no_fault_of_the_gateway(tmp_path):
    lives = []

    async def fails_once(vendor):
        lives.append(vendor.name)
        if len(lives) == 1:
            raise RuntimeError("no more threads")
        return await spawn(vendor)

    core = CoreOptions(timing=QUICK, policy=IMPATIENT, spawn=fails_once)
    async with gateway(config_of(tmp_path, vendor("emit", 1)), tmp_path, core) as running:
        await running.until_sent("lock.state_changed")

        assert "no more threads" in running.vendor().last_error


async def test_an_unknown_kind_of_frame_is_ignored(monkeypatch, tmp_path):
    core = raw("unknown_kind", monkeypatch, tmp_path)
    async with gateway(config_of(tmp_path, vendor("emit")), tmp_path, core) as running:
        await running.until_sent("lock.state_changed")

        assert running.vendor().restarts == 0


async def test_a_bad_event_is_kept_and_its_neighbours_are_stored(monkeypatch, tmp_path):
    core = raw("bad_event", monkeypatch, tmp_path)
    async with gateway(config_of(tmp_path, vendor("emit")), tmp_path, core) as running:
        await running.until_sent("lock.state_changed")
        [reject] = await running.daemon.view().rejected(10, None)

        assert (reject.vendor, reject.code) == ("test", "unknown_type")
        assert json.loads(reject.raw)["type"] == "io.latchway.door.exploded.v9"
        assert running.vendor().restarts == 0


async def test_however_many_events_are_bad_the_gateway_goes_on(monkeypatch, tmp_path):
    """The worker never reads what it is told of them, which must not hold up the stop either."""
    core = raw("many_bad_events", monkeypatch, tmp_path)
    config = config_of(tmp_path, vendor("emit"), grace_s=0.3)
    async with gateway(config, tmp_path, core) as running:
        await running.until_sent("lock.state_changed")

        assert running.vendor().restarts == 0
    closed = await account(tmp_path)
    [line] = [line for line in closed.intake if line.vendor == "test"]
    assert (line.rejected, closed.difference) == (12_000, 0)


async def test_a_worker_that_beats_but_never_reads_its_config_is_given_up(monkeypatch, tmp_path):
    async def more_than_a_socket_holds(self, vendor):
        return {f"cursor-{number}": b"1" * 100_000 for number in range(40)}

    monkeypatch.setattr(Outbox, "cursors", more_than_a_socket_holds)
    core = raw("never_reads", monkeypatch, tmp_path)
    core = replace(core, timing=replace(core.timing, hello_s=0.5))
    async with gateway(config_of(tmp_path, vendor("emit")), tmp_path, core) as running:
        await running.until(lambda: "did not read its config" in running.vendor().last_error)


async def test_a_worker_that_takes_long_to_say_hello_gets_time_for_its_first_heartbeat(
    monkeypatch, tmp_path
):
    core = raw("late_hello", monkeypatch, tmp_path)
    async with gateway(config_of(tmp_path, vendor("emit")), tmp_path, core) as running:
        await running.until(lambda: running.vendor().state is VendorState.RUNNING)

        assert running.vendor().restarts == 0


async def test_after_a_disk_error_the_gateway_goes_on_from_the_file(monkeypatch, tmp_path):
    commit, commits = Outbox.commit, []

    async def fails_once(self, transaction):
        commits.append(transaction)
        if len(commits) == 20:
            raise OutboxFailed("the disk said EIO")
        return await commit(self, transaction)

    monkeypatch.setattr(Outbox, "commit", fails_once)
    async with gateway(config_of(tmp_path, vendor("stream", 0)), tmp_path) as running:
        await running.until_sent("hub.started", 2)
        again = len(running.events("lock.state_changed"))
        await running.until_sent("lock.state_changed", again + 20)

        assert running.vendor().state is VendorState.RUNNING
        assert running.daemon.view().readiness().ready

    first, second = sent(tmp_path, "hub.started")
    assert (first["data"]["clean"], second["data"]["clean"]) == (True, False)
    assert (await account(tmp_path)).difference == 0
    numbers = [int(event["sequence"].split("-")[1]) for event in sent(tmp_path)]
    assert set(numbers) == set(range(1, max(numbers) + 1))
