"""Finds line and column of each key in a TOML text that `tomllib` has already accepted.

`tomllib` gives values without places; an operator needs the place. The scanner trusts the text
to be valid TOML and only skips values, so it stays small. Used by the loader for its messages.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Keys and array indexes from the root, as the parsed document is walked."""

_BLANK = " \t"
_VALUE_END = ",]}\r\n#"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a text, both counted from 1 as editors do."""

    line: int
    column: int


def key_places(text: str) -> dict[KeyPath, Place]:
    """Map every key path of the document, tables included, to where it first stands."""
    scanner = _Scanner(text)
    scanner.scan()
    starts = _line_starts(text)
    return {path: _place(starts, offset) for path, offset in scanner.offsets.items()}


def nearest_place(places: dict[KeyPath, Place], path: KeyPath) -> Place:
    """Return where the path stands, or its closest ancestor that stands anywhere."""
    while path:
        if path in places:
            return places[path]
        path = path[:-1]
    return Place(1, 1)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts.extend(index + 1 for index, character in enumerate(text) if character == "\n")
    return starts


def _place(starts: list[int], offset: int) -> Place:
    low, high = 0, len(starts)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if starts[middle] <= offset else (low, middle)
    return Place(low + 1, offset - starts[low] + 1)


class _Scanner:
    """One pass over the text; `offsets` collects where each key path first stands."""

    def __init__(self, text: str) -> None:
        self.offsets: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._last_element: dict[KeyPath, int] = {}

    def scan(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip_space_and_comments()
            if self._at >= len(self._text):
                return
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._key_value(table)

    def _header(self) -> KeyPath:
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        keys = self._dotted_key()
        self._skip_blank()
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        for number, (key, offset) in enumerate(keys, start=1):
            path = (*path, key)
            self.offsets.setdefault(path, offset)
            if is_array and number == len(keys):
                self._last_element[path] = self._last_element.get(path, -1) + 1
            if path in self._last_element:
                path = (*path, self._last_element[path])
                self.offsets.setdefault(path, offset)
        return path

    def _key_value(self, table: KeyPath) -> None:
        path = table
        for key, offset in self._dotted_key():
            path = (*path, key)
            self.offsets.setdefault(path, offset)
        self._skip_blank()
        self._at += 1  # the equals sign
        self._skip_blank()
        self._value(path)

    def _dotted_key(self) -> list[tuple[str, int]]:
        keys = [self._simple_key()]
        self._skip_blank()
        while self._at < len(self._text) and self._text[self._at] == ".":
            self._at += 1
            keys.append(self._simple_key())
            self._skip_blank()
        return keys

    def _simple_key(self) -> tuple[str, int]:
        self._skip_blank()
        start = self._at
        if self._text[start] in "\"'":
            self._skip_string()
            quoted = self._text[start : self._at]
            return str(tomllib.loads(f"key = {quoted}")["key"]), start
        while self._at < len(self._text) and self._text[self._at] not in " \t.=]\r\n":
            self._at += 1
        return self._text[start : self._at], start

    def _value(self, path: KeyPath) -> None:
        match self._text[self._at]:
            case '"' | "'":
                self._skip_string()
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                while self._at < len(self._text) and self._text[self._at] not in _VALUE_END:
                    self._at += 1

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while True:
            self._skip_space_and_comments()
            if self._text[self._at] == "]":
                self._at += 1
                return
            self.offsets.setdefault((*path, index), self._at)
            self._value((*path, index))
            index += 1
            self._skip_comma()

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip_space_and_comments()
            if self._text[self._at] == "}":
                self._at += 1
                return
            self._key_value(path)
            self._skip_comma()

    def _skip_comma(self) -> None:
        self._skip_space_and_comments()
        if self._text[self._at] == ",":
            self._at += 1

    def _skip_string(self) -> None:
        quote = self._text[self._at]
        if self._text.startswith(quote * 3, self._at):
            self._skip_multiline_string(quote)
            return
        self._at += 1
        while self._text[self._at] != quote:
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += 1

    def _skip_multiline_string(self, quote: str) -> None:
        self._at += 3
        while not self._text.startswith(quote * 3, self._at):
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += 3
        while self._text.startswith(quote, self._at):  # up to two quotes may end the content
            self._at += 1

    def _skip_blank(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _BLANK:
            self._at += 1

    def _skip_space_and_comments(self) -> None:
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in " \t\r\n":
                self._at += 1
            elif character == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return
