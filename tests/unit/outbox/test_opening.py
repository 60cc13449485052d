"""Opening a file: who may, in which version, and what is known about the run before."""

import os
import shutil
import sqlite3
import stat

import pytest

from latchway.outbox import (
    OutboxBusy,
    OutboxFailed,
    OutboxForeign,
    OutboxTooNew,
    Reader,
    Transaction,
)
from latchway.outbox import connection as connections
from latchway.outbox.migrations import migrations
from support.outbox_builders import OutboxFolder, event, events


def change_by_hand(path, statement):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


async def test_a_new_file_counts_as_clean(box):
    assert box.outbox.clean
    assert box.outbox.epoch == 1


async def test_a_run_that_ended_by_itself_is_remembered_as_clean(folder):
    async with folder.open() as box:
        await box.store(event())
        await box.outbox.commit(Transaction(clean_stop=True))
    async with folder.open() as box:
        assert box.outbox.clean


async def test_a_run_that_did_not_say_so_was_no_clean_one(folder):
    async with folder.open() as box:
        await box.outbox.commit(Transaction(clean_stop=True))
    async with folder.open():
        pass
    async with folder.open() as box:
        assert not box.outbox.clean


async def test_a_commit_after_the_clean_stop_takes_the_word_back(folder):
    async with folder.open() as box:
        await box.outbox.commit(Transaction(clean_stop=True))
        await box.store(event())
    async with folder.open() as box:
        assert not box.outbox.clean


async def test_only_the_owner_can_read_the_files(box):
    await box.store(event())

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in box.path.parent.iterdir()}
    assert modes.keys() == {"outbox.db", "outbox.db-wal", "outbox.db-shm", "outbox.lock"}
    assert set(modes.values()) == {0o600}


async def test_a_second_gateway_on_the_folder_is_refused_and_told_who_has_it(folder):
    async with folder.open():
        with pytest.raises(OutboxBusy, match=rf"process {os.getpid()}.*state_dir"):
            async with folder.open():
                pass
    async with folder.open():
        pass


async def test_a_file_from_a_newer_version_is_refused_with_the_fix_and_left_alone(folder):
    async with folder.open():
        pass
    change_by_hand(folder.path, "PRAGMA user_version = 999")
    before = folder.path.read_bytes()

    with pytest.raises(OutboxTooNew, match=r"version 999.*Install the Latchway that wrote it"):
        async with folder.open():
            pass
    with pytest.raises(OutboxTooNew):
        async with Reader.open(folder.path):
            pass
    assert folder.path.read_bytes() == before


async def test_a_database_of_another_program_is_refused(folder):
    change_by_hand(folder.path, "CREATE TABLE theirs (x)")

    with pytest.raises(OutboxForeign, match="another program"):
        async with folder.open():
            pass


async def test_a_file_that_is_no_database_is_refused_and_left_alone(folder):
    folder.path.write_bytes(b"these are holiday pictures" * 1000)

    with pytest.raises(OutboxFailed, match="not a database"):
        async with folder.open():
            pass
    assert folder.path.read_bytes().startswith(b"these are holiday pictures")


async def test_a_missing_folder_is_named_with_the_fix(tmp_path):
    with pytest.raises(OutboxFailed, match=r"Create .*nowhere"):
        async with OutboxFolder(tmp_path / "nowhere").open():
            pass


async def test_a_reader_needs_a_file(tmp_path):
    with pytest.raises(OutboxFailed, match=r"nothing\.db"):
        async with Reader.open(tmp_path / "nothing.db"):
            pass


async def test_a_foreign_lock_on_the_file_is_waited_for_then_explained(box):
    await box.store(event("a"))
    await box.outbox._run(lambda raw: raw.execute("PRAGMA busy_timeout = 20").fetchall())
    foreign = sqlite3.connect(box.path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(OutboxBusy, match=r"fuser .*outbox\.db"):
            await box.store(event("b"))
    finally:
        foreign.close()
    await box.store(event("c"))

    assert await box.stored_ids() == ["a", "c"]


async def test_opening_a_locked_file_is_explained_after_the_wait(folder, monkeypatch):
    async with folder.open():
        pass
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.02)
    foreign = sqlite3.connect(folder.path, isolation_level=None)
    foreign.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(OutboxBusy, match="locked by another program"):
            async with folder.open():
                pass
    finally:
        foreign.close()
    async with folder.open() as box:
        await box.store(event())


def test_each_migration_sets_the_version_that_its_number_says():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for number, script in enumerate(migrations(), start=1):
        connection.executescript(script)
        assert connection.execute("PRAGMA user_version").fetchone() == (number,)
    connection.close()


async def test_a_migration_that_fails_changes_nothing(folder, monkeypatch):
    async with folder.open() as box:
        await box.store(*events(3, "cloud"))
    broken = "CREATE TABLE half (x); CREATE TABLE half (x); PRAGMA user_version = 2;"
    with monkeypatch.context() as patch:
        patch.setattr("latchway.outbox.migrations.migrations", lambda: (*migrations(), broken))
        with pytest.raises(OutboxFailed, match="half"):
            async with folder.open():
                pass
    async with folder.open() as box:
        assert await box.waiting() == [1, 2, 3]


async def test_a_migration_runs_once(folder, monkeypatch):
    async with folder.open():
        pass
    second = "CREATE TABLE second (x); PRAGMA user_version = 2;"
    monkeypatch.setattr("latchway.outbox.migrations.migrations", lambda: (*migrations(), second))
    for _ in range(2):
        async with folder.open() as box:
            await box.store(event())


async def test_an_image_of_the_files_under_load_opens_with_everything_committed(folder, tmp_path):
    async with folder.open() as box:
        await box.store(*events(3, "cloud"))
        image = tmp_path / "image"
        image.mkdir()
        for name in ("outbox.db", "outbox.db-wal"):
            shutil.copy(folder.folder / name, image / name)
    async with OutboxFolder(image).open() as box:
        assert not box.outbox.clean
        assert await box.waiting() == [1, 2, 3]
        await box.closed_account()
