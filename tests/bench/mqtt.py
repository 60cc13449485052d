"""The few packets of MQTT 5 that the bench's ends speak, at as little CPU as Python allows.

A library client costs 100 us per message: at 2,000 events/s two of them eat half of a two-core
machine, and what is measured then is the harness. Packets: OASIS MQTT 5.0, sections 2 and 3.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

PUBLISH, PUBACK = 0x30, 0x40
RECEIVE_BYTES = 256 * 1024
_PAYLOAD_FORMAT, _CONTENT_TYPE, _USER_PROPERTY, _TOPIC_ALIAS = 0x01, 0x03, 0x26, 0x23


def length(number: int) -> bytes:
    """Encode a variable byte integer."""
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(first_byte: int, body: bytes) -> bytes:
    return bytes([first_byte]) + length(len(body)) + body


def publish(topic: str, packet_id: int, payload: bytes) -> bytes:
    return packet(PUBLISH | 0x02, text(topic) + struct.pack(">HB", packet_id, 0) + payload)


def puback(packet_id: int) -> bytes:
    return struct.pack(">BBH", PUBACK, 2, packet_id)


@dataclass(frozen=True)
class Message:
    """A QoS 1 message as it came."""

    topic: str
    packet_id: int
    user: dict[str, str]
    payload: bytes


class Connection:
    """A blocking connection that speaks QoS 1."""

    def __init__(self, port: int, client_id: str) -> None:
        self._buffer = bytearray()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        properties = b"\x21" + struct.pack(">H", 0xFFFF)  # Receive Maximum
        head = text("MQTT") + b"\x05\x02" + struct.pack(">H", 600)
        body = head + length(len(properties)) + properties + text(client_id)
        self.socket.sendall(packet(0x10, body))
        first_byte, answer = self.wait_packet()
        assert first_byte == 0x20, "no CONNACK"
        assert answer[1] == 0, f"the broker refused the connection: {answer[1]:#x}"

    def subscribe(self, topic: str) -> None:
        self.socket.sendall(packet(0x82, struct.pack(">HB", 1, 0) + text(topic) + b"\x01"))
        first_byte, answer = self.wait_packet()
        assert first_byte == 0x90, "no SUBACK"
        assert answer[-1] == 1, f"the broker refused the subscription: {answer[-1]:#x}"

    def receive(self) -> bool:
        """Read what is there, waiting if there is nothing; False at the end."""
        data = self.socket.recv(RECEIVE_BYTES)
        self._buffer += data
        return bool(data)

    def packets(self) -> list[tuple[int, bytes]]:
        """Take the whole packets that were received."""
        buffer, start, found = self._buffer, 0, []
        while (end := _end_of_packet(buffer, start)) is not None:
            at, stop = end
            found.append((buffer[start], bytes(buffer[at:stop])))
            start = stop
        del buffer[:start]
        return found

    def wait_packet(self) -> tuple[int, bytes]:
        """Wait for the one packet that the broker owes us."""
        while not (found := self.packets()):
            assert self.receive(), "the broker closed the connection"
        return found[0]


def _end_of_packet(buffer: bytearray, start: int) -> tuple[int, int] | None:
    size, shift, at = 0, 0, start + 1
    while at < len(buffer):
        digit = buffer[at]
        size |= (digit & 0x7F) << shift
        at += 1
        if not digit & 0x80:
            return (at, at + size) if at + size <= len(buffer) else None
        shift += 7
    return None


def packet_id_of(body: bytes) -> int:
    """Packet id of a QoS 1 PUBLISH."""
    at = 2 + struct.unpack_from(">H", body)[0]
    identifier: int = struct.unpack_from(">H", body, at)[0]
    return identifier


def message_of(body: bytes) -> Message:
    """Parse a QoS 1 PUBLISH with the properties that our hub and the bridge use."""
    (size,) = struct.unpack_from(">H", body)
    topic, at = body[2 : 2 + size].decode(), 2 + size
    (packet_id,) = struct.unpack_from(">H", body, at)
    at += 2
    total, shift = 0, 0
    while True:
        digit = body[at]
        total |= (digit & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not digit & 0x80:
            break
    end = at + total
    user: dict[str, str] = {}
    while at < end:
        kind = body[at]
        at += 1
        if kind == _USER_PROPERTY:
            name, at = _text(body, at)
            user[name], at = _text(body, at)
        elif kind == _CONTENT_TYPE:
            _, at = _text(body, at)
        elif kind == _TOPIC_ALIAS:
            at += 2
        elif kind == _PAYLOAD_FORMAT:
            at += 1
        else:
            raise AssertionError(f"property {kind:#x} is not one that the bench knows")
    return Message(topic, packet_id, user, body[end:])


def _text(body: bytes, at: int) -> tuple[str, int]:
    (size,) = struct.unpack_from(">H", body, at)
    return body[at + 2 : at + 2 + size].decode(), at + 2 + size
