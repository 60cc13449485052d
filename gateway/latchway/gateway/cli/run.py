"""`latchway run`: the gateway itself, in the foreground, as systemd runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latchway.gateway.cli.config import DEFAULT_CONFIG
from latchway.gateway.cli.errors import CommandError, ExitCode
from latchway.gateway.cli.guard import epilog, guarded


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=epilog(
            "latchway run\n"
            "latchway run --config ./latchway.toml\n"
            "LATCHWAY_RUNTIME_DIR=/tmp/latchway latchway run --config ./latchway.toml",
            ExitCode.DONE,
            ExitCode.FAILED,
            ExitCode.USAGE,
        )
    )(run)


@guarded
def run(
    *,
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="The config file.")
    ] = DEFAULT_CONFIG,
) -> ExitCode:
    """Run the gateway until SIGTERM or Ctrl-C.

    Events that are stored are delivered within the configured time before it ends; the rest stays
    in the outbox and is delivered after the next start. Logs go to stderr.
    """
    from latchway.gateway import daemon  # noqa: PLC0415 - the whole gateway
    from latchway.gateway.config import ConfigInvalid  # noqa: PLC0415
    from latchway.gateway.errors import OperatorError  # noqa: PLC0415

    try:
        daemon.run(config)
    except ConfigInvalid as error:
        message = f"the config cannot be used:\n{error}"
        fix = f"correct it, then try `latchway config check {config}`"
        raise CommandError(ExitCode.FAILED, "config_invalid", message, fix) from None
    except OperatorError as error:
        raise CommandError(ExitCode.FAILED, "failed", str(error), "") from None
    return ExitCode.DONE
