"""JSON as it is written down: read without the liberties that common readers take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic_core import from_json

if TYPE_CHECKING:
    from pydantic import JsonValue


class NotJson(ValueError):
    """The text is not JSON that two readers would understand alike."""


def read(raw: bytes) -> JsonValue:
    """Read strict JSON. Raises `NotJson` for all that readers disagree about.

    Refused are: not UTF-8, lone surrogates, NaN and Infinity, numbers of thousands of digits,
    nesting beyond 200, and keys that appear twice in an object.
    """
    try:
        value: JsonValue = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise NotJson(str(error)) from None
    refuse_repeated_keys(raw)
    return value


def refuse_repeated_keys(raw: bytes) -> None:
    """Raise `NotJson` if an object holds a key twice. `raw` is valid JSON otherwise."""
    json.loads(raw, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise NotJson(f"the key {repeated[:64]!a} appears twice")
