"""A device's state as the JSON that travels on the wire and rests in the outbox.

The worker writes it, the worker of the next start and the gateway's registry read it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pydantic import JsonValue

from latchway.drivers.contract import Attribute, DeviceState
from latchway.drivers.errors import StateInvalid
from latchway.schemas import Source

_TEXTS = ("model", "manufacturer", "firmware")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode_state(state: DeviceState) -> bytes:
    """Encode a state; raises `StateInvalid` for a value that is no JSON or a naive time."""
    document: dict[str, JsonValue] = {"name": state.name}
    for key in _TEXTS:
        text = getattr(state, key)
        if text is not None:
            document[key] = text
    if state.attributes:
        document["attributes"] = {
            name: {
                "value": attribute.value,
                "source": attribute.source.value,
                "at": _instant(name, attribute.at),
            }
            for name, attribute in state.attributes.items()
        }
    return encode_json(document)


def encode_json(value: JsonValue) -> bytes:
    """Encode a JSON value compactly; raises `StateInvalid`."""
    try:
        return _encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise StateInvalid(f"A state or cursor that is no JSON: {error}") from None


def decode_state(raw: bytes) -> DeviceState:
    """Decode a stored state; raises `StateInvalid`."""
    try:
        document = json.loads(raw)
        attributes = document.get("attributes", {})
        return DeviceState(
            name=_text(document["name"]),
            **{key: _text(document[key]) for key in _TEXTS if key in document},
            attributes={name: _attribute(**entry) for name, entry in attributes.items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise StateInvalid("A stored device state that cannot be read") from None


def _attribute(value: JsonValue, source: str, at: str) -> Attribute:
    return Attribute(value, Source(source), datetime.fromisoformat(at))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _instant(name: str, at: datetime) -> str:
    if at.tzinfo is None:
        raise StateInvalid(f"The time of attribute {name!r} has no timezone")
    return at.astimezone(UTC).isoformat()
