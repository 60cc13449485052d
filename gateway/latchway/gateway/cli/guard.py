"""What every command has in common: options, how errors are printed, how it ends."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from latchway.gateway.cli.errors import MEANINGS, CommandError, ExitCode
from latchway.gateway.cli.screen import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from latchway.gateway.cli.client import ApiClient

Parameters = ParamSpec("Parameters")

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs; errors go to stderr as JSON too.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Find the gateway of this config file. LATCHWAY_RUNTIME_DIR wins over it.",
        show_default=False,
    ),
]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""


def guarded(
    command: Callable[Parameters, ExitCode | None],
) -> Callable[Parameters, None]:
    """Turn what a command returns or raises into printed words and an exit code."""

    @functools.wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            exit_code = command(*args, **kwargs) or ExitCode.DONE
            sys.stdout.flush()
        except CommandError as error:
            print_error(error, as_json=bool(kwargs.get("as_json")))
            exit_code = error.exit_code
        except BrokenPipeError:
            # Whoever read our output has seen enough; nothing more can be said on that pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            exit_code = ExitCode.DONE
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        raise typer.Exit(int(exit_code))

    return run


def print_error(error: CommandError, *, as_json: bool) -> None:
    """Print an error to stderr, where a broken pipe does not matter."""
    if as_json:
        text = json.dumps({"code": error.code, "message": error.message, "fix": error.fix})
    else:
        lines = [f"latchway: {error.message}", *([f"  fix: {error.fix}"] if error.fix else [])]
        text = "\n".join(printable(line) for each in lines for line in each.split("\n"))
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(text + "\n")


def print_json(answer: object) -> None:
    """Print an answer as JSON: one line in a pipe, indented for a person's eyes."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(answer, indent=indent) + "\n")


def connect(config: Path | None) -> ApiClient:
    """Return a client of the gateway that the options name."""
    from latchway.gateway.cli.client import ApiClient, find_socket  # noqa: PLC0415 - help is quick

    return ApiClient(find_socket(config, os.environ))


def epilog(examples: str, *exits: ExitCode) -> str:
    """Return the end of a help text: examples and exit codes, line by line."""
    shown = "\n".join(f"  {line}" for line in examples.strip().splitlines())
    codes = "\n".join(f"  {int(code)}  {MEANINGS[code]}" for code in exits)
    return f"\b\nExamples:\n{shown}\n\n\b\nExit codes:\n{codes}"


READ_EXITS = (
    ExitCode.DONE,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.UNREACHABLE,
    ExitCode.REFUSED,
    ExitCode.TIMED_OUT,
)
"""Exit codes of every command that reads from the gateway."""
