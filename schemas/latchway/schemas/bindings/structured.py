"""The whole event as one JSON object, `application/cloudevents+json`: files, webhooks, MQTT 3.1.1.

Facts: JSON Event Format for CloudEvents 1.0.2.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from latchway.schemas import jsontext
from latchway.schemas.cloudevent import CloudEvent, check_size, checked, is_json
from latchway.schemas.errors import EnvelopeInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

CONTENT_TYPE: Final = "application/cloudevents+json"


def encode(attributes: Mapping[str, str], data: bytes | None) -> bytes:
    """Encode an event. JSON data is taken over byte by byte, without reading it.

    Raises `EnvelopeTooLarge` above 64 KiB.
    """
    head = to_json(attributes)[:-1]
    if data is None:
        encoded = head + b"}"
    else:
        encoded = b"".join((head, _member(attributes.get("datacontenttype"), data), b"}"))
    check_size(len(encoded))
    return encoded


def decode(raw: bytes) -> CloudEvent:
    """Read an event. Raises `EnvelopeInvalid`, or `EnvelopeTooLarge` above 64 KiB."""
    check_size(len(raw))
    try:
        members = jsontext.read(raw)
    except jsontext.NotJson as error:
        raise EnvelopeInvalid(f"not JSON: {error}") from None
    if not isinstance(members, dict):
        raise EnvelopeInvalid("not a JSON object")
    data = _data(members)
    attributes = {
        name: _text(name, value)
        for name, value in members.items()
        if name not in {"data", "data_base64"} and value is not None
    }
    return checked(attributes, data)


def _member(content_type: str | None, data: bytes) -> bytes:
    if is_json(content_type):
        return b',"data":' + data.strip()
    try:
        return b',"data":' + to_json(data.decode())
    except UnicodeDecodeError:
        return b',"data_base64":' + to_json(base64.b64encode(data).decode())


def _data(members: Mapping[str, JsonValue]) -> bytes | None:
    encoded = members.get("data_base64")
    if encoded is not None:
        if "data" in members or not isinstance(encoded, str):
            raise EnvelopeInvalid("data_base64 must be text, and stand without data")
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise EnvelopeInvalid("data_base64 is not base64") from None
    if "data" not in members:
        return None
    content_type = members.get("datacontenttype")
    value = members["data"]
    if isinstance(content_type, str) and isinstance(value, str) and not is_json(content_type):
        return value.encode()
    return to_json(value)


def _text(name: str, value: JsonValue) -> str:
    """Write an attribute in its canonical text form (specification, section 3.1)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise EnvelopeInvalid(f"the attribute {name[:64]!a} is neither text, boolean nor integer")
