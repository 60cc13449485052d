"""A TCP line that can be cut: how the demo takes the cloud away without touching the broker."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_HOST = "127.0.0.1"
_CHUNK = 64 * 1024


class Line:
    """Forwards connections on `port` to `target_port`, both on this machine, while it is whole.

    A cut resets what is connected and refuses what is new, as a router without its uplink does.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def is_cut(self) -> bool:
        """Whether nothing gets through now."""
        return self._server is None

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.cut()

    async def mend(self) -> None:
        """Let connections through, on the same port as before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, _HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Reset every connection, and refuse new ones until `mend`."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in tuple(self._ends):
            end.transport.abort()
        pumps = tuple(self._pumps)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the server calls us in a task of its own
        self._pumps.add(task)
        self._ends.add(writer)
        try:
            if not self.is_cut:
                await self._forward(reader, writer)
        except asyncio.CancelledError:
            if not self.is_cut:
                raise
        finally:
            self._pumps.discard(task)
            self._end(writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(_HOST, self._target_port)
        except OSError:
            return
        self._ends.add(far_writer)
        back = asyncio.create_task(_pump(far_reader, writer))
        try:
            await _pump(reader, far_writer)
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            self._end(far_writer)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self._ends.discard(writer)
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until either side is done, then close the other."""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
