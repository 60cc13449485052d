"""The registry outlives restarts, power cuts in the middle of a change, and a damaged file."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime
from itertools import count

import pytest

from latchway.drivers.contract import DeviceState
from latchway.drivers.states import encode_state
from latchway.gateway.errors import RegistryUnusable
from latchway.gateway.registry import Registry
from latchway.gateway.registry.copies import copy_path

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
IDS = count(1)


def opened(path):
    return Registry.open(path, now=lambda: NOW, new_id=lambda: f"hub-{next(IDS)}")


def state(name: str, firmware: str = "1.0") -> bytes:
    return encode_state(DeviceState(name, model="YRD226", manufacturer="Yale", firmware=firmware))


def names(registry: Registry) -> list[tuple[str, str, str | None]]:
    return [(device.device, device.name, device.firmware) for device in registry.devices()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.db"


async def test_a_hub_is_born_once(path):
    async with opened(path) as registry:
        first = registry.hub
    async with opened(path) as registry:
        assert registry.hub == first
        assert registry.epoch == 0


async def test_only_its_owner_reads_it_and_its_copies(path):
    path.touch(0o644)
    async with opened(path) as registry:
        await registry.note_epoch(1)
        files = (path, copy_path(path, 1), copy_path(path, 2))
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_the_epoch_only_rises(path):
    async with opened(path) as registry:
        await registry.note_epoch(3)
        await registry.note_epoch(2)
    async with opened(path) as registry:
        assert registry.epoch == 3


async def test_devices_come_from_stored_states_and_are_forgotten_with_them(path):
    async with opened(path) as registry:
        await registry.note_states("test", {"0x01": state("Front"), "0x02": state("Back")})
        await registry.note_states("test", {"0x02": None, "0x01": state("Front", "1.1")})
        await registry.note_states("test", {"0x03": b"no state at all"})
    async with opened(path) as registry:
        assert names(registry) == [("0x01", "Front", "1.1")]


async def test_a_state_that_changes_no_name_writes_nothing(path):
    async with opened(path) as registry:
        await registry.note_states("test", {"0x01": state("Front")})
        before = copy_path(path, 1).stat().st_ino
        await registry.note_states("test", {"0x01": state("Front")})

        assert copy_path(path, 1).stat().st_ino == before


async def test_a_full_disk_costs_names_and_nothing_else(path, caplog):
    many = {f"0x{number}": state("A long name " * 20) for number in range(40)}
    async with opened(path) as registry:
        [(pages,)] = await registry._connection.execute_fetchall("PRAGMA page_count")
        await registry._connection.execute(f"PRAGMA max_page_count = {pages}")

        await registry.note_states("test", many)
        assert "names of devices not kept" in caplog.text
        assert registry.devices() == ()
        await registry.note_epoch(2)

        await registry._connection.execute("PRAGMA max_page_count = 1000")
        await registry.note_states("test", many)
        assert len(registry.devices()) == 40


async def test_an_epoch_that_cannot_be_noted_is_not_begun(path):
    async with opened(path) as registry:
        await registry._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(RegistryUnusable, match="cannot be written"):
            await registry.note_epoch(2)
        assert registry.epoch == 0


async def test_a_change_that_is_cancelled_at_any_moment_leaves_the_registry_usable(path):
    async with opened(path) as registry:
        for steps in range(0, 200, 5):
            change = asyncio.create_task(registry.note_states("test", {"0x1": state(f"{steps}")}))
            for _ in range(steps):
                await asyncio.sleep(0)
            change.cancel()
            await asyncio.wait({change})
            assert change.cancelled() or change.exception() is None

        await registry.note_states("test", {"0x1": state("Last")})
    async with opened(path) as registry:
        assert [name for _, name, _ in names(registry)] == ["Last"]


async def test_after_each_change_there_is_a_copy_and_the_one_before(path):
    async with opened(path) as registry:
        await registry.note_epoch(1)
        await registry.note_epoch(2)

    def epoch(generation: int) -> int:
        with contextlib.closing(sqlite3.connect(copy_path(path, generation))) as connection:
            return connection.execute("SELECT epoch FROM hub").fetchone()[0]

    assert (epoch(1), epoch(2)) == (2, 1)
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        "registry.db",
        "registry.db.copy-1",
        "registry.db.copy-2",
    ]


def damage_pages(path) -> None:
    content = bytearray(path.read_bytes())
    content[1024:] = b"\x5a" * (len(content) - 1024)
    path.write_bytes(content)


def cut_to_zero(path) -> None:
    path.write_bytes(b"")


def delete(path) -> None:
    path.unlink()


@pytest.mark.parametrize("harm", [damage_pages, cut_to_zero, delete])
async def test_a_harmed_file_is_set_aside_and_restored_from_the_newest_copy(path, harm):
    async with opened(path) as registry:
        await registry.note_epoch(4)
        hub = registry.hub
    harm(path)

    async with opened(path) as registry:
        assert registry.hub == hub
        assert registry.epoch == 4
    aside = list(path.parent.glob("registry.db.damaged-*"))
    assert len(aside) == (0 if harm is delete else 1)


async def test_the_older_copy_is_used_when_the_newest_is_damaged_too(path):
    async with opened(path) as registry:
        await registry.note_epoch(4)
        await registry.note_epoch(5)
    damage_pages(path)
    damage_pages(copy_path(path, 1))

    async with opened(path) as registry:
        assert registry.epoch == 4


async def test_without_a_sound_copy_no_new_identity_is_made_up(path):
    async with opened(path) as registry:
        await registry.note_epoch(1)
    for file in path.parent.iterdir():
        damage_pages(file)

    with pytest.raises(RegistryUnusable, match="restore a backup"):
        async with opened(path):
            pass


async def test_a_file_of_a_newer_version_is_refused_with_the_fix(path):
    async with opened(path):
        pass
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")

    with pytest.raises(RegistryUnusable, match="newer Latchway"):
        async with opened(path):
            pass


async def test_a_first_start_that_was_cut_off_is_simply_done_again(path):
    path.write_bytes(b"")

    async with opened(path) as registry:
        assert registry.hub.id.startswith("hub-")
