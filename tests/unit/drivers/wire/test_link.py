"""The socket between gateway and worker."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from latchway.drivers.errors import FrameTooLarge, GatewayLost
from latchway.drivers.testing import settle
from latchway.drivers.wire import Credit, Frame, FrameStream, Kind, open_link, open_stream


@contextlib.asynccontextmanager
async def two_ends() -> AsyncIterator[tuple[FrameStream, FrameStream]]:
    one, other = socket.socketpair()
    ends = await open_stream(one), await open_stream(other)
    try:
        yield ends
    finally:
        for end in ends:
            end.link.abort()
            await end.link.closed


async def test_frames_pass_both_ways_in_order() -> None:
    async with two_ends() as (one, other):
        for number in range(300):
            one.link.send(Credit(number).to_frame())
            other.link.send(Credit(-number).to_frame())
        assert [Credit.from_frame(await other.receive()).frames for _ in range(300)] == list(
            range(300)
        )
        assert [Credit.from_frame(await one.receive()).frames for _ in range(300)] == [
            -number for number in range(300)
        ]


async def test_what_was_sent_before_the_end_still_arrives() -> None:
    async with two_ends() as (one, other):
        one.link.send(Frame(Kind.LOG, {"message": "last words"}))
        one.link.close()
        frame = await other.receive()
        assert frame is not None
        assert await other.receive() is None
        assert await one.link.closed is None


async def test_whoever_breaks_the_rules_is_cut_off() -> None:
    one, other = socket.socketpair()
    stream = await open_stream(one)
    other.sendall(struct.pack(">I", 2**31))
    with pytest.raises(FrameTooLarge):
        await stream.receive()
    assert isinstance(await stream.link.closed, FrameTooLarge)
    other.close()


async def test_sending_after_the_end_is_an_error() -> None:
    async with two_ends() as (one, other):
        other.link.abort()
        await one.link.closed
        with pytest.raises(GatewayLost):
            one.link.send(Frame(Kind.LOG))


async def test_a_reader_that_does_not_read_holds_the_sender_back() -> None:
    async with two_ends() as (one, _):
        sent = 0
        waiting = asyncio.create_task(asyncio.Event().wait())
        while waiting is not None and not one.link.unsent():
            one.link.send(Frame(Kind.BATCH, {}, b"x" * 60_000))
            sent += 1
            await settle(5)
            assert sent < 1000
        waiting.cancel()
        drained = asyncio.create_task(one.link.drain())
        while not drained.done() and one.link.unsent() < 200_000:
            one.link.send(Frame(Kind.BATCH, {}, b"x" * 60_000))
            await settle(5)
            drained = asyncio.create_task(one.link.drain())
            await settle(5)
        assert not drained.done()
        drained.cancel()


async def test_a_paused_link_reads_nothing_until_resumed() -> None:
    one, other = socket.socketpair()
    received: list[Frame] = []
    link = await open_link(one, received.extend)
    peer = await open_stream(other)
    link.pause_reading()
    peer.link.send(Frame(Kind.STOP, {"grace_s": 1}))
    await settle()
    assert received == []
    link.resume_reading()
    while not received:
        await settle(1)
    for end in (link, peer.link):
        end.abort()
        await end.closed
