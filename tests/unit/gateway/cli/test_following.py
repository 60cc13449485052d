"""`latchway events --follow`, and what happens to output that nobody reads any more."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys

import pytest

from support.command import LIMIT_S, MODULE, begin, environment, latchway
from support.view import WatchedFeed, event


async def ids(process, count):
    """Read that many events from a following command."""
    async with asyncio.timeout(LIMIT_S):
        return [json.loads(await process.stdout.readline())["id"] for _ in range(count)]


async def ended(process):
    async with asyncio.timeout(LIMIT_S):
        _, err = await process.communicate()
    return process.returncode, err.decode()


async def test_each_event_is_shown_as_it_is_stored_and_ctrl_c_ends_with_0(view, folder):
    process = await begin(folder, "events", "--follow", "--json")
    await view.feed.joined.wait()
    view.store(event(1))
    assert await ids(process, 1) == ["event-1"]
    view.store(event(2))
    assert await ids(process, 1) == ["event-2"]
    process.send_signal(signal.SIGINT)
    assert await ended(process) == (0, "")


async def test_history_and_stream_join_without_a_gap_and_without_a_repeat(view, folder):
    view.store(*(event(number) for number in range(1, 10)))

    async def history_while_more_is_stored(limit, before):
        found = tuple(reversed(view.history))[:limit]
        view.store(event(10))
        return found

    view.events = history_while_more_is_stored
    process = await begin(folder, "events", "--follow", "--limit", "3", "--json")
    assert await ids(process, 4) == ["event-7", "event-8", "event-9", "event-10"]
    view.store(event(11))
    assert await ids(process, 1) == ["event-11"]
    process.send_signal(signal.SIGINT)
    await ended(process)


async def test_a_gateway_that_stops_ends_it_with_3(view, folder):
    process = await begin(folder, "events", "--follow")
    await view.feed.joined.wait()
    view.feed.close()
    code, err = await ended(process)
    assert code == 3
    assert "stopping" in err


async def test_being_cut_off_as_too_slow_ends_it_with_1_and_the_count(view, folder):
    view.feed = WatchedFeed(buffer=5)
    process = await begin(folder, "events", "--follow")
    await view.feed.joined.wait()
    view.store(*(event(number) for number in range(1, 10)))
    code, err = await ended(process)
    assert code == 1
    assert "missed 4 events" in err


async def piped_into_nothing(folder, *args):
    """Run the command with its output in a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "latchway.gateway.cli.main",
        *args,
        stdout=writer,
        stderr=asyncio.subprocess.PIPE,
        env=environment(folder),
    )
    os.close(writer)
    return process


async def test_a_broken_pipe_is_quiet(view, folder):
    view.history = [event(number) for number in range(1, 10)]
    for args in (("status",), ("events",), ("events", "--json"), ("outbox", "--json")):
        process = await piped_into_nothing(folder, *args)
        assert await ended(process) == (0, "")


async def test_a_broken_pipe_ends_following_quietly(view, folder):
    process = await piped_into_nothing(folder, "events", "--follow")
    await view.feed.joined.wait()
    view.store(event(1))
    assert await ended(process) == (0, "")


async def test_history_of_nothing_is_nothing(folder):
    result = await latchway(folder, "events", "--limit", "0")
    assert (result.code, result.out, result.err) == (0, "", "")


@pytest.mark.parametrize(
    ("redirection", "code", "words"),
    [
        (">&-", 0, ""),
        (">/dev/full", 1, "latchway: the output cannot be written: No space left on device\n"),
    ],
)
async def test_an_output_that_takes_nothing_ends_in_words_not_in_a_traceback(
    redirection, code, words, folder
):
    process = await asyncio.create_subprocess_shell(
        f"exec {shlex.quote(sys.executable)} -m {MODULE} --help {redirection}",
        stderr=asyncio.subprocess.PIPE,
        env=environment(folder),
    )
    _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (code, words)
