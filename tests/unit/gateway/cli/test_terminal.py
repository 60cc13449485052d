"""Screens fit 80x24, colour is for terminals only, pipes get whole lines."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from latchway.gateway.cli.screen import printable, span, table
from latchway.gateway.view import SinkState, VendorState
from support.command import latchway, latchway_on_terminal
from support.view import NOW, device, event, hub, lane, reject, sink, vendor

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
COMMANDS = [("status",), ("devices",), ("events",), ("outbox",)]


def plain(text: str) -> list[str]:
    return ESCAPE.sub("", text).splitlines()


@pytest.fixture
def crowded(view):
    """A hub with much of everything, and much that is not well."""
    view.vendor_statuses = (
        vendor(degraded=tuple(f"problem number {n} with words; do this" for n in range(6))),
        *(
            vendor(f"vendor{n}", state=VendorState.QUARANTINED, last_error="reason " * 20)
            for n in range(9)
        ),
    )
    view.sink_statuses = tuple(
        sink(
            f"sink{n}",
            state=SinkState.WAITING,
            since=NOW - timedelta(minutes=3),
            detail="connection refused by a cloud with a very long name.example.org:8883",
        )
        for n in range(7)
    )
    view.lanes = tuple(lane(f"vendor{n}", f"sink{n}", waiting=10**7, parked=3) for n in range(7))
    view.hub_status = hub(clock="unsynced", name="a name of a hub that goes on and on " * 3)
    view.stored_devices = tuple(device(f"door {n} with a rather long name") for n in range(40))
    view.history = [event(n, note="words " * 50) for n in range(1, 30)]
    return view


async def test_status_is_at_most_20_lines_of_80_columns_whatever_there_is(crowded, folder):
    ended = await latchway_on_terminal(folder, "status")
    lines = plain(ended.out)
    assert ended.code == 8
    assert len(lines) <= 20
    assert max(len(line) for line in lines) <= 80
    assert any("fix:" in line for line in lines)
    assert any("more: `latchway status --all`" in line for line in lines)
    in_pipe = await latchway(folder, "status")
    assert in_pipe.out.count("\n") <= 20


async def test_status_shows_everything_when_asked_to(crowded, folder):
    ended = await latchway(folder, "status", "--all")
    for name in ("vendor8", "sink6", "problem number 5"):
        assert name in ended.out
    assert "more: `" not in ended.out


@pytest.mark.parametrize("command", [("devices",), ("events",)])
async def test_no_line_is_wider_than_the_terminal(crowded, folder, command):
    ended = await latchway_on_terminal(folder, *command)
    assert max(len(line) for line in plain(ended.out)) <= 80


async def test_a_pipe_gets_whole_lines(crowded, folder):
    ended = await latchway(folder, "events")
    assert ended.out.count("words words") == 20 * 25
    assert "..." not in ended.out


@pytest.mark.parametrize("command", COMMANDS)
async def test_colour_is_on_a_terminal_but_not_with_no_color_not_in_a_pipe(view, folder, command):
    view.stored_devices = (device(),)
    view.history = [event(1)]
    assert "\x1b" not in (await latchway(folder, *command)).out
    assert "\x1b" not in (await latchway_on_terminal(folder, *command, NO_COLOR="1")).out


async def test_a_terminal_gets_colour(view, folder):
    view.rejects = (reject(),)
    for command in (("status",), ("outbox",), ("outbox", "rejected")):
        assert ESCAPE.search((await latchway_on_terminal(folder, *command)).out)


async def test_on_a_terminal_a_line_says_when_another_day_begins(view, folder):
    view.history = [event(1), event(2), event(24 * 3600)]
    ended = await latchway_on_terminal(folder, "events")
    starts = [line[:17] for line in plain(ended.out)]
    assert starts == [
        "Sunday, 01 March ",
        "12:00:01  0x00158",
        "12:00:02  0x00158",
        "Monday, 02 March ",
        "12:00:00  0x00158",
    ]


def test_the_widest_column_gives_way_first():
    lines = table([["a" * 50, "b" * 10, "7"], ["c", "d", "1234"]], 40, numeric=(2,))
    assert lines[0] == "a" * 19 + "...  bbbbbbbbbb     7"
    assert max(len(line) for line in lines) <= 40


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Tür 7", "Tür 7"),
        ("door\n\t\x00", r"door\n\t\x00"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\u202eb\u200bc\ufeff", r"a\u202eb\u200bc\ufeff"),
        ("\ud800", r"\ud800"),
        ("\x9b2J", r"\x9b2J"),
    ],
)
def test_text_from_outside_is_shown_without_acting(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (11520, "3 h 12 min"), (90000, "1 d 1 h")],
)
def test_a_duration_is_said_in_its_largest_units(seconds, words):
    assert span(seconds) == words
