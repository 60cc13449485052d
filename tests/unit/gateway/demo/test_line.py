"""The line of the demo: what it lets through, and what a cut does."""

from __future__ import annotations

import asyncio

import pytest

from latchway.gateway.demo.line import Line


class Echo:
    """A server that sends back what it gets."""

    async def __aenter__(self):
        self.ended = asyncio.Event()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            while data := await reader.read(1024):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.ended.set()


async def say(port, data=b"hello"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    return reader, writer, await reader.readexactly(len(data))


async def test_a_whole_line_carries_bytes_both_ways():
    async with Echo() as echo, Line(echo.port) as line:
        _, writer, answer = await say(line.port)
        assert answer == b"hello"
        writer.close()


async def test_a_cut_ends_both_ends_of_what_is_connected():
    async with Echo() as echo, Line(echo.port) as line:
        reader, writer, _ = await say(line.port)
        await line.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        await asyncio.wait_for(echo.ended.wait(), 5)
        writer.close()


async def test_a_cut_line_refuses_new_connections_and_a_mended_one_takes_them_on_the_same_port():
    async with Echo() as echo, Line(echo.port) as line:
        port = line.port
        await line.cut()
        assert line.is_cut
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await line.mend()
        _, writer, answer = await say(port)
        assert answer == b"hello"
        writer.close()


async def test_one_end_that_goes_takes_the_other_along():
    async with Echo() as echo, Line(echo.port) as line:
        _, writer, _ = await say(line.port)
        writer.close()
        await asyncio.wait_for(echo.ended.wait(), 5)


async def test_a_line_to_nobody_closes_what_connects():
    async with Echo() as echo:
        port = echo.port
    async with Line(port) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        assert await reader.read() == b""
        writer.close()


async def test_cutting_twice_and_mending_twice_change_nothing():
    async with Echo() as echo, Line(echo.port) as line:
        await line.cut()
        await line.cut()
        await line.mend()
        await line.mend()
        _, writer, answer = await say(line.port)
        assert answer == b"hello"
        writer.close()
