"""`latchway events`: what happened, and with `--follow` what happens."""

from __future__ import annotations

import argparse
import contextlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from latchway.gateway.cli.commands import Command, Options, whole_number
from latchway.gateway.cli.errors import CommandError, ExitCode
from latchway.gateway.cli.guard import READ_EXITS, connect, declare_reading
from latchway.gateway.cli.screen import Screen, printable, stdout_screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from latchway.gateway.cli.client import ApiClient

Record = dict[str, Any]
_UNREMARKABLE: Final = (("probable_repeat", False),)
"""What is nearly always so, and would only fill lines for people."""

DEFAULT_LIMIT = 20
WIDE = 100
"""Columns from which a line has room for the vendor's name too."""
_COLOURS = {"critical": "red", "access": "bold", "telemetry": "dim"}


def events(options: Options) -> None:
    """Print stored events, and with `follow` those that are stored from now on."""
    client = connect(options.config)
    printer = _Printer(stdout_screen(), as_json=options.as_json)
    pattern: str | None = options.pattern
    if not options.follow:
        limit = DEFAULT_LIMIT if options.limit is None else options.limit
        printer.history(_history(client, limit, pattern))
        return
    query = {"follow": "true", **({"pattern": pattern} if pattern else {})}
    # Ctrl-C is the usual end of following. The stream is opened before the history is read, so
    # that nothing falls between the two.
    with contextlib.suppress(KeyboardInterrupt), client.stream("/v1/events", query) as lines:
        printer.history(_history(client, options.limit or 0, pattern))
        printer.stream(lines)


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f", "--follow", action="store_true", help="show events as they are stored, until Ctrl-C"
    )
    parser.add_argument(
        "-p", "--pattern", metavar="JSON", help="only events that match this event pattern"
    )
    parser.add_argument(
        "-n",
        "--limit",
        type=whole_number(0, 1000),
        metavar="COUNT",
        help="most stored events to show: 20, or 0 with --follow",
    )
    declare_reading(parser)


COMMAND: Final = Command(
    name="events",
    summary="Show what happened, the newest last, or follow it live.",
    details="""The history goes back as far as the outbox keeps events. --json prints one
    CloudEvents JSON object a line, also with --follow. Ctrl-C ends --follow with 0. A reader that
    is too slow is cut off with 1 and told how many events it missed.""",
    examples="""
latchway events --limit 50
latchway events --follow
latchway events --follow --pattern '{"type":[{"prefix":"io.latchway.access."}]}'
latchway events --pattern '{"data":{"state":["jammed"]}}' --json
""",
    exits=READ_EXITS,
    declare=_declare,
    run=events,
)


def _history(client: ApiClient, limit: int, pattern: str | None) -> Iterator[Record]:
    """Return the newest events, oldest first."""
    if limit == 0:
        return iter(())
    query = {"limit": str(limit), **({"pattern": pattern} if pattern else {})}
    newest_first: list[Record] = client.get("/v1/events", query)["events"]
    return reversed(newest_first)


class _Printer:
    """Prints each event once: the stream may repeat the end of the history."""

    def __init__(self, screen: Screen, *, as_json: bool) -> None:
        self._screen = screen
        self._as_json = as_json
        self._last = (0, 0)
        self._day = ""

    def history(self, found: Iterator[Record]) -> None:
        for event in found:
            self._print(event, json.dumps(event, separators=(",", ":")))

    def stream(self, lines: Iterator[bytes]) -> None:
        for line in lines:
            text = line.decode().rstrip("\n")
            event = json.loads(text)
            if "end" in event:
                raise _ended(event)
            self._print(event, text)
        message = "the connection to the gateway ended: it was stopped or killed"
        fix = "`systemctl status latchway`; follow again when it runs"
        raise CommandError(ExitCode.UNREACHABLE, "unreachable", message, fix)

    def _print(self, event: Record, text: str) -> None:
        place = _place(event["sequence"])
        if place <= self._last:
            return
        self._last = place
        self._print_day(event)
        self._screen.line(text if self._as_json else event_line(event, self._screen))

    def _print_day(self, event: Record) -> None:
        """On a terminal, where lines have no date, say when another day begins."""
        day = f"{datetime.fromisoformat(event['time']).astimezone():%A, %d %B %Y}"
        if self._screen.width is not None and not self._as_json and day != self._day:
            self._screen.line(self._screen.paint(day, "dim"))
        self._day = day


def _place(sequence: str) -> tuple[int, int]:
    epoch, _, number = sequence.partition("-")
    return int(epoch), int(number)


def _ended(end: Record) -> CommandError:
    exit_code = ExitCode.UNREACHABLE if end["end"] == "stopping" else ExitCode.FAILED
    return CommandError(exit_code, end["end"], end["message"], end["fix"])


def event_line(event: Record, screen: Screen) -> str:
    """Return an event as one line: time, device, fact, payload; in a pipe with date and vendor."""
    at = datetime.fromisoformat(event["time"]).astimezone()
    source = event["source"].split("/")[3:] or ["hub"]
    narrow = screen.width is not None and screen.width < WIDE
    fact = event["type"].removeprefix("io.latchway.").rpartition(".v")[0]
    payload = " ".join(_facts(event["data"]))
    parts = (
        f"{at:%Y-%m-%d %H:%M:%S}" if screen.width is None else f"{at:%H:%M:%S}",
        printable(source[-1] if narrow else "/".join(source)),
        printable(fact),
        payload,
    )
    return screen.paint(screen.cut("  ".join(parts)), _COLOURS.get(event.get("priority", "")))


def _facts(data: Record, within: str = "") -> Iterator[str]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _facts(value, f"{within}{name}.")
        elif (name, value) not in _UNREMARKABLE:
            yield f"{within}{name}={_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, str):
        return printable(value)
    return json.dumps(value, separators=(",", ":"))
