"""What one worker may take of the gateway's time, over a real socket."""

from __future__ import annotations

import asyncio
import socket
import time
from types import SimpleNamespace

from latchway.drivers.contract import Quotas
from latchway.drivers.wire import Frame, encode
from latchway.gateway.clock import SystemClock
from latchway.gateway.supervisor.conversation import Conversation, Station

SMALLEST = encode(Frame(200, {}))


async def test_a_flood_of_small_frames_is_read_no_faster_than_is_good_for_the_others():
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    vendor = SimpleNamespace(name="test", quotas=Quotas())
    talk = Conversation(vendor, Station(None, None, SystemClock()), None)
    closed = await talk.open(SimpleNamespace(socket=ours))

    sent, rest = 0, b""
    until = time.monotonic() + 0.6
    while time.monotonic() < until:
        rest = rest or SMALLEST * 1000
        try:
            count = peer.send(rest)
        except BlockingIOError:
            await asyncio.sleep(0.001)
        else:
            sent, rest = sent + count, rest[count:]

    assert sent < 600_000  # the kernel's buffers, and one read
    assert not closed.done()
    talk.close()
    peer.close()
