"""The sink `file`: what is on disk, and what it says when the disk does not play along."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from latchway.gateway.sinks.contract import ACCEPTED, Refused, Retry
from latchway.gateway.sinks.errors import SinkUnreachable
from latchway.gateway.sinks.file.lines import LinesFile
from latchway.gateway.sinks.file.settings import FileSinkSettings
from support.delivery import delivery
from support.sink_contract import Answers, SinkBench, SinkContract, environment


def file_sink(path: Path, **keys: int):
    return FileSinkSettings(type="file", path=path, **keys).build("archive", environment())


def events_in(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class TestFileSink(SinkContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> SinkBench:
        path = tmp_path / "events" / "archive.jsonl"
        (tmp_path / "plain").write_text("no folder")

        async def received(_count: int) -> list[str]:
            return [str(event["id"]) for event in events_in(path)]

        return SinkBench(file_sink(path), file_sink(tmp_path / "plain" / "x.jsonl"), received)


async def test_a_line_is_a_whole_cloudevent_with_its_place_in_the_lane(tmp_path):
    path = tmp_path / "archive.jsonl"
    answers = Answers()
    async with file_sink(path).connect() as connection:
        await connection.send([delivery(17, epoch=3)], answers.report)

    [event] = events_in(path)
    assert event["specversion"] == "1.0"
    assert event["sequence"] == "3-0000000000000017"
    assert event["lane"] == "z2m/cloud/main"
    assert event["lanepos"] == "0000000000000017"
    assert event["data"] == {"state": "locked", "source": "reported"}
    assert oct(path.stat().st_mode & 0o777) == "0o640"


async def test_a_line_torn_by_a_power_cut_is_cut_away_when_the_file_is_opened(tmp_path):
    path = tmp_path / "archive.jsonl"
    path.write_bytes(b'{"id":"whole"}\n{"id":"to' + b"r" * 100_000)

    async with file_sink(path).connect() as connection:
        await connection.send([delivery(1)], Answers().report)

    assert [event["id"] for event in events_in(path)] == ["whole", delivery(1).event.id]


async def test_a_file_that_is_one_torn_line_begins_anew(tmp_path):
    path = tmp_path / "archive.jsonl"
    path.write_bytes(b'{"id":"tor')

    async with file_sink(path).connect():
        pass

    assert path.read_bytes() == b""


async def test_an_event_too_large_for_an_envelope_is_refused_and_the_rest_is_written(tmp_path):
    path = tmp_path / "archive.jsonl"
    answers = Answers()
    huge = delivery(1, data=b'"' + b"x" * 70_000 + b'"')
    async with file_sink(path).connect() as connection:
        await connection.send([huge, delivery(2)], answers.report)

    [(_, refused), (_, accepted)] = answers.given
    assert isinstance(refused, Refused)
    assert "limit" in refused.detail
    assert accepted == ACCEPTED
    assert len(events_in(path)) == 1


async def test_nothing_is_acknowledged_before_it_is_synced(tmp_path, monkeypatch):
    steps: list[str] = []
    real_fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append("sync"), real_fsync(fd))[1])
    async with file_sink(tmp_path / "archive.jsonl").connect() as connection:
        steps.clear()

        await connection.send(
            [delivery(1), delivery(2)], lambda _, answer: steps.append(type(answer).__name__)
        )

    assert steps == ["sync", "Accepted", "Accepted"]


async def test_a_disk_error_asks_for_patience_and_the_file_is_mended_afterwards(
    tmp_path, monkeypatch
):
    path = tmp_path / "archive.jsonl"
    answers = Answers()
    async with file_sink(path).connect() as connection:
        await connection.send([delivery(1)], answers.report)
        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", disk_full)
            await connection.send([delivery(2)], answers.report)
        await connection.send([delivery(2)], answers.report)

    retry = answers.given[1][1]
    assert isinstance(retry, Retry)
    assert retry.detail == (
        f"{path} cannot be written (No space left on device): free some space, or check the disk"
    )
    assert answers.given[2][1] == ACCEPTED
    assert [event["lanepos"] for event in events_in(path)] == [f"{n:016d}" for n in (1, 2)]


def disk_full(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


async def test_two_sinks_cannot_share_a_file(tmp_path):
    path = tmp_path / "archive.jsonl"
    async with file_sink(path).connect():
        with pytest.raises(SinkUnreachable, match="give each sink a path of its own"):
            async with file_sink(path).connect():
                pass


def test_full_files_are_numbered_and_the_oldest_goes(tmp_path):
    path = tmp_path / "log"
    lines = LinesFile(path, rotate_bytes=10, keep_files=2)

    for text in (b"one\n", b"two\n", b"three\n", b"four\n", b"five\n", b"six\n", b"seven\n"):
        lines.append([text])
    lines.close()

    assert path.read_bytes() == b"six\nseven\n"
    assert (tmp_path / "log.1").read_bytes() == b"four\nfive\n"
    assert (tmp_path / "log.2").read_bytes() == b"three\n"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["log", "log.1", "log.2"]


def test_a_batch_is_split_where_a_file_is_full(tmp_path):
    path = tmp_path / "log"
    lines = LinesFile(path, rotate_bytes=10, keep_files=5)

    lines.append([b"one\n", b"two\n", b"three\n", b"a line longer than a file\n", b"end\n"])
    lines.close()

    parts = [tmp_path / f"log.{number}" for number in (3, 2, 1)]
    assert [part.read_bytes() for part in parts] == [
        b"one\ntwo\n",
        b"three\n",
        b"a line longer than a file\n",
    ]
    assert path.read_bytes() == b"end\n"
