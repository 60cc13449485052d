"""`latchway devices`: the locks as last stored; with a name, all that is known of one."""

from __future__ import annotations

import argparse
import difflib
import json
from datetime import UTC, datetime
from typing import Any, Final

from latchway.gateway.cli.commands import Command, Options
from latchway.gateway.cli.errors import CommandError, ExitCode
from latchway.gateway.cli.guard import READ_EXITS, connect, declare_reading, print_json
from latchway.gateway.cli.screen import printable, short_span, stdout_screen, table

Record = dict[str, Any]

CONFIRMING = frozenset({"reported", "read"})
UNCONFIRMED_MARK = "?"


def devices(options: Options) -> None:
    """Print all devices, or all of one."""
    found: list[Record] = connect(options.config).get("/v1/devices")["devices"]
    name: str | None = options.device
    if name is not None:
        named = [each for each in found if name in (each["name"], each["device"])]
        if not named:
            raise _missing(name, found)
        found = named
    now = datetime.now(UTC)
    screen = stdout_screen()
    if options.as_json:
        print_json({"devices": found})
    elif name is not None:
        for each in found:
            screen.lines(device_lines(each, now))
    elif found:
        screen.lines(table(device_rows(found, now), screen.width))
    else:
        screen.line("No device yet: a lock shows up here once its first state is stored.")


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", nargs="?", metavar="DEVICE", help="name or id of one lock")
    declare_reading(parser)


COMMAND: Final = Command(
    name="devices",
    summary="Show the locks, or everything that is known of one.",
    details="""A value with a ? was not confirmed by the lock itself: it is a cached value or a
    wish. --json prints the answer of /v1/devices, with one lock only if you name one.""",
    examples="""
latchway devices
latchway devices 'Front door'
latchway devices --json
""",
    exits=(*READ_EXITS, ExitCode.NOT_FOUND),
    declare=_declare,
    run=devices,
)


def device_rows(found: list[Record], now: datetime) -> list[list[str]]:
    """Return a row per device; the vendor is left out where there is only one."""
    several = len({each["vendor"] for each in found}) > 1
    header = ["NAME", "LOCK", "DOOR", "BATTERY", "REACHABLE", "SEEN", "DEVICE"]
    rows = [[*header, "VENDOR"] if several else header]
    for each in found:
        row = [
            each["name"],
            _shown(each, "lock_state"),
            _shown(each, "door_state"),
            _shown(each, "battery_percent", unit="%"),
            _shown(each, "reachable"),
            _seen(each, now),
            each["device"],
        ]
        rows.append([*row, each["vendor"]] if several else row)
    return rows


def device_lines(device: Record, now: datetime) -> list[str]:
    """Return all that is known of one device."""
    facts = [
        ("name", device["name"]),
        ("device", device["device"]),
        ("vendor", device["vendor"]),
        ("model", device["model"]),
        ("manufacturer", device["manufacturer"]),
        ("firmware", device["firmware"]),
    ]
    rows = [[label, str(value), "", ""] for label, value in facts if value is not None]
    for name, attribute in sorted(device["attributes"].items()):
        age = (now - datetime.fromisoformat(attribute["at"])).total_seconds()
        rows.append([name, _text(attribute["value"]), attribute["source"], short_span(age)])
    return table(rows, None)


def _missing(name: str, found: list[Record]) -> CommandError:
    names = [each["name"] for each in found] + [each["device"] for each in found]
    close = [each for each in names if name.casefold() in each.casefold()]
    close += difflib.get_close_matches(name, names, n=1)
    fix = f"did you mean {close[0]!r}?" if close else "`latchway devices` lists them"
    message = f"there is no device {name!r}"
    return CommandError(ExitCode.NOT_FOUND, "not_found", message, fix)


def _shown(device: Record, name: str, unit: str = "") -> str:
    attribute = device["attributes"].get(name)
    if attribute is None or attribute["value"] is None:
        return "-"
    mark = "" if attribute["source"] in CONFIRMING else UNCONFIRMED_MARK
    return f"{_text(attribute['value'])}{unit}{mark}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return printable(value) if isinstance(value, str) else json.dumps(value)


def _seen(device: Record, now: datetime) -> str:
    times = [datetime.fromisoformat(each["at"]) for each in device["attributes"].values()]
    return short_span((now - max(times)).total_seconds()) if times else "-"
