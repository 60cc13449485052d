"""HTTP: binary mode with `ce-` headers, and structured mode. For webhooks and their receivers.

Facts: HTTP Protocol Binding for CloudEvents 1.0.2, section 3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote

from latchway.schemas.bindings import structured
from latchway.schemas.cloudevent import CloudEvent, check_size, checked
from latchway.schemas.errors import EnvelopeInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PREFIX: Final = "ce-"
_CONTENT_TYPE: Final = "content-type"
_BATCH: Final = "application/cloudevents-batch+json"
_UNESCAPED: Final = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""Printable ASCII but for space, quote and per cent (section 3.1.3.2)."""


class HttpParts(NamedTuple):
    """What a request carries for one event."""

    headers: dict[str, str]
    body: bytes


def encode_binary(attributes: Mapping[str, str], data: bytes | None) -> HttpParts:
    """Encode an event with its attributes as headers. Raises `EnvelopeTooLarge` above 64 KiB."""
    headers = {
        _PREFIX + name: quote(value, safe=_UNESCAPED)
        for name, value in attributes.items()
        if name != "datacontenttype"
    }
    if "datacontenttype" in attributes:
        headers[_CONTENT_TYPE] = attributes["datacontenttype"]
    body = data or b""
    check_size(len(body) + sum(map(len, headers)) + sum(map(len, headers.values())))
    return HttpParts(headers, body)


def encode_structured(attributes: Mapping[str, str], data: bytes | None) -> HttpParts:
    """Encode an event as one JSON object. Raises `EnvelopeTooLarge` above 64 KiB."""
    content_type = f"{structured.CONTENT_TYPE}; charset=utf-8"
    return HttpParts({_CONTENT_TYPE: content_type}, structured.encode(attributes, data))


def decode(headers: Iterable[tuple[str, str]], body: bytes) -> CloudEvent:
    """Read an event in either mode; the content type tells which.

    Raises `EnvelopeInvalid`, or `EnvelopeTooLarge` above 64 KiB.
    """
    check_size(len(body))
    attributes: dict[str, str] = {}
    for name, value in headers:
        attribute = _attribute_of(name.lower())
        if attribute is None:
            continue
        if attribute in attributes:
            raise EnvelopeInvalid(f"the header {name[:64]!a} appears twice")
        plain = attribute == "datacontenttype"
        attributes[attribute] = value if plain else _unescaped(attribute, value)
    content_type = attributes.get("datacontenttype", "").lower()
    if content_type.startswith(_BATCH):
        raise EnvelopeInvalid("batches are not understood: send one event per request")
    if content_type.startswith(structured.CONTENT_TYPE):
        return structured.decode(body)
    return checked(attributes, body or None)


def _attribute_of(header: str) -> str | None:
    if header == _CONTENT_TYPE:
        return "datacontenttype"
    return header.removeprefix(_PREFIX) if header.startswith(_PREFIX) else None


def _unescaped(name: str, value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    inner = re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value
    try:
        return unquote(inner, errors="strict")
    except UnicodeDecodeError:
        raise EnvelopeInvalid(f"the header of {name[:64]!a} is not UTF-8 inside") from None
