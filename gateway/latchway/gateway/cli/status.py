"""`latchway status`: is all well, and if not, what to do. At most 20 lines on a terminal."""

from __future__ import annotations

import argparse
import textwrap
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from latchway.gateway.cli.commands import Command, Options
from latchway.gateway.cli.errors import ExitCode
from latchway.gateway.cli.guard import READ_EXITS, connect, declare_reading, print_json
from latchway.gateway.cli.screen import (
    Screen,
    bytes_of,
    number,
    printable,
    short_span,
    span,
    stdout_screen,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LINE_LIMIT: Final = 20
PIPE_WIDTH: Final = 100

Record = dict[str, Any]


def status(options: Options) -> ExitCode:
    """Print the status; the exit code is the verdict."""
    report = connect(options.config).get("/v1/status")
    if options.as_json:
        print_json(report)
    else:
        screen = stdout_screen()
        screen.lines(status_lines(report, screen, None if options.show_all else LINE_LIMIT))
    return ExitCode.DONE if report["verdict"] == "ok" else ExitCode.DEGRADED


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all", dest="show_all", action="store_true", help="show everything, also beyond 20 lines"
    )
    declare_reading(parser)


COMMAND: Final = Command(
    name="status",
    summary="Say whether all is well, and what to do if not.",
    details="""Shows the hub, each vendor's worker, each sink with the events that wait for it, and
    whether the account closes, on at most 20 lines. --json prints the answer of /v1/status.""",
    examples="""
latchway status
latchway status --all
latchway status --json | jq -r '.problems[].fix'
""",
    exits=(*READ_EXITS, ExitCode.DEGRADED),
    declare=_declare,
    run=status,
)


def status_lines(report: Record, screen: Screen, limit: int | None) -> list[str]:
    """Return the report as lines, `limit` at most: problems first, then as much as fits."""
    head = _head(report, screen)
    tables = [_vendor_rows(report), _sink_rows(report)]
    if limit is None:
        shown = [_table(rows, len(rows), screen) for rows in tables]
        return _joined(head, _problems(report, screen, None), shown)
    # Two lines of each table are kept free; what problems leave over goes to longer tables.
    least = sum(min(len(rows), 3) + 1 for rows in tables)
    problems = _problems(report, screen, limit - len(head) - least - 1)
    room = limit - len(head) - len(problems) - bool(problems)
    shown = []
    for index, rows in enumerate(tables):
        later = sum(min(len(other), 3) + 1 for other in tables[index + 1 :])
        shown.append(_table(rows, room - later - 1, screen))
        room -= len(shown[-1]) + 1
    return _joined(head, problems, shown)


def _joined(head: list[str], problems: list[str], tables: Sequence[list[str]]) -> list[str]:
    lines = [*head]
    for part in (problems, *tables):
        if part:
            lines.extend(("", *part))
    return lines


def _head(report: Record, screen: Screen) -> list[str]:
    hub, outbox = report["hub"], report["outbox"]
    count = len(report["problems"])
    running = span(hub["uptime_s"])
    first = f'Latchway {hub["version"]}, hub "{printable(hub["name"])}", running for {running}'
    if count:
        verdict = screen.paint(f"{count} problem{'s' if count > 1 else ''}:", "red")
    else:
        verdict = screen.paint("All is well.", "green")
    if outbox is None:
        second = "Outbox: cannot be read now"
    else:
        stored = sum(line["stored"] for line in outbox["intake"])
        acknowledged = sum(line["acknowledged"] for line in outbox["lanes"])
        waiting = sum(line["waiting"] for line in outbox["lanes"])
        closes = (
            "account closes"
            if outbox["account_difference"] == 0
            else f"ACCOUNT OFF BY {outbox['account_difference']}"
        )
        size = bytes_of(outbox["size"]["database_bytes"] + outbox["size"]["wal_bytes"])
        second = (
            f"{number(stored)} stored, {number(acknowledged)} acknowledged, "
            f"{number(waiting)} waiting; {closes}; {size}"
        )
    return [screen.cut(first), screen.cut(second), verdict]


def _problems(report: Record, screen: Screen, room: int | None) -> list[str]:
    """Return problems with their fixes; those that do not fit are counted."""
    blocks = [_problem(problem, screen) for problem in report["problems"]]
    lines: list[str] = []
    for index, block in enumerate(blocks):
        left = len(blocks) - index
        reserve = 1 if left > 1 else 0
        if room is not None and index and len(lines) + len(block) + reserve > room:
            lines.append(f"  and {left} more: `latchway status --all`")
            break
        lines.extend(block)
    return lines


def _problem(problem: Record, screen: Screen) -> list[str]:
    width = screen.width or PIPE_WIDTH
    colour = "red" if problem["severity"] == "error" else "yellow"
    what = textwrap.wrap(
        printable(problem["problem"]), width, initial_indent="! ", subsequent_indent="  "
    )
    fix = textwrap.wrap(
        printable(problem["fix"]), width, initial_indent="  fix: ", subsequent_indent="       "
    )
    return [*(screen.paint(line, colour) for line in what), *fix]


def _vendor_rows(report: Record) -> list[list[str]]:
    now = datetime.fromisoformat(report["hub"]["now"])
    lines = {line["vendor"]: line for line in (report["outbox"] or {"intake": ()})["intake"]}
    rows = [["VENDOR", "STATE", "FOR", "CLASS", "STORED", "REJECTED", "RESTARTS"]]
    for vendor in sorted(report["vendors"], key=lambda each: each["state"] == "running"):
        line = lines.get(vendor["vendor"], {"stored": 0, "rejected": 0})
        rows.append(
            [
                vendor["vendor"],
                vendor["state"],
                _age(vendor, now),
                vendor["delivery_class"] or "-",
                number(line["stored"]),
                number(line["rejected"]),
                number(vendor["restarts"]),
            ]
        )
    return rows


def _sink_rows(report: Record) -> list[list[str]]:
    now = datetime.fromisoformat(report["hub"]["now"])
    lanes = (report["outbox"] or {"lanes": ()})["lanes"]
    rows = [["SINK", "STATE", "FOR", "TYPE", "DELIVERED", "WAITING", "PARKED"]]
    for sink in sorted(report["sinks"], key=lambda each: each["state"] == "connected"):
        delivered = sum(line["acknowledged"] for line in lanes if line["sink"] == sink["sink"])
        rows.append(
            [
                sink["sink"],
                sink["state"],
                _age(sink, now),
                sink["type"],
                number(delivered),
                number(sink["waiting"]),
                number(sink["parked"]),
            ]
        )
    return rows


def _age(record: Mapping[str, Any], now: datetime) -> str:
    return short_span((now - datetime.fromisoformat(record["since"])).total_seconds())


def _table(rows: list[list[str]], room: int, screen: Screen) -> list[str]:
    """Return a table of at most `room` lines; what does not fit is counted in the last one."""
    if len(rows) == 1:
        return []
    lines = table(rows, screen.width, numeric=(4, 5, 6))
    if len(lines) > room:
        kept = max(1, room - 1)
        lines = [*lines[:kept], f"and {len(lines) - kept} more: `latchway status --all`"]
    return [screen.paint(lines[0], "dim"), *lines[1:]]
