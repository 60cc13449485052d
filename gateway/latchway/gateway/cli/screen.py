"""How answers look on a terminal and in a pipe: safe text, columns, colour only where wanted."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ELLIPSIS: Final = "..."
GAP: Final = "  "
MINIMUM_COLUMN: Final = 8

_COLOURS: Final = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}
_UNSAFE: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
"""Unicode categories that can move the cursor, hide or reorder text."""


def printable(text: str) -> str:
    """Return text that cannot act on a terminal: controls and invisible characters as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(each) if _is_unsafe(each) else each for each in text)


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in _UNSAFE


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def shortened(text: str, width: int) -> str:
    """Cut text to a width, showing that it was cut."""
    if len(text) <= width:
        return text
    return text[: max(0, width - len(ELLIPSIS))] + ELLIPSIS[: max(0, width)]


class Screen:
    """Where a command prints: knows its width and whether colour is wanted.

    Width is None in a pipe: nothing is cut there. Colour needs a terminal and no `NO_COLOR`.
    """

    def __init__(self, output: TextIO, *, width: int | None, colour: bool) -> None:
        self._output = output
        self.width = width
        self._colour = colour

    @classmethod
    def of(cls, output: TextIO, environment: Mapping[str, str]) -> Screen:
        """Return the screen of a stream."""
        if not output.isatty():
            return cls(output, width=None, colour=False)
        colour = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
        return cls(output, width=shutil.get_terminal_size().columns, colour=colour)

    def paint(self, text: str, colour: str | None) -> str:
        """Return the text in a colour, or as it is."""
        if not self._colour or colour is None:
            return text
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"

    def line(self, text: str = "") -> None:
        """Print one line at once, so that a follower sees it."""
        self._output.write(text + "\n")
        self._output.flush()

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines."""
        for each in lines:
            self.line(each)

    def cut(self, text: str) -> str:
        """Cut a line to the terminal's width; in a pipe leave it whole."""
        return text if self.width is None else shortened(text, self.width)


def stdout_screen() -> Screen:
    """Return the screen of standard output."""
    return Screen.of(sys.stdout, os.environ)


def table(
    rows: Sequence[Sequence[str]], width: int | None, numeric: Iterable[int] = ()
) -> list[str]:
    """Return rows as aligned lines; the widest columns shrink until they fit the width."""
    if not rows:
        return []
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    if width is not None:
        _shrink(widths, width - len(GAP) * (len(widths) - 1))
    right = frozenset(numeric)
    return [
        GAP.join(
            shortened(cell, widths[column]).rjust(widths[column])
            if column in right
            else shortened(cell, widths[column]).ljust(widths[column])
            for column, cell in enumerate(row)
        ).rstrip()
        for row in cells
    ]


def _shrink(widths: list[int], available: int) -> None:
    while sum(widths) > available and max(widths) > MINIMUM_COLUMN:
        widest = max(range(len(widths)), key=widths.__getitem__)
        widths[widest] -= 1


def span(seconds: float) -> str:
    """Return a duration in its two largest units: `3 h 12 min`."""
    whole = max(0, int(seconds))
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    for index, (unit, size) in enumerate(units):
        if whole >= size:
            count, rest = divmod(whole, size)
            if index + 1 < len(units) and rest >= units[index + 1][1] and index < 2:
                smaller, smaller_size = units[index + 1]
                return f"{count} {unit} {rest // smaller_size} {smaller}"
            return f"{count} {unit}"
    return "0 s"


def short_span(seconds: float) -> str:
    """Return a duration in its largest unit: `3h`."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def bytes_of(count: int) -> str:
    """Return a size as people say it: `3.2 MiB`."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def number(count: int) -> str:
    """Return a count with separated thousands: `12,034`."""
    return f"{count:,}"
