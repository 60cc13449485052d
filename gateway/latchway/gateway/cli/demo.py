"""`latchway demo`: virtual locks, the real gateway and a cloud, on this machine, in a minute."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from latchway.gateway.cli.errors import ExitCode
from latchway.gateway.cli.guard import JsonOption, epilog, guarded


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=epilog(
            "latchway demo\nlatchway demo --duration 20\nlatchway demo --json | tail -n 1 | jq .",
            ExitCode.DONE,
            ExitCode.FAILED,
            ExitCode.USAGE,
        )
    )(demo)


@guarded
def demo(
    *,
    duration_s: Annotated[
        float | None,
        typer.Option(
            "--duration",
            metavar="SECONDS",
            min=5,
            help="End after so long; without it a terminal runs until Ctrl-C.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> ExitCode:
    """Show everything at work, without hardware.

    Virtual locks, a worker, the gateway, its outbox and a cloud run on this machine. The cloud is
    cut off for a while and the worker killed once; the last lines are the account and the cloud's
    verdict. --json ends with one line that holds a JSON object: stored, acknowledged, received,
    missing, unexpected, duplicates, account_difference. Ends with 1 if anything is missing.
    """
    from latchway.gateway.demo import main  # noqa: PLC0415 - the whole gateway

    interactive = sys.stdout.isatty() and not as_json
    code = main.run_demo(json_output=as_json, duration_s=duration_s, interactive=interactive)
    return ExitCode(code)
