"""JSON from strangers, read strictly: what bridges and locks send, before any codec looks at it.

Python's own reader takes NaN, duplicate keys and endless numbers, and gives up with RecursionError
on deep nesting; each of these is a `PayloadInvalid` here. Used by the vendors' codecs.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn

from pydantic import JsonValue

from latchway.drivers.errors import PayloadInvalid

MAXIMUM_BYTES = 256 * 1024
MAXIMUM_DEPTH = 24
_MAXIMUM_DIGITS = 32
_MAXIMUM_INTEGER = 2**63 - 1


def parse(
    raw: bytes, *, maximum_bytes: int = MAXIMUM_BYTES, maximum_depth: int = MAXIMUM_DEPTH
) -> JsonValue:
    """Read one JSON text.

    Raises `PayloadInvalid` with code `too_large`, `not_utf8` (also half a surrogate pair),
    `not_json`, `too_deep`, `duplicate_key`, `not_a_number` (NaN, Infinity) or `huge_number`.
    Reasons quote no values: they may be codes.
    """
    if len(raw) > maximum_bytes:
        raise PayloadInvalid("too_large", f"{len(raw)} bytes; at most {maximum_bytes} are read")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PayloadInvalid("not_utf8", f"byte {error.start} is no UTF-8") from None
    _check_depth(text, maximum_depth)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise PayloadInvalid("not_json", f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise PayloadInvalid("too_deep", "nested deeper than the reader can follow") from None
    if "\\u" in text:
        _check_surrogates(value)
    checked: JsonValue = value
    return checked


def parse_object(
    raw: bytes, *, maximum_bytes: int = MAXIMUM_BYTES, maximum_depth: int = MAXIMUM_DEPTH
) -> dict[str, JsonValue]:
    """Read a JSON text that must be an object; else `PayloadInvalid` with code `not_an_object`."""
    value = parse(raw, maximum_bytes=maximum_bytes, maximum_depth=maximum_depth)
    if not isinstance(value, dict):
        raise PayloadInvalid("not_an_object", f"a JSON object was expected, not {_kind(value)}")
    return value


def _check_depth(text: str, maximum: int) -> None:
    """Refuse deep nesting before the reader recurses; brackets inside strings do not count."""
    if text.count("{") + text.count("[") <= maximum:
        return
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
            if depth > maximum:
                raise PayloadInvalid("too_deep", f"nested more than {maximum} deep")
        elif character in "}]":
            depth -= 1


def _check_surrogates(value: JsonValue) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise PayloadInvalid("not_utf8", "half a surrogate pair is no character") from None


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise PayloadInvalid("duplicate_key", "an object names one of its keys twice")
    return value


def _integer(text: str) -> int:
    if len(text) > _MAXIMUM_DIGITS or abs(value := int(text)) > _MAXIMUM_INTEGER:
        raise PayloadInvalid("huge_number", f"an integer of {len(text)} characters")
    return value


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise PayloadInvalid("huge_number", "a number beyond what a double holds")
    return value


def _constant(text: str) -> NoReturn:
    raise PayloadInvalid("not_a_number", f"{text} is not JSON")


def _kind(value: JsonValue) -> str:
    kinds = {list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
