"""The two MQTT 5 packets of the hot path, PUBLISH and PUBACK, as bytes. Pure.

Everything else goes through paho. Facts from the OASIS MQTT 5.0 standard, sections in brackets.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from latchway.drivers.errors import MqttDisconnected

if TYPE_CHECKING:
    from latchway.drivers.transport.mqtt.message import PublishProperties

PUBLISH = 0x30
PUBACK = 0x40
_DUP, _RETAIN = 0x08, 0x01

# Publish properties [3.3.2.3] by identifier; text ones and the lengths of the others.
_MESSAGE_EXPIRY, _CONTENT_TYPE, _USER_PROPERTY = 0x02, 0x03, 0x26
_SUBSCRIPTION_IDENTIFIER = 0x0B
_FIXED_LENGTH = {0x01: 1, _MESSAGE_EXPIRY: 4, 0x23: 2}
_LENGTH_PREFIXED = (_CONTENT_TYPE, 0x08, 0x09)

_U16 = struct.Struct(">H")
_FORBIDDEN_IN_TOPIC = frozenset("+#\0")
_MAXIMUM_TEXT = 65535
_MAXIMUM_VARIABLE_BYTES = 4


class Malformed(MqttDisconnected):
    """The broker sent bytes that are no MQTT packet; the connection is of no more use."""


class Packet(NamedTuple):
    """A whole packet cut from the stream: first byte, what follows the length, and its end."""

    first_byte: int
    body: bytes
    end: int


class Received(NamedTuple):
    """A PUBLISH from the broker, its topic and properties not yet decoded."""

    topic: bytes
    packet_id: int
    properties: bytes
    payload: bytes


def cut(buffer: bytearray, start: int, limit: int) -> Packet | None:
    """Return the packet that begins at `start`, or None while it is not complete.

    Raises `Malformed` when it announces more than `limit` bytes or no proper length [1.5.5].
    """
    available = len(buffer)
    length, shift = 0, 0
    position = start + 1
    while True:
        if position >= available:
            return None
        byte = buffer[position]
        position += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift >= 7 * _MAXIMUM_VARIABLE_BYTES:
            raise Malformed("The broker sent a packet length of more than four bytes")
    if length > limit:
        raise Malformed(f"The broker sent a packet of {length} bytes; the limit is {limit}")
    end = position + length
    if end > available:
        return None
    return Packet(buffer[start], bytes(buffer[position:end]), end)


def decode_publish(first_byte: int, body: bytes) -> Received:
    """Take a PUBLISH apart [3.3]; raises `Malformed`."""
    try:
        topic_end = 2 + _U16.unpack_from(body)[0]
        position, packet_id = topic_end, 0
        if first_byte & 0x06:
            packet_id = _U16.unpack_from(body, position)[0]
            position += 2
        size, position = _variable(body, position)
    except (struct.error, IndexError):
        raise Malformed("The broker sent a PUBLISH that is cut short") from None
    properties_end = position + size
    if properties_end > len(body):
        raise Malformed("The broker sent a PUBLISH whose properties exceed it")
    return Received(
        topic=body[2:topic_end],
        packet_id=packet_id,
        properties=body[position:properties_end],
        payload=body[properties_end:],
    )


def decode_puback(body: bytes) -> tuple[int, int]:
    """Return packet id and reason code of a PUBACK [3.4]; without one it is 0, success."""
    if len(body) < _U16.size:
        raise Malformed("The broker sent a PUBACK that is cut short")
    return _U16.unpack_from(body)[0], body[2] if len(body) > _U16.size else 0


def decode_properties(raw: bytes) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """Return content type and user properties; raises `ValueError` for what cannot be read."""
    content_type: str | None = None
    pairs: list[tuple[str, str]] = []
    position = 0
    try:
        while position < len(raw):
            identifier, position = raw[position], position + 1
            if identifier == _USER_PROPERTY:
                key, position = _text(raw, position)
                value, position = _text(raw, position)
                pairs.append((key, value))
            elif identifier == _CONTENT_TYPE:
                content_type, position = _text(raw, position)
            else:
                position = _skip(raw, identifier, position)
    except (struct.error, IndexError):
        raise ValueError("MQTT properties are cut short") from None
    return content_type, tuple(pairs)


def _skip(raw: bytes, identifier: int, position: int) -> int:
    if identifier in _LENGTH_PREFIXED:
        return position + 2 + int(_U16.unpack_from(raw, position)[0])
    if identifier == _SUBSCRIPTION_IDENTIFIER:
        return _variable(raw, position)[1]
    if identifier in _FIXED_LENGTH:
        return position + _FIXED_LENGTH[identifier]
    raise ValueError(f"0x{identifier:02X} is no property of a PUBLISH")


def _text(raw: bytes, position: int) -> tuple[str, int]:
    end = position + 2 + _U16.unpack_from(raw, position)[0]
    if end > len(raw):
        raise IndexError
    return raw[position + 2 : end].decode("utf-8"), end


def _variable(raw: bytes, position: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = raw[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift >= 7 * _MAXIMUM_VARIABLE_BYTES:
            raise IndexError


class PublishParts(NamedTuple):
    """The encoded parts of a PUBLISH to send [3.3], texts and properties with their lengths."""

    topic: bytes
    properties: bytes
    payload: bytes

    @classmethod
    def of(
        cls, topic: str, payload: bytes | str, properties: PublishProperties | None
    ) -> PublishParts:
        """Encode the parts; raises `ValueError` for a topic that nobody can publish to."""
        if not topic or not _FORBIDDEN_IN_TOPIC.isdisjoint(topic):
            raise ValueError(f"{topic!r} is no topic to publish to: empty, or with +, # or NUL")
        return cls(
            topic=_encode_text(topic),
            properties=b"\0" if properties is None else _encode_properties(properties),
            payload=payload.encode() if isinstance(payload, str) else payload,
        )

    def size(self, flags: int) -> int:
        """Count the bytes of the whole packet."""
        remaining = self.remaining(flags)
        return 1 + len(_encode_variable(remaining)) + remaining

    def encode(self, flags: int, packet_id: int) -> bytes:
        """Put the packet together; `flags` come from `publish_flags`."""
        return b"".join(
            (
                bytes((PUBLISH | flags,)),
                _encode_variable(self.remaining(flags)),
                self.topic,
                _U16.pack(packet_id) if flags & 0x06 else b"",
                self.properties,
                self.payload,
            )
        )

    def remaining(self, flags: int) -> int:
        """Count the bytes that follow the packet's length."""
        identifier = _U16.size if flags & 0x06 else 0
        return len(self.topic) + identifier + len(self.properties) + len(self.payload)


