"""The gateway as a process: how it ends, by itself, when asked, and when killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from latchway.gateway.clock import SystemClock
from latchway.outbox import Outbox
from support import vendors
from support.broken_gateway import PLACES
from support.gateway import WITHIN_S, account, sent

TESTS = Path(__file__).parents[2]
RUN = "import sys, pathlib, latchway.gateway.daemon as d; d.run(pathlib.Path(sys.argv[1]))"


class Process:
    """One gateway process on one folder."""

    def __init__(self, folder: Path, mode: str, *command: str) -> None:
        self.folder = folder
        config = folder / "config.toml"
        config.write_text(
            f'[hub]\nstate_dir = "{folder}/state"\nruntime_dir = "{folder}/run"\n'
            f'[vendors.test]\nmode = "{mode}"\n'
            f'[sinks.disk]\ntype = "file"\npath = "{folder}/events.jsonl"\n'
        )
        self.log = folder / "log"
        arguments = command or ("-c", RUN)
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, *arguments, str(config), *self.extra()], stdout=log, stderr=log
            )

    def extra(self) -> list[str]:
        return []

    async def until(self, condition, what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < deadline, f"not in time: {what}\n{self.text()}"
            await asyncio.sleep(0.02)

    async def until_sent(self, event_type: str, count: int = 1) -> None:
        await self.until(lambda: len(sent(self.folder, event_type)) >= count, event_type)

    async def ended(self) -> int:
        await self.until(lambda: self.popen.poll() is not None, "the process ends")
        return self.popen.returncode

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def worker(self) -> int:
        pid = self.popen.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return int(children.split()[0])


class Broken(Process):
    """One in which a task fails."""

    def __init__(self, folder: Path, place: str) -> None:
        self.place = place
        self.mark = folder / "mark"
        super().__init__(folder, "stream", str(TESTS / "support" / "broken_gateway.py"))

    def extra(self) -> list[str]:
        return [self.place, str(self.mark)]


@pytest.fixture(autouse=True)
def _installed_vendor(tmp_path, monkeypatch):
    vendors.install(tmp_path / "packages")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path / "packages"), str(TESTS))))


@pytest.fixture
def start(tmp_path):
    started: list[Process] = []

    def start(mode: str = "stream", kind: type[Process] = Process) -> Process:
        process = kind(tmp_path, mode)
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.popen.kill()
        process.popen.wait(10)


@pytest.mark.parametrize("place", [*PLACES, "writer, others hang", "clock watch, others hang"])
async def test_a_fault_in_any_task_ends_the_process_within_two_seconds(place, start, tmp_path):
    broken = start(place, Broken)

    assert await broken.ended() == 1

    assert time.monotonic() - float(broken.mark.read_text()) < 2.0
    assert "planted fault" in broken.text()


async def test_sigterm_ends_with_zero_and_an_empty_backlog(start, tmp_path):
    process = start()
    await process.until_sent("lock.state_changed", 50)

    process.popen.send_signal(signal.SIGTERM)

    assert await process.ended() == 0
    assert sent(tmp_path, "hub.stopping")[0]["data"]["reason"] == "SIGTERM"
    closed = await account(tmp_path)
    assert closed.difference == 0
    assert sum(lane.waiting for lane in closed.lanes) == 0


async def test_killed_without_warning_it_loses_nothing_and_leaves_no_worker(start, tmp_path):
    process = start()
    await process.until_sent("lock.state_changed", 50)
    worker = process.worker()

    process.popen.kill()
    await process.ended()

    await process.until(lambda: not Path(f"/proc/{worker}").exists(), "the worker ends")
    before = await account(tmp_path)
    assert before.difference == 0
    again = start()
    await again.until_sent("hub.started", 2)
    again.popen.send_signal(signal.SIGTERM)
    assert await again.ended() == 0
    first, second = sent(tmp_path, "hub.started")[-2:]
    assert (first["data"]["clean"], second["data"]["clean"]) == (True, False)
    assert first["data"]["epoch"] == second["data"]["epoch"]
    arrived = {event["id"] for event in sent(tmp_path)}
    with contextlib.closing(sqlite3.connect(tmp_path / "state" / "outbox.db")) as stored:
        assert sum(line.stored for line in (await account(tmp_path)).intake) == len(arrived)
        assert stored.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_second_gateway_on_the_same_folder_refuses_and_says_who(start):
    first = start()
    await first.until_sent("hub.started")

    second = start()

    assert await second.ended() == 1
    assert f"process {first.popen.pid}" in second.text()
    assert "cannot run" in second.text()
    assert "Traceback" not in second.text()
    assert first.popen.poll() is None


async def test_a_lost_outbox_begins_a_new_epoch(start, tmp_path):
    for _ in range(2):
        process = start("emit")
        await process.until_sent("hub.started")
        process.popen.send_signal(signal.SIGTERM)
        assert await process.ended() == 0
        for file in (tmp_path / "state").glob("outbox.db*"):
            file.unlink()
        (tmp_path / "events.jsonl").rename(tmp_path / f"events-{time.monotonic_ns()}.jsonl")

    process = start("emit")
    await process.until_sent("hub.started")

    assert sent(tmp_path, "hub.started")[0]["data"]["epoch"] == 3
    assert sent(tmp_path, "hub.started")[0]["sequence"].startswith("3-")


async def test_an_outbox_from_an_old_backup_begins_a_new_epoch(start, tmp_path):
    state = tmp_path / "state"
    process = start("emit")
    await process.until_sent("hub.started")
    process.popen.send_signal(signal.SIGTERM)
    await process.ended()
    backup = (state / "outbox.db").read_bytes()
    async with Outbox.open(
        state / "outbox.db", minimum_epoch=5, now=SystemClock().now, boottime=time.monotonic
    ):
        pass
    process = start("emit")
    await process.until_sent("hub.started", 2)
    process.popen.send_signal(signal.SIGTERM)
    await process.ended()
    for file in state.glob("outbox.db-*"):
        file.unlink()
    (state / "outbox.db").write_bytes(backup)

    process = start("emit")
    await process.until_sent("hub.started", 3)

    assert [e["data"]["epoch"] for e in sent(tmp_path, "hub.started")] == [1, 5, 6]
