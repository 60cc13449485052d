"""What one worker may take of the gateway's time, over a real socket."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from types import SimpleNamespace

from latchway.drivers.contract import Quotas
from latchway.drivers.wire import Frame, Log, encode
from latchway.gateway.clock import SystemClock
from latchway.gateway.logs import WorkerLog
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


async def test_a_line_of_a_worker_names_its_logger_only_if_that_says_more_than_the_vendor(caplog):
    vendor = SimpleNamespace(name="test", quotas=Quotas())
    talk = Conversation(
        vendor, Station(None, None, SystemClock()), WorkerLog("test", time.monotonic)
    )
    with caplog.at_level(logging.INFO):
        talk._take_log(Log(logging.INFO, "latchway.vendor.test", "connected"))
        talk._take_log(Log(logging.INFO, "asyncio", "slow callback"))
    assert [(line.getMessage(), line.fields) for line in caplog.records] == [
        ("connected", {}),
        ("slow callback", {"logger": "asyncio"}),
    ]
