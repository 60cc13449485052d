"""Frames over a connected Unix stream socket: by callback (`FrameLink`), or awaited.

The worker and the gateway each hold one per worker. Writing is bounded by whoever sends: credit
bounds batches, `drain` waits until the transport has room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from latchway.drivers.errors import GatewayLost, WireError
from latchway.drivers.wire.frame import Frame, FrameDecoder, encode

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_QUEUED_FRAMES = 64

_READ_BYTES = 32 * 1024
"""Read at a time: what the smallest frames that fit into it cost bounds how long others wait."""


class FrameLink(asyncio.BufferedProtocol):
    """One end of the wire. `on_frames` gets the frames of each read, in order.

    `closed` is done when the connection is over: None for an orderly end, a `WireError` if the
    other end broke the rules, an `OSError` if the socket failed.
    """

    def __init__(self, on_frames: Callable[[list[Frame]], None]) -> None:
        self._on_frames = on_frames
        self._decoder = FrameDecoder()
        self._received = bytearray(_READ_BYTES)
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._error: Exception | None = None
        self.closed: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a stream socket's, whose loop ever

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - ours is as large as it is
        return self._received

    def buffer_updated(self, nbytes: int) -> None:
        try:
            frames = self._decoder.feed(bytes(self._received[:nbytes]))
        except WireError as error:
            self._error = error
            self.abort()
            return
        if frames:
            self._on_frames(frames)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        if not self.closed.done():
            self.closed.set_result(self._error or exc)

    def send(self, frame: Frame) -> None:
        """Queue a frame for sending; raises `FrameTooLarge`, and `GatewayLost` after the end."""
        self.send_bytes(encode(frame))

    def send_bytes(self, encoded: bytes) -> None:
        """Queue frames that are encoded already."""
        if self._transport is None or self._transport.is_closing():
            raise GatewayLost("The socket between worker and gateway is closed")
        self._transport.write(encoded)

    async def drain(self) -> None:
        """Wait until what was sent no longer exceeds the transport's buffer."""
        await self._writable.wait()

    def unsent(self) -> int:
        """Count the bytes that wait in this process for the other end to read."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`; the kernel then holds the sender back."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def finish(self) -> None:
        """Say that nothing more will be sent, and wait for the other end to close.

        Closing at once could cost what was sent last: an end that writes at that moment fails
        before it has read.
        """
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()

    def close(self) -> None:
        """Close once everything that was sent has left."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once; what was not sent is dropped."""
        if self._transport is not None:
            self._transport.abort()


class FrameStream:
    """A link whose frames are awaited one by one; reading pauses while 64 frames wait."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self.link = FrameLink(self._receive)
        self.link.closed.add_done_callback(lambda _: self._wake())

    async def receive(self) -> Frame | None:
        """Wait for the next frame; None once the connection is over and all frames are read.

        Raises `WireError` if the other end broke the rules.
        """
        while not self._frames:
            if self.link.closed.done():
                error = self.link.closed.result()
                if isinstance(error, WireError):
                    raise error
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._next()

    def receive_nowait(self) -> Frame | None:
        """Return a frame that is there already, else None."""
        return self._next() if self._frames else None

    def _next(self) -> Frame:
        frame = self._frames.popleft()
        if len(self._frames) == _QUEUED_FRAMES // 2:
            self.link.resume_reading()
        return frame

    def _receive(self, frames: list[Frame]) -> None:
        self._frames.extend(frames)
        if len(self._frames) >= _QUEUED_FRAMES:
            self.link.pause_reading()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
            self._waiter = None


async def open_link(
    connected: socket.socket, on_frames: Callable[[list[Frame]], None]
) -> FrameLink:
    """Attach a `FrameLink` to a connected stream socket, which it then owns."""
    connected.setblocking(False)
    loop = asyncio.get_running_loop()
    _, link = await loop.create_connection(lambda: FrameLink(on_frames), sock=connected)
    return link


async def open_stream(connected: socket.socket) -> FrameStream:
    """Attach a `FrameStream` to a connected stream socket, which it then owns."""
    connected.setblocking(False)
    stream = FrameStream()
    await asyncio.get_running_loop().create_connection(lambda: stream.link, sock=connected)
    return stream
