"""Finds every code that somebody typed or set in a recording of Zigbee2MQTT."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from support.zigbee2mqtt_replay import Message

SHORTEST = 4
"""Shorter ones occur by chance in anything."""
_CODE_KEYS = frozenset({"pin_code", "pincode", "pincodevalue", "last_used_pin_code"})
_IN_WORDS = re.compile(r"(?:pin_?code(?:value)?)[\\\"']*\s*:\s*[\\\"']*(\d+)|got number \((\d+)\)")
_LIST_IN_WORDS = re.compile(r"\[\s*(\d+(?:\s*,\s*\d+)+)\s*\]")


def codes_in(message: Message) -> set[str]:
    """Return the codes in a message: values of its keys, and what its log lines quote."""
    text = message.payload.decode()
    found = {code for match in _IN_WORDS.findall(text) for code in match if code}
    if message.topic.endswith("bridge/logging"):
        found.update(filter(None, map(_typed, _LIST_IN_WORDS.findall(text))))
    key = message.topic.rpartition("/")[2]
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    found.update(_values({key: value}))
    return {code for code in found if len(code) >= SHORTEST}


def _values(value: JsonValue, *, secret: bool = False) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _values(inner, secret=key in _CODE_KEYS)
        case list():
            for inner in value:
                yield from _values(inner, secret=secret)
        case bool() | None:
            return
        case int() | str() if secret and str(value).isdigit():
            yield str(value)


def _typed(numbers: str) -> str | None:
    """Return the text that a list of byte values spells, if it is all digits."""
    values = [int(number) for number in numbers.split(",")]
    text = bytes(values).decode(errors="replace") if max(values) < 256 else ""
    return text if text.isdigit() else None
