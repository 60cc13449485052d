"""`latchway config check`: is the config file good, and if not, where and how to put it right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latchway.gateway.cli.errors import CommandError, ExitCode
from latchway.gateway.cli.guard import JsonOption, epilog, guarded, print_json
from latchway.gateway.cli.screen import printable, stdout_screen

DEFAULT_CONFIG = Path("/etc/latchway/config.toml")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        rich_markup_mode=None, no_args_is_help=True, help="Look after the config file."
    )
    group.callback()(_config)
    group.command(
        epilog=epilog(
            "latchway config check\nlatchway config check ./latchway.toml --json",
            ExitCode.DONE,
            ExitCode.FAILED,
            ExitCode.USAGE,
            ExitCode.NOT_FOUND,
        )
    )(check)
    app.add_typer(group, name="config")


def _config() -> None:
    """Look after the config file."""


@guarded
def check(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="The config file.")
    ] = DEFAULT_CONFIG,
    *,
    as_json: JsonOption = False,
) -> ExitCode:
    """Check a config file: every problem, with place and fix.

    --json prints {"file", "valid", "problems": [{"line", "column", "key", "problem", "fix",
    "nearest"}]}; lines and columns count from 1.
    """
    from latchway.gateway.config import ConfigInvalid, load  # noqa: PLC0415 - pydantic: 100 ms

    if not file.exists():
        fix = "name another file, or write one: see the README"
        raise CommandError(ExitCode.NOT_FOUND, "no_config", f"{file}: there is no such file", fix)
    problems: tuple[object, ...] = ()
    try:
        load(file)
    except ConfigInvalid as error:
        problems = error.problems
        if as_json:
            print_json(
                {
                    "file": str(file),
                    "valid": False,
                    "problems": [
                        {
                            "line": each.line,
                            "column": each.column,
                            "key": each.key,
                            "problem": each.problem,
                            "fix": each.fix,
                            "nearest": each.nearest,
                        }
                        for each in error.problems
                    ],
                }
            )
            return ExitCode.FAILED
    screen = stdout_screen()
    if problems:
        screen.lines(printable(str(each)) for each in problems)
        return ExitCode.FAILED
    if as_json:
        print_json({"file": str(file), "valid": True, "problems": []})
    else:
        screen.line(f"{file}: good")
    return ExitCode.DONE
