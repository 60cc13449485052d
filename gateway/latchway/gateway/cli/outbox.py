"""`latchway outbox`: the account line by line, and the inputs that were rejected."""

from __future__ import annotations

import argparse
import base64
from typing import Any, Final

from latchway.gateway.cli.commands import Command, Options, whole_number
from latchway.gateway.cli.guard import READ_EXITS, connect, declare_reading, print_json
from latchway.gateway.cli.screen import (
    Screen,
    bytes_of,
    number,
    printable,
    stdout_screen,
    table,
)

Record = dict[str, Any]

RAW_SHOWN = 400
"""Characters of a rejected input that are shown; --json has all of it."""

_FATES = ("acknowledged", "waiting", "parked", "expired", "compacted", "dropped", "withdrawn")


def stats(options: Options) -> None:
    """Print the account line by line."""
    report = connect(options.config).get("/v1/outbox")
    if options.as_json:
        print_json(report)
        return
    screen = stdout_screen()
    screen.lines(stats_lines(report, screen))


def rejected(options: Options) -> None:
    """Print kept rejects, the newest last."""
    query = {"limit": str(options.limit)}
    if options.vendor:
        query["vendor"] = options.vendor
    report = connect(options.config).get("/v1/outbox/rejected", query)
    if options.as_json:
        print_json(report)
        return
    screen = stdout_screen()
    found = report["rejected"]
    if not found:
        screen.line("No rejected input is kept.")
    for reject in reversed(found):
        screen.lines(reject_lines(reject, screen))


def _declare_rejected(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        "--limit",
        type=whole_number(1, 200),
        default=20,
        metavar="COUNT",
        help="most rejects to show (20)",
    )
    parser.add_argument("--vendor", metavar="NAME", help="only rejects of this vendor")
    declare_reading(parser)


_STATS: Final = Command(
    name="stats",
    summary="Show the account: what came in, and what became of it.",
    details="""Intake: received = stored + duplicate + rejected + refused. Delivery: routed =
    acknowledged + waiting + parked + expired + compacted + dropped + withdrawn. --json prints the
    answer of /v1/outbox.""",
    examples="""
latchway outbox stats
latchway outbox stats --json | jq .account_difference
""",
    exits=READ_EXITS,
    declare=declare_reading,
    run=stats,
)

_REJECTED: Final = Command(
    name="rejected",
    summary="Show inputs that did not fit, each with its reason.",
    details="""The newest is the last. Control characters and bytes that are not UTF-8 are shown as
    escapes, so that no input can act on your terminal. --json prints the answer of
    /v1/outbox/rejected, with the input in base64 and, where it is UTF-8, as text.""",
    examples="""
latchway outbox rejected
latchway outbox rejected --vendor zigbee2mqtt --limit 5
latchway outbox rejected --json | jq -r '.rejected[0].raw_base64' | base64 -d
""",
    exits=READ_EXITS,
    declare=_declare_rejected,
    run=rejected,
)

COMMAND: Final = Command(
    name="outbox",
    summary="Show what is stored, delivered, waiting, rejected.",
    details="Without a command it shows the stats.",
    examples="latchway outbox\nlatchway outbox rejected --limit 5",
    commands=(_STATS, _REJECTED),
    default="stats",
)


def stats_lines(report: Record, screen: Screen) -> list[str]:
    """Return both identities as tables. Columns of zeros are left out, but for the first ones."""
    columns = ("received", "stored", "duplicate", "rejected", "refused")
    intake = [["INTAKE", *(name.upper() for name in columns)]]
    intake += [
        [line["vendor"], *(number(line[name]) for name in columns)] for line in report["intake"]
    ]
    lanes = report["lanes"]
    fates = [
        name for index, name in enumerate(_FATES) if index < 3 or any(line[name] for line in lanes)
    ]
    delivery = [["LANE", "EPOCH", "ROUTED", *(name.upper() for name in fates)]]
    delivery += [
        [
            line["lane"],
            str(line["epoch"]),
            number(line["routed"]),
            *(number(line[name]) for name in fates),
        ]
        for line in lanes
    ]
    return [
        *table(intake, screen.width, numeric=range(1, 6)),
        "",
        *(table(delivery, screen.width, numeric=range(1, 10)) if lanes else ["No lane yet."]),
        "",
        *_sums(report, screen),
    ]


def _sums(report: Record, screen: Screen) -> list[str]:
    difference, size = report["account_difference"], report["size"]
    closes = (
        screen.paint("The account closes: difference 0.", "green")
        if difference == 0
        else screen.paint(f"The account does NOT close: difference {difference}.", "red")
    )
    limit = f" of {bytes_of(size['limit_bytes'])}" if size["limit_bytes"] else ""
    on_disk = f"{bytes_of(size['database_bytes'])}{limit}, log {bytes_of(size['wal_bytes'])}"
    return [closes, f"On disk: {on_disk}."]


def reject_lines(reject: Record, screen: Screen) -> list[str]:
    """Return one reject as lines, safe for a terminal."""
    origin = " ".join(
        printable(part) for part in (reject["vendor"], reject["device"] or "") if part
    )
    head = f"{reject['at']}  {origin}  {printable(reject['code'])}"
    lines = [screen.paint(head, "bold"), f"  reason: {printable(reject['reason'])}"]
    if reject["topic"] is not None:
        lines.append(f"  topic:  {printable(reject['topic'])}")
    raw = base64.b64decode(reject["raw_base64"])
    shown = printable(raw.decode("utf-8", errors="backslashreplace"))
    more = f"... ({number(len(raw))} bytes, all in --json)" if len(shown) > RAW_SHOWN else ""
    return [*lines, f"  input:  {shown[:RAW_SHOWN]}{more}"]
