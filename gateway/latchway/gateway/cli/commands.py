"""What a command of `latchway` is: a declaration, from which parsing, help and completion follow.

On argparse alone: see the decision record 0060 for why not typer.
"""

from __future__ import annotations

import argparse
import difflib
import shutil
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

from latchway.gateway.cli.errors import MEANINGS, CommandError, ExitCode

PROGRAM: Final = "latchway"
HELP_OPTIONS: Final = ("-h", "--help")
WIDEST_HELP: Final = 80

Options = argparse.Namespace
Run = Callable[[Options], ExitCode | None]
Declare = Callable[[argparse.ArgumentParser], None]


def _declare_nothing(_parser: argparse.ArgumentParser) -> None:
    return


@dataclass(frozen=True, slots=True)
class Command:
    """A command that does something, or a group of such commands (`run` is None then).

    `declare` adds its arguments to a parser. A group may name the `default` of its commands.
    """

    name: str
    summary: str
    """One line for the list of commands."""
    details: str = ""
    examples: str = ""
    exits: tuple[ExitCode, ...] = ()
    declare: Declare = _declare_nothing
    run: Run | None = None
    commands: tuple[Command, ...] = ()
    default: str | None = None

    def find(self, name: str) -> Command | None:
        """Return the command of that name in this group."""
        return next((each for each in self.commands if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a command line led: a command, its full name, and the words that are left for it."""

    command: Command
    path: str
    rest: tuple[str, ...]
    """For a group: the help option, or nothing."""


def find(root: Command, words: Iterable[str]) -> Found:
    """Walk from the root along the words. Raises `CommandError` where a command is unknown."""
    command, path, rest = root, root.name, list(words)
    while command.commands:
        if not rest or rest[0] in HELP_OPTIONS:
            if rest or command.default is None:
                return Found(command, path, tuple(rest))
            rest.insert(0, command.default)
        elif rest[0].startswith("-") and command.default is not None:
            rest.insert(0, command.default)
        word = rest.pop(0)
        inner = command.find(word)
        if inner is None:
            raise _unknown(word, path, command)
        command, path = inner, f"{path} {word}"
    return Found(command, path, tuple(rest))


def parse(found: Found) -> Options:
    """Parse what is left for a command. Raises `CommandError`; ends the process after help."""
    parser = parser_of(found.command, found.path)
    options, unknown = parser.parse_known_args(list(found.rest))
    if unknown:
        known = [name for action in parser._actions for name in action.option_strings]  # noqa: SLF001 - argparse has no public list
        raise _usage(f"{unknown[0]!r} is not known here", _nearest(unknown[0], known), found.path)
    return options


def parser_of(command: Command, path: str) -> argparse.ArgumentParser:
    """Return the parser of one command, whose help teaches: purpose, example, exit codes."""
    width = _width()
    codes = "\n".join(f"  {int(code)}  {MEANINGS[code]}" for code in sorted(command.exits))
    parser = _Parser(
        prog=path,
        description=f"{command.summary}\n\n{_paragraphs(command.details, width)}".strip(),
        epilog=f"{_examples(command)}exit codes:\n{codes}",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=28, width=width
        ),
        allow_abbrev=False,
    )
    command.declare(parser)
    return parser


def group_help(command: Command, path: str) -> str:
    """Return the help of a group: its commands, a line each."""
    longest = max(len(each.name) for each in command.commands)
    listed = "\n".join(f"  {each.name:<{longest}}  {each.summary}" for each in command.commands)
    options = "  -h, --help  show this help\n"
    if path == PROGRAM:
        options += "  --version   show the version\n"
    details = _paragraphs(command.details, _width())
    purpose = f"{command.summary}\n\n{details}".strip()
    return (
        f"usage: {path} COMMAND ...\n\n{purpose}\n\n"
        f"commands:\n{listed}\n\n{_examples(command)}options:\n{options}"
    )


def _examples(command: Command) -> str:
    return f"examples:\n{textwrap.indent(command.examples.strip(), '  ')}\n\n"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise _usage(message, None, self.prog)


def _unknown(word: str, path: str, command: Command) -> CommandError:
    known = [each.name for each in command.commands]
    kind = "option" if word.startswith("-") else "command"
    return _usage(f"there is no {kind} {word!r}", _nearest(word, known), path)


def _usage(message: str, nearest: str | None, path: str) -> CommandError:
    fix = f"did you mean `{nearest}`? " if nearest else ""
    return CommandError(ExitCode.USAGE, "usage", message, f"{fix}see `{path} --help`")


def _nearest(word: str, words: list[str]) -> str | None:
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return close[0] if close else None


def _width() -> int:
    return min(WIDEST_HELP, shutil.get_terminal_size().columns) - 2


def _paragraphs(text: str, width: int) -> str:
    parts = (" ".join(part.split()) for part in text.strip().split("\n\n"))
    return "\n\n".join(textwrap.fill(part, width) for part in parts)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return an argument type: a whole number between two bounds."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value} is not between {least} and {most}")
        return value

    return number
