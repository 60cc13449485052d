"""What commands have in common: shared options, how errors are printed, how a command ends."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from latchway.gateway.cli.errors import CommandError, ExitCode
from latchway.gateway.cli.screen import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from latchway.gateway.cli.client import ApiClient

_UNWRITABLE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""

READ_EXITS: Final = (
    ExitCode.DONE,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.UNREACHABLE,
    ExitCode.REFUSED,
    ExitCode.TIMED_OUT,
)
"""Exit codes of every command that reads from the gateway."""


def declare_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument(
        "--json",
        dest="as_json",
        action="store_true",
        help="print JSON for programs; errors go to stderr as JSON too",
    )


def declare_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that reads from the gateway."""
    declare_json(parser)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="find the gateway of this config file; LATCHWAY_RUNTIME_DIR wins over it",
    )


def ended(work: Callable[[], ExitCode | None], *, as_json: bool) -> int:
    """Do the work; print its error, if any; return the exit code."""
    try:
        exit_code = int(work() or ExitCode.DONE)
        sys.stdout.flush()
    except CommandError as error:
        print_error(error, as_json=as_json)
        return int(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough; what is left in the buffer goes nowhere.
        _discard_output()
        return int(ExitCode.DONE)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        _discard_output()
        message = f"the output cannot be written: {error.strerror}"
        print_error(CommandError(ExitCode.FAILED, "output", message, ""), as_json=as_json)
        return int(ExitCode.FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    return exit_code


def _discard_output() -> None:
    """Let what is left in the buffer go nowhere, so that the end of the process says nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
