"""`latchway run`: the gateway itself, in the foreground, as systemd runs it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from latchway.gateway.cli.commands import Command, Options
from latchway.gateway.cli.config import DEFAULT_CONFIG
from latchway.gateway.cli.errors import CommandError, ExitCode


def run(options: Options) -> ExitCode:
    """Run the gateway; returns only if it could not be started."""
    from latchway.gateway import daemon  # noqa: PLC0415 - the whole gateway
    from latchway.gateway.config import ConfigInvalid  # noqa: PLC0415
    from latchway.gateway.errors import OperatorError  # noqa: PLC0415

    config: Path = options.config
    try:
        daemon.run(config)
    except ConfigInvalid as error:
        message = f"the config cannot be used:\n{error}"
        fix = f"correct it, then try `latchway config check {config}`"
        raise CommandError(ExitCode.FAILED, "config_invalid", message, fix) from None
    except OperatorError as error:
        raise CommandError(ExitCode.FAILED, "failed", str(error), "") from None
    return ExitCode.DONE


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"the config file ({DEFAULT_CONFIG})",
    )


COMMAND: Final = Command(
    name="run",
    summary="Run the gateway until SIGTERM or Ctrl-C.",
    details="""Runs in the foreground, as systemd wants it; logs go to stderr. At the end, events
    that are stored are delivered within the configured time; the rest stays in the outbox and is
    delivered after the next start.""",
    examples="""
latchway run
latchway run --config ./latchway.toml
""",
    exits=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE),
    declare=_declare,
    run=run,
)
