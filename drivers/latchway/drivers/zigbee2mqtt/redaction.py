"""Takes codes out of what operators may see of an input that was not understood.

Zigbee2MQTT publishes codes in `users`, in `last_used_pin_code` and in its log lines. Whatever
cannot be parsed is shown with every digit masked, since a code may stand anywhere in it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from latchway.drivers.errors import PayloadInvalid
from latchway.drivers.strict_json import parse
from latchway.drivers.zigbee2mqtt.fields import without_long_numbers

if TYPE_CHECKING:
    from pydantic import JsonValue

SHOWN_LIMIT = 4096
"""Bytes of a refused input that are kept."""
REMOVED = "[removed]"
_SECRET_KEY = re.compile(
    r"pin|code|passw|secret|token|credential|network_?key|auth|users", re.IGNORECASE
)
_HARMLESS_KEYS = frozenset({"date_code", "pin_code_count"})
_DIGIT = re.compile(r"\d")
_SHORT_NUMBER = re.compile(r"\d{1,3}(?:\.0)?")
_SHORTEST_CODE = 4


def smells_of_a_code(key: str) -> bool:
    """Tell whether what stands under this key may be a code or another secret."""
    return key not in _HARMLESS_KEYS and _SECRET_KEY.search(key) is not None


def without_secrets(payload: bytes) -> bytes:
    """Return what may be kept of a refused payload, at most `SHOWN_LIMIT` bytes."""
    try:
        value = parse(payload, maximum_bytes=4 * SHOWN_LIMIT)
    except PayloadInvalid:
        return _masked(payload)
    shown = json.dumps(_clean(value), ensure_ascii=False, separators=(",", ":")).encode()
    return shown[:SHOWN_LIMIT]


def _spells_a_code(row: dict[str, JsonValue] | list[JsonValue]) -> bool:
    """Tell whether a row of values may be a code, digit by digit or byte by byte."""
    if isinstance(row, dict) and not all(key.isdigit() for key in row):
        return False
    values = row.values() if isinstance(row, dict) else row
    found = [value for value in values if _SHORT_NUMBER.fullmatch(str(value))]
    return len(found) >= _SHORTEST_CODE


def _masked(payload: bytes) -> bytes:
    text = payload[:SHOWN_LIMIT].decode(errors="replace")
    return _DIGIT.sub("#", text).encode()[:SHOWN_LIMIT]


def _clean(value: JsonValue) -> JsonValue:
    match value:
        case dict() | list() if _spells_a_code(value):
            return REMOVED
        case dict():
            return {
                without_long_numbers(key): REMOVED if smells_of_a_code(key) else _clean(inner)
                for key, inner in value.items()
            }
        case list():
            return [_clean(inner) for inner in value]
        case str():
            return without_long_numbers(value)
        case bool() | None:
            return value
        case _:
            return value if -1_000 < value < 1_000 else "#"
