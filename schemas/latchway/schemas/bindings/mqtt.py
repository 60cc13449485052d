"""MQTT 5, binary mode: data as payload, attributes as user properties.

Facts: MQTT Protocol Binding for CloudEvents 1.0.2, section 3.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from latchway.schemas.bindings import structured
from latchway.schemas.cloudevent import CloudEvent, check_size, checked
from latchway.schemas.errors import EnvelopeInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROPERTY_OVERHEAD: Final = 5
"""Identifier byte and two 2-byte lengths of a user property (MQTT 5, section 2.2.2)."""


class MqttParts(NamedTuple):
    """What a PUBLISH packet carries for one event, but for its topic."""

    payload: bytes
    content_type: str | None
    user_properties: list[tuple[str, str]]


def encode(attributes: Mapping[str, str], data: bytes | None) -> MqttParts:
    """Encode an event in binary mode. Raises `EnvelopeTooLarge` above 64 KiB."""
    rest = dict(attributes)
    content_type = rest.pop("datacontenttype", None)
    payload = data or b""
    text = "".join((*rest, *rest.values(), content_type or "")).encode()
    check_size(len(payload) + len(text) + _PROPERTY_OVERHEAD * len(rest))
    return MqttParts(payload, content_type, list(rest.items()))


def decode(
    payload: bytes, content_type: str | None, user_properties: Sequence[tuple[str, str]]
) -> CloudEvent:
    """Read an event in either mode; the content type tells which.

    Raises `EnvelopeInvalid`, or `EnvelopeTooLarge` above 64 KiB.
    """
    check_size(len(payload))
    if content_type is not None and content_type.lower().startswith(structured.CONTENT_TYPE):
        return structured.decode(payload)
    attributes = dict(user_properties)
    if len(attributes) < len(user_properties):
        raise EnvelopeInvalid("a user property appears twice")
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    return checked(attributes, payload or None)
