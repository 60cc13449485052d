"""Answers one page of the history, read and encoded piece by piece so that the loop stays free."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from latchway.gateway.api.present import event_document

if TYPE_CHECKING:
    from latchway.gateway.api.endpoints import EventsQuery
    from latchway.gateway.routing import Pattern
    from latchway.gateway.view import GatewayView

READ_AT_ONCE: Final = 100
SCAN_LIMIT: Final = 20_000
"""Events looked at for one answer with a pattern; `next` says where to go on."""
PAGE_BYTES: Final = 4 * 1024 * 1024
"""An answer that grew beyond this ends; `next` says where to go on."""


async def history_page(view: GatewayView, query: EventsQuery, pattern: Pattern | None) -> bytes:
    """Return an `EventsReport` as JSON: the newest events that match, at most `query.limit`."""
    found: list[bytes] = []
    before = query.before
    looked_at = size = 0
    while looked_at < SCAN_LIMIT:
        at_once = READ_AT_ONCE if pattern else min(READ_AT_ONCE, query.limit - len(found))
        page = await view.events(at_once, before)
        for stored in page:
            before = stored.sequence
            document = event_document(stored)
            if pattern is None or pattern.matches(document):
                found.append(encoded(document))
                size += len(found[-1])
                if len(found) == query.limit or size > PAGE_BYTES:
                    return _page(found, before)
        if len(page) < at_once:
            return _page(found, None)
        looked_at += len(page)
    return _page(found, before)


def encoded(document: dict[str, Any]) -> bytes:
    """Return an event as compact JSON."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _page(events: list[bytes], following: str | None) -> bytes:
    return b'{"events":[%b],"next":%b}' % (b",".join(events), json.dumps(following).encode())
