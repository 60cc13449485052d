"""A peer on loopback that speaks exactly the bytes that a test gives it, for what no good broker
would send."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

CONNACK = bytes.fromhex("2003000000")
"""Success, no session, no properties."""


def connack(*, reason: int = 0, session: bool = False, properties: bytes = b"") -> bytes:
    body = bytes((session, reason, len(properties))) + properties
    return bytes((0x20, len(body))) + body


def publish_packet(
    topic: bytes,
    payload: bytes = b"x",
    *,
    packet_id: int = 0,
    properties: bytes = b"",
    duplicate: bool = False,
) -> bytes:
    """A PUBLISH, at QoS 1 if it has a packet id; below 128 bytes."""
    body = struct.pack(">H", len(topic)) + topic
    if packet_id:
        body += struct.pack(">H", packet_id)
    body += bytes((len(properties),)) + properties + payload
    assert len(body) < 128
    return bytes((0x30 | (2 if packet_id else 0) | (8 if duplicate else 0), len(body))) + body


def puback(packet_id: int, *more: int) -> bytes:
    return bytes((0x40, 2 + len(more))) + struct.pack(">H", packet_id) + bytes(more)


class ScriptedBroker:
    """Answers CONNECT with `greeting`; then a test sends and reads bytes itself."""

    def __init__(self, greeting: bytes = CONNACK) -> None:
        self.greeting = greeting
        self.port = 0
        self.connected = asyncio.Event()
        self.connect_packet = b""
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.connect_packet = await self.packet()
        writer.write(self.greeting)
        self.connected.set()

    async def packet(self) -> bytes:
        """Read one packet from the client; below 128 bytes, or with a two-byte length."""
        async with asyncio.timeout(5):
            head = await self._reader.readexactly(2)
            length = head[1]
            if length & 0x80:
                more = await self._reader.readexactly(1)
                head += more
                length = length & 0x7F | more[0] << 7
            return head + await self._reader.readexactly(length)

    def send(self, *packets: bytes) -> None:
        assert self._writer is not None
        self._writer.write(b"".join(packets))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


@contextlib.asynccontextmanager
async def scripted_broker(greeting: bytes = CONNACK) -> AsyncIterator[ScriptedBroker]:
    broker = ScriptedBroker(greeting)
    server = await asyncio.start_server(broker._serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        broker.close()
        server.close()
        await server.wait_closed()
