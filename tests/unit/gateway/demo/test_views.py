"""What a person sees of the demo, with and without a terminal."""

from __future__ import annotations

import io

import pytest

from latchway.gateway.demo.live import LiveView
from latchway.gateway.demo.view import Figures, PlainView, clock_time

FIGURES = Figures(
    hour=13.5,
    published=20,
    stored=18,
    acknowledged=9,
    waiting=9,
    received=9,
    cloud="waiting",
    worker="running",
)


class Watch:
    """Seconds since the start, moved by hand."""

    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


def test_plain_lines_carry_the_seconds_and_no_control_characters():
    out, watch = io.StringIO(), Watch()
    view = PlainView(out, watch)
    watch.at = 3.25
    view.say("the line to the cloud is CUT")
    view.event("Front door   access granted")
    assert out.getvalue().splitlines() == [
        "  3.2 s  the line to the cloud is CUT",
        "  3.2 s      Front door   access granted",
    ]


def test_plain_lines_show_one_event_in_ten():
    out = io.StringIO()
    view = PlainView(out, Watch())
    for number in range(21):
        view.event(f"event {number}")
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["0", "10", "20"]


def test_plain_figures_come_every_two_seconds():
    out, watch = io.StringIO(), Watch()
    view = PlainView(out, watch)
    for tenth in range(50):
        watch.at = tenth / 10
        view.figures(FIGURES)
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert "13:30  locks said 20, stored 18, waiting 9, cloud has 9" in lines[0]


def test_the_live_view_shows_the_path_the_events_and_the_steps():
    out = io.StringIO()
    view = LiveView(Watch(), out)
    view.figures(FIGURES)
    view.event("Front door   access granted")
    view.say("the line to the cloud is CUT")
    view.close()
    shown = out.getvalue()
    for part in ("13:30", "stored 18", "has 9", "Front door", "the line to the cloud is CUT"):
        assert part in shown


@pytest.mark.parametrize("lines", [24, 30, 50])
def test_the_live_view_fits_the_terminal_and_keeps_what_is_pinned_whole(lines, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", str(lines))
    out = io.StringIO()
    view = LiveView(Watch(), out)
    view.pin("export LATCHWAY_RUNTIME_DIR=/tmp/latchway-demo-x/run")
    for number in range(100):
        view.event(f"event {number}")
        view.say(f"step {number}")
    view.figures(FIGURES)
    view.close()
    last = out.getvalue().rpartition("Latchway demo, 13:30")[2]
    assert last.count("\n") < lines
    for part in ("DIR=/tmp/latchway-demo-x/run", "event 99", "step 99", "Ctrl-C ends the demo"):
        assert part in last


def test_after_the_live_view_is_closed_lines_are_plain():
    out = io.StringIO()
    view = LiveView(Watch(), out)
    view.close()
    view.close()
    before = len(out.getvalue())
    view.say("account  difference 0")
    assert out.getvalue()[before:] == "account  difference 0\n"


def test_hours_are_told_as_a_clock_shows_them():
    assert [clock_time(hour) for hour in (0, 7.75, 23.999, 24.5)] == [
        "00:00",
        "07:45",
        "23:59",
        "00:30",
    ]
