"""`latchway demo`: virtual locks, the real gateway and a cloud, on this machine, in a minute."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Final

from latchway.gateway.cli.commands import Command, Options
from latchway.gateway.cli.errors import ExitCode
from latchway.gateway.cli.guard import declare_json

LEAST_S: Final = 5.0


def demo(options: Options) -> ExitCode:
    """Run the demo; the exit code is the cloud's verdict."""
    from latchway.gateway.demo import main  # noqa: PLC0415 - the whole gateway

    code = main.run_demo(
        json_output=options.as_json,
        duration_s=options.duration_s,
        interactive=sys.stdout.isatty() and not options.as_json,
    )
    return ExitCode(code)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not LEAST_S <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from {LEAST_S:g}")
    return value


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--duration",
        dest="duration_s",
        type=_seconds,
        metavar="SECONDS",
        help="end after so long; without it, it goes on until Ctrl-C on a terminal",
    )
    declare_json(parser)


COMMAND: Final = Command(
    name="demo",
    summary="Show everything at work, without hardware.",
    details="""Virtual locks, a worker, the gateway, its outbox and a cloud run on this machine. The
    cloud is cut off for a while and the worker killed once; the last lines are the account and
    the cloud's verdict. Ends with 1 if anything is missing.

    --json ends with one line that holds a JSON object: stored, acknowledged, received, missing,
    unexpected, duplicates, account_difference.""",
    examples="""
latchway demo
latchway demo --duration 20
latchway demo --json | tail -n 1 | jq .
""",
    exits=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE),
    declare=_declare,
    run=demo,
)
