"""A connected socket read and written by the event loop, plain or TLS.

Bytes that are written during one turn of the loop leave together. Used by `MqttClient` alone.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

_READ_SIZE = 32 * 1024
"""Bytes of one read: some 60 messages, so that one wake-up stays below 5 ms."""
_WRITE_SIZE = 64 * 1024
_HIGH_WATER = 512 * 1024
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SocketStream:
    """Calls `on_data` with what arrives and `on_lost` once when the socket fails or ends."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_data: Callable[[bytes], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._on_data = on_data
        self._on_lost = on_lost
        self._socket: socket | None = None
        self._descriptor = -1
        self._out = bytearray()
        self._flush_is_due = False
        self._writing = False
        self._room: asyncio.Event = asyncio.Event()
        self._room.set()

    def attach(self, connected: socket) -> None:
        """Begin to read, and send what was written so far. The socket must not block."""
        self._socket = connected
        self._descriptor = connected.fileno()
        self._loop.add_reader(self._descriptor, self._readable)
        self._flush()

    def detach(self) -> None:
        """Let go of the socket, without closing it. What was not sent is dropped."""
        if self._socket is None:
            return
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._socket = None
        self._room.set()

    def pause(self) -> None:
        """Read no more until `resume`."""
        if self._socket is not None:
            self._loop.remove_reader(self._descriptor)

    def resume(self) -> None:
        """Read again."""
        if self._socket is not None:
            self._loop.add_reader(self._descriptor, self._readable)
            # What TLS has decrypted already does not wake the loop.
            self._loop.call_soon(self._readable)

    def write(self, data: bytes) -> None:
        """Queue bytes. Before `attach` this may be called from another thread."""
        self._out += data
        if len(self._out) > _HIGH_WATER:
            self._room.clear()
        if self._socket is not None and not self._flush_is_due and not self._writing:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    async def room(self) -> None:
        """Wait until few enough bytes are unsent, or the socket is gone."""
        if not self._room.is_set():
            await self._room.wait()

    async def sent(self) -> None:
        """Wait until everything written has left this process, or the socket is gone."""
        self._flush()
        while self._out and self._socket is not None:
            self._room.clear()
            await self._room.wait()

    def _readable(self) -> None:
        connected = self._socket
        if connected is None:
            return
        try:
            data = connected.recv(_READ_SIZE)
        except _NOT_NOW:
            return
        except OSError as error:
            self._on_lost(f"reading failed: {error}")
            return
        if not data:
            self._on_lost("the broker closed the connection")
            return
        self._on_data(data)
        if (
            isinstance(connected, ssl.SSLSocket)
            and self._socket is not None
            and connected.pending()
        ):
            self._loop.call_soon(self._readable)

    def _flush(self) -> None:
        self._flush_is_due = False
        connected, out = self._socket, self._out
        if connected is None or not out:
            return
        try:
            with memoryview(out) as view:
                sent = connected.send(view[:_WRITE_SIZE])
        except _NOT_NOW:
            sent = 0
        except OSError as error:
            self._on_lost(f"writing failed: {error}")
            return
        del out[:sent]
        if out and not self._writing:
            self._writing = True
            self._loop.add_writer(self._descriptor, self._flush)
        elif not out and self._writing:
            self._writing = False
            self._loop.remove_writer(self._descriptor)
        if len(out) <= _HIGH_WATER // 2:
            self._room.set()
