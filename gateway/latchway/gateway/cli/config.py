"""`latchway config check`: is the config file good, and if not, where and how to put it right."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from latchway.gateway.cli.commands import Command, Options
from latchway.gateway.cli.errors import CommandError, ExitCode
from latchway.gateway.cli.guard import declare_json, print_json
from latchway.gateway.cli.screen import printable, stdout_screen

if TYPE_CHECKING:
    from latchway.gateway.config import Problem

DEFAULT_CONFIG = Path("/etc/latchway/config.toml")


def check(options: Options) -> ExitCode:
    """Print every problem of a config file."""
    from latchway.gateway.config import ConfigInvalid, check_file  # noqa: PLC0415 - pydantic: 100 ms

    file: Path = options.file
    if not file.exists():
        fix = "name another file, or write one: see the README"
        raise CommandError(ExitCode.NOT_FOUND, "no_config", f"{file}: there is no such file", fix)
    problems: tuple[Problem, ...] = ()
    try:
        check_file(file)
    except ConfigInvalid as error:
        problems = error.problems
    if options.as_json:
        shown = [_record(each) for each in problems]
        print_json({"file": str(file), "valid": not problems, "problems": shown})
    else:
        lines = [printable(str(each)) for each in problems] or [f"{printable(str(file))}: good"]
        stdout_screen().lines(lines)
    return ExitCode.FAILED if problems else ExitCode.DONE


def _record(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "column": problem.column,
        "key": problem.key,
        "problem": problem.problem,
        "fix": problem.fix,
        "nearest": problem.nearest,
    }


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"the config file ({DEFAULT_CONFIG})",
    )
    declare_json(parser)


_CHECK: Final = Command(
    name="check",
    summary="Check a config file: every problem, with place and fix.",
    details="""Nothing is run or changed. Each line reads FILE:LINE:COLUMN: KEY: problem; fix.
    That a file which the config names, such as a password, is not there is a problem too.

    --json prints {"file", "valid", "problems": [{"line", "column", "key", "problem", "fix",
    "nearest"}]}; lines and columns count from 1.""",
    examples="""
latchway config check
latchway config check ./latchway.toml --json
""",
    exits=(ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE, ExitCode.NOT_FOUND),
    declare=_declare,
    run=check,
)

COMMAND: Final = Command(
    name="config",
    summary="Look after the config file.",
    examples="latchway config check ./latchway.toml",
    commands=(_CHECK,),
)
