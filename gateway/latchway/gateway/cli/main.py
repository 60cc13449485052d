"""The `latchway` command: the list of its commands, and the way from a command line to one."""

from __future__ import annotations

import os
import sys
from typing import Final

from latchway.gateway.cli import config, demo, devices, events, outbox, run, status
from latchway.gateway.cli.commands import PROGRAM, Command, find, group_help, parse
from latchway.gateway.cli.errors import ExitCode
from latchway.gateway.cli.guard import ended

ROOT: Final = Command(
    name=PROGRAM,
    summary="The gateway between a building's smart locks and the cloud.",
    details="Each command explains itself: `latchway events --help`.",
    examples="latchway demo\nlatchway config check && latchway run\nlatchway status",
    commands=(
        run.COMMAND,
        demo.COMMAND,
        status.COMMAND,
        devices.COMMAND,
        events.COMMAND,
        outbox.COMMAND,
        config.COMMAND,
    ),
)


def main() -> None:
    """Run the command line and end the process."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # A name in Cyrillic on a Latin-1 terminal is escaped instead of ending the command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # real streams
    words = sys.argv[1:]
    sys.exit(ended(lambda: _follow(words), as_json="--json" in words))


def _open_what_is_closed() -> None:
    """Else the next socket or database would get the number of what is closed, and its words."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


def _follow(words: list[str]) -> ExitCode | None:
    if words[:1] == ["--version"]:
        return _print_version()
    found = find(ROOT, words)
    if found.command.run is None:
        asked = found.rest[:1] != ()
        output = sys.stdout if asked else sys.stderr
        output.write(group_help(found.command, found.path))
        return ExitCode.DONE if asked else ExitCode.USAGE
    return found.command.run(parse(found))


def _print_version() -> ExitCode:
    from importlib.metadata import version  # noqa: PLC0415 - costs 20 ms, only wanted here

    sys.stdout.write(f"{PROGRAM} {version(PROGRAM)}\n")
    return ExitCode.DONE


if __name__ == "__main__":
    main()
