"""Streams events to one client, one JSON object a line, without ever waiting for it elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from aiohttp import web

from latchway.gateway.api.endpoints import LINES
from latchway.gateway.api.history import encoded
from latchway.gateway.api.models import StreamEnd
from latchway.gateway.api.present import event_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from latchway.gateway.routing import Pattern
    from latchway.gateway.view import EventSubscription
    from latchway.outbox import StoredEvent

LINES_AT_ONCE: Final = 100
"""Events encoded and written in one go: keeps the loop free for others."""


async def stream_events(
    request: web.Request,
    subscription: EventSubscription,
    pattern: Pattern | None,
    stall_s: float,
) -> web.StreamResponse:
    """Write events until the client goes, the gateway ends, or the client is too slow.

    Too slow is a full buffer, or nothing taken for `stall_s` while lines waited for the client.
    It then gets what was written, and a last line with the count of what it missed; where it
    takes nothing for another `stall_s`, its connection is cut.
    """
    response = web.StreamResponse(headers={"Content-Type": LINES})
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):  # the client has gone, as it may
        while events := await subscription.next_events(LINES_AT_ONCE):
            lines = b"".join(_lines(events, pattern))
            if lines and not await _write(response, lines, stall_s):
                break
        end = _last_line(subscription.abandon())
        if not await _write(response, end, stall_s) and request.transport is not None:
            request.transport.abort()
    return response


def _last_line(missed: int) -> bytes:
    if missed:
        end = StreamEnd(
            end="too_slow",
            missed=missed,
            message=f"This client read too slowly: it missed {missed} events.",
            fix="read faster or follow a narrower pattern; the missed events are in /v1/events",
        )
    else:
        end = StreamEnd(
            end="stopping",
            missed=0,
            message="The gateway is stopping.",
            fix="follow again when it runs",
        )
    return end.model_dump_json().encode() + b"\n"


async def _write(response: web.StreamResponse, lines: bytes, stall_s: float) -> bool:
    """Write and wait until the client has room again; False if it takes nothing for too long."""
    try:
        async with asyncio.timeout(stall_s):
            await response.write(lines)
    except TimeoutError:
        return False
    return True


def _lines(events: tuple[StoredEvent, ...], pattern: Pattern | None) -> Iterable[bytes]:
    for stored in events:
        document = event_document(stored)
        if pattern is None or pattern.matches(document):
            yield encoded(document) + b"\n"
