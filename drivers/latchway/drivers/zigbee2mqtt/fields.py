"""Typed access to the fields of a JSON object that a stranger sent.

Absent and null both mean "not said". Errors name the key and the kind of what stands there, never
the value: it may be a code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from latchway.drivers.errors import PayloadInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

_LONG_NUMBER = re.compile(r"\d(?:[\W_]{0,3}\d){3,}")
"""Four digits and more, also with something between them: `[52, 55, 49, 49]` is a code too."""


def wrong_type(key: str, value: JsonValue, wanted: str) -> PayloadInvalid:
    """Return the error for a key of the wrong type; the value itself is never named."""
    return PayloadInvalid("wrong_type", f"key '{key}' holds {kind_of(value)}, not {wanted}")


def text_at(fields: Mapping[str, JsonValue], key: str) -> str | None:
    """Return the text under a key, None if it is absent or null."""
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    raise wrong_type(key, value, "text")


def truth_at(fields: Mapping[str, JsonValue], key: str) -> bool | None:
    """Return the boolean under a key, None if it is absent or null."""
    value = fields.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise wrong_type(key, value, "true or false")


def number_at(
    fields: Mapping[str, JsonValue], key: str, lowest: float, highest: float
) -> float | None:
    """Return the number under a key, None if it is absent or null; raises when out of range."""
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(key, value, "a number")
    if not lowest <= value <= highest:
        raise PayloadInvalid(
            "out_of_range", f"key '{key}' is not between {lowest:g} and {highest:g}"
        )
    return value


def kind_of(value: JsonValue) -> str:
    """Name the JSON type of a value, for messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"


def word_without_numbers(word: str) -> str:
    """Return a source's own word as it may be shown: short, printable, long numbers masked."""
    printable = "".join(character for character in word[:128] if character.isprintable())
    return without_long_numbers(printable)


def without_long_numbers(text: str) -> str:
    """Return a text with every row of digits that is long enough to be a code masked."""
    return _LONG_NUMBER.sub("#", text)