def _encode_properties(properties: PublishProperties) -> bytes:
    parts: list[bytes] = []
    if properties.message_expiry_s is not None:
        parts.append(struct.pack(">BI", _MESSAGE_EXPIRY, properties.message_expiry_s))
    if properties.content_type is not None:
        parts += (b"\x03", _encode_text(properties.content_type))
    for key, value in properties.user_properties:
        parts += (b"\x26", _encode_text(key), _encode_text(value))
    raw = b"".join(parts)
    return _encode_variable(len(raw)) + raw


def publish_flags(qos: int, *, retain: bool) -> int:
    """Return the low bits of a PUBLISH's first byte; raises `ValueError` for QoS 2 and above."""
    if qos not in (0, 1):
        raise ValueError(f"QoS {qos} is not used here: 0 or 1")
    return qos << 1 | (_RETAIN if retain else 0)


def is_duplicate(first_byte: int) -> bool:
    return bool(first_byte & _DUP)


def is_retained(first_byte: int) -> bool:
    return bool(first_byte & _RETAIN)


def encode_puback(packet_id: int) -> bytes:
    """Encode a PUBACK with reason code 0, which may be left out [3.4.2.1]."""
    return b"\x40\x02" + _U16.pack(packet_id)


def _encode_text(text: str) -> bytes:
    raw = text.encode("utf-8")
    if len(raw) > _MAXIMUM_TEXT:
        raise ValueError(f"A text of {len(raw)} bytes does not fit into MQTT: {text[:40]!r}...")
    return _U16.pack(len(raw)) + raw


def _encode_variable(value: int) -> bytes:
    encoded = bytearray()
    while True:
        value, byte = value >> 7, value & 0x7F
        encoded.append(byte | 0x80 if value else byte)
        if not value:
            return bytes(encoded)
