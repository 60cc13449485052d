"""Reading the JSON header and cutting the payload of a frame, with errors that name the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import JsonValue

from latchway.drivers.contract import BrokerDelivery, DeliveryClass
from latchway.drivers.errors import FrameInvalid

T = TypeVar("T")

_LARGEST_PACKET_ID = 65535
_DIGEST_BYTES = 8

Header = Mapping[str, JsonValue]


def get(header: Header, key: str, kind: type[T], default: T | None = None) -> T:
    """Return a header field of that type; raises `FrameInvalid` if it is missing or another."""
    value: Any = header.get(key, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise FrameInvalid(f"The header field {key!r} is missing or no {kind.__name__}")
    return value


def number(header: Header, key: str, default: float | None = None) -> float:
    """Return a header field that is a number."""
    value = header.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FrameInvalid(f"The header field {key!r} is missing or no number")
    return float(value)


def optional_text(header: Header, key: str) -> str | None:
    """Return a header field that is text, None where it is absent."""
    return get(header, key, str) if key in header else None


def texts(header: Header, key: str) -> tuple[str, ...]:
    """Return a header field that is a list of texts."""
    values = get(header, key, list, [])
    if not all(isinstance(value, str) for value in values):
        raise FrameInvalid(f"The header field {key!r} holds something that is no text")
    return tuple(values)


def lengths(header: Header, key: str) -> Mapping[str, int | None]:
    """Return a header field that maps names to lengths in the payload, or to null."""
    return get(header, key, dict, {})


def delivery_class_of(header: Header) -> DeliveryClass:
    try:
        return DeliveryClass(get(header, "delivery_class", str))
    except ValueError as error:
        raise FrameInvalid(str(error)) from None


def delivery_header(delivery: BrokerDelivery) -> list[JsonValue]:
    return [delivery.packet_id, delivery.digest.hex(), delivery.duplicate]


def delivery_of(header: Header) -> BrokerDelivery | None:
    if "delivery" not in header:
        return None
    try:
        packet_id, digest, duplicate = get(header, "delivery", list)
        delivery = BrokerDelivery(int(packet_id), bytes.fromhex(digest), duplicate is True)
    except (TypeError, ValueError):
        raise FrameInvalid("The header field 'delivery' is no [packet id, digest, dup]") from None
    if not 0 < delivery.packet_id <= _LARGEST_PACKET_ID or len(delivery.digest) != _DIGEST_BYTES:
        raise FrameInvalid("The header field 'delivery' has an impossible packet id or digest")
    return delivery


class Cutter:
    """Cuts a payload into the parts whose lengths the header names, in order."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._start = 0

    def take(self, length: object) -> bytes:
        """Return the next part; raises `FrameInvalid` when the payload is too short."""
        end = self._start + length if isinstance(length, int) else -1
        if not self._start <= end <= len(self._payload):
            raise FrameInvalid("The lengths in the header do not fit the payload")
        part = self._payload[self._start : end]
        self._start = end
        return part

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._start != len(self._payload):
            raise FrameInvalid("The payload is longer than the lengths in the header say")
