"""Failing disks, cancelled callers, killed processes: what was promised is there, or is refused."""

import asyncio
import resource
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from latchway.outbox import OutboxFailed, OutboxFull, Transaction
from latchway.outbox import connection as connections
from support.outbox_builders import OutboxFolder, batch, event, events

VICTIM = Path(__file__).parent / "victims.py"


@contextmanager
def no_file_may_grow_beyond(size):
    """Make the kernel refuse writes beyond that offset, as a failing disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_after_a_write_that_failed_everything_is_refused_until_opened_again(folder):
    async with folder.open() as box:
        await box.store(*events(20, "cloud"))
        with (
            no_file_may_grow_beyond(connections.wal_path(folder.path).stat().st_size),
            pytest.raises(OutboxFailed, match=r"disk I/O error.*opening it again"),
        ):
            await box.store(event("lost", "cloud"))
        with pytest.raises(OutboxFailed, match="disk I/O error"):
            await box.store(event("refused", "cloud"))
        with pytest.raises(OutboxFailed):
            await box.outbox.states("nuki")
        with pytest.raises(OutboxFailed):
            await box.outbox.prune()
    async with folder.open() as box:
        committed = await box.store(event("next", "cloud"))
        assert committed.deliveries[0].position.number == 21
        assert "lost" not in await box.stored_ids()
        await box.closed_account()


async def test_a_full_disk_is_told_apart(folder):
    async with folder.open() as box:
        await box.outbox._run(lambda raw: raw.execute("PRAGMA max_page_count = 60").fetchall())
        with pytest.raises(OutboxFull, match="free some space"):
            await box.store(*events(500, data=b"x" * 2000))
    async with folder.open() as box:
        assert await box.stored_ids() == []
        await box.store(event("fits"))
        await box.closed_account()


async def test_opening_on_a_disk_that_takes_nothing_is_a_failure_of_the_outbox(folder):
    async with folder.open() as box:
        await box.store(event("before"))
    with no_file_may_grow_beyond(0), pytest.raises(OutboxFailed, match="disk"):
        async with folder.open():
            pass
    async with folder.open() as box:
        assert await box.stored_ids() == ["before"]


async def test_whoever_asks_while_it_closes_or_later_is_refused_in_words(folder):
    async with folder.open() as box:
        readers = (box.reader, box.outbox)
        release = threading.Event()
        busy = asyncio.create_task(box.outbox._run(lambda _: release.wait(10)))
        closing = asyncio.create_task(box.outbox._connection.close())
        await asyncio.sleep(0)
        late = asyncio.create_task(box.outbox.states("nuki"))
        await asyncio.sleep(0)
        release.set()
        await asyncio.wait({busy, closing, late})
        with pytest.raises(OutboxFailed, match="closed"):
            late.result()
    with pytest.raises(OutboxFailed, match="closed"):
        await readers[0].account()
    with pytest.raises(OutboxFailed, match="closed"):
        await readers[1].states("nuki")


async def test_a_cancelled_commit_is_stored_whole_and_the_outbox_goes_on(box):
    release = threading.Event()
    busy = asyncio.create_task(box.outbox._run(lambda _: release.wait(10)))
    cancelled = asyncio.create_task(box.store(*events(3, "cloud"), states={"d": b"1"}))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    release.set()
    await busy

    committed = await box.store(event("after", "cloud"))
    assert committed.deliveries[0].position.number == 4
    assert len(await box.stored_ids()) == 4
    assert await box.outbox.states("zigbee2mqtt") == {"d": b"1"}
    await box.closed_account()


async def test_commits_at_the_same_time_are_stored_one_after_the_other(box):
    committed = await asyncio.gather(
        *(box.outbox.commit(Transaction((batch(event(f"e{n}", "cloud")),))) for n in range(30))
    )

    numbers = [one.deliveries[0].position.number for one in committed]
    assert numbers == list(range(1, 31))


async def test_leaving_the_context_with_a_commit_on_its_way_loses_nothing_of_it(folder):
    async with folder.open() as box:
        task = asyncio.create_task(box.store(event("last")))
        await asyncio.sleep(0)
    await task
    async with folder.open() as box:
        assert await box.stored_ids() == ["last"]


@pytest.mark.parametrize("how", ["raise", "raise-in-task", "raise-while-opening"])
def test_a_process_whose_code_raises_with_an_outbox_open_ends_within_two_seconds(tmp_path, how):
    with victim(how, tmp_path) as process:
        assert process.stdout.readline() == "raising\n"
        assert process.wait(timeout=2) == 1


def test_everything_said_to_be_stored_is_there_after_kill_9_at_any_moment(tmp_path):
    said = []
    for round_number in range(5):
        with victim("commit-for-ever", tmp_path) as process:
            said += [process.stdout.readline() for _ in range(5 + 13 * round_number)]
            process.send_signal(signal.SIGKILL)
            said += process.stdout.read().splitlines(keepends=True)
            process.wait(timeout=5)
    asyncio.run(check_after_kills(tmp_path, [line.strip() for line in said if line.endswith("\n")]))


async def check_after_kills(folder, said):
    async with OutboxFolder(folder).open() as box:
        assert not box.outbox.clean
        stored = await box.reader.events(100_000)
        waiting = await box.waiting(limit=100_000)
        await box.closed_account()
    pairs = [f"{one.sequence} {one.event.id}" for one in reversed(stored)]
    assert set(said) <= set(pairs)
    assert len(set(said)) == len(said) > 100
    assert [int(pair.split(" ")[0].split("-")[1]) for pair in pairs] == list(
        range(1, len(pairs) + 1)
    )
    assert waiting == list(range(1, len(pairs) + 1))


@contextmanager
def victim(what, folder):
    with subprocess.Popen(
        [sys.executable, VICTIM, what, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()
