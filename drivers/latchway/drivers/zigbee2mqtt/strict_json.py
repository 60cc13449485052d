"""JSON as strictly as a stranger's input deserves: bounded, finite, no key twice.

Used by every codec of this folder. What does not fit raises `PayloadInvalid` with a code for
machines and a reason for people.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, NoReturn

from latchway.drivers.errors import PayloadInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import JsonValue

_LONG_NUMBER = re.compile(r"\d{4,}")
MAX_DEPTH = 16
"""A lock's message nests 3 deep, `bridge/devices` 7."""


def parse(payload: bytes, limit: int) -> JsonValue:
    """Return the JSON value of a payload of at most `limit` bytes; raises `PayloadInvalid`."""
    if len(payload) > limit:
        raise PayloadInvalid("too_large", f"{len(payload)} bytes, at most {limit} are taken")
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise PayloadInvalid("not_utf8", f"byte {error.start} is not UTF-8") from None
    try:
        value: JsonValue = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        raise PayloadInvalid("not_json", f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise PayloadInvalid("too_deep", f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise PayloadInvalid("not_json", "a number has too many digits to be one") from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _limit_depth(value)
    return value


def parse_object(payload: bytes, limit: int) -> Mapping[str, JsonValue]:
    """Return the JSON object of a payload; raises `PayloadInvalid`."""
    value = parse(payload, limit)
    if not isinstance(value, dict):
        raise PayloadInvalid("not_an_object", f"the payload is {kind_of(value)}, not an object")
    return value


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


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            shown = word_without_numbers(key[:64])
            raise PayloadInvalid("duplicate_key", f"key '{shown}' occurs twice in one object")
        seen.add(key)
    return fields


def word_without_numbers(word: str) -> str:
    """Return a source's own word as it may be shown: short, printable, long numbers masked."""
    printable = "".join(character for character in word[:128] if character.isprintable())
    return _LONG_NUMBER.sub("#", printable)


def _refuse_constant(word: str) -> NoReturn:
    raise PayloadInvalid("not_finite", f"{word} is not a JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise PayloadInvalid("not_finite", "a number is too large to be one")
    return value


def _limit_depth(value: JsonValue) -> None:
    level: list[JsonValue] = [value]
    for _ in range(MAX_DEPTH + 1):
        inner = [child for parent in level for child in _children(parent)]
        if not inner:
            return
        level = inner
    raise PayloadInvalid("too_deep", f"nested deeper than {MAX_DEPTH} levels")


def _children(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
