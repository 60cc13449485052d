"""One method per endpoint of the local API: reads the view, answers with a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from latchway.gateway.api import openapi
from latchway.gateway.api.endpoints import EventsQuery, RejectedQuery, read_pattern
from latchway.gateway.api.errors import RequestRefused
from latchway.gateway.api.follow import stream_events
from latchway.gateway.api.history import history_page
from latchway.gateway.api.models import HealthReport, ReadyReport
from latchway.gateway.api.present import (
    devices_report,
    outbox_report,
    rejected_report,
    status_report,
)
from latchway.gateway.metrics import CONTENT_TYPE, exposition
from latchway.gateway.routing import Pattern, PatternInvalid, compile_pattern
from latchway.gateway.routing.errors import spelled
from latchway.gateway.view import take_snapshot

if TYPE_CHECKING:
    from pydantic import BaseModel

    from latchway.gateway.api.endpoints import Query
    from latchway.gateway.view import GatewayView


class Handlers:
    """Answers from one view. `stall_s` bounds how long a follower may take nothing."""

    def __init__(self, view: GatewayView, *, stall_s: float) -> None:
        self._view = view
        self._stall_s = stall_s

    async def status(self, _request: web.Request, _query: Query) -> web.StreamResponse:
        """Say whether all is well."""
        return _json(status_report(await take_snapshot(self._view)))

    async def devices(self, _request: web.Request, _query: Query) -> web.StreamResponse:
        """Show all locks as last stored."""
        return _json(devices_report(await self._view.devices()))

    async def events(self, request: web.Request, query: Query) -> web.StreamResponse:
        """Show stored events, newest first, or stream them as they are stored."""
        assert isinstance(query, EventsQuery)  # noqa: S101 - the endpoint table says so
        pattern = _compiled(query.pattern)
        if not query.follow:
            page = await history_page(self._view, query, pattern)
            return web.Response(body=page, content_type="application/json")
        with self._view.follow() as subscription:
            return await stream_events(request, subscription, pattern, self._stall_s)

    async def outbox(self, _request: web.Request, _query: Query) -> web.StreamResponse:
        """Show the account and the size of the outbox."""
        return _json(outbox_report(await self._view.account(), await self._view.outbox_size()))

    async def rejected(self, _request: web.Request, query: Query) -> web.StreamResponse:
        """Show inputs that did not fit."""
        assert isinstance(query, RejectedQuery)  # noqa: S101 - the endpoint table says so
        return _json(rejected_report(await self._view.rejected(query.limit, query.vendor)))

    async def metrics(self, _request: web.Request, _query: Query) -> web.StreamResponse:
        """Answer Prometheus."""
        body = exposition(await take_snapshot(self._view))
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def healthz(self, _request: web.Request, _query: Query) -> web.StreamResponse:
        """Answer: that is all it shows."""
        return _json(HealthReport())

    async def readyz(self, _request: web.Request, _query: Query) -> web.StreamResponse:
        """Say whether events can be stored now."""
        readiness = self._view.readiness()
        report = ReadyReport(
            ready=readiness.ready,
            outbox_open=readiness.outbox_open,
            writer_running=readiness.writer_running,
        )
        return _json(report, status=200 if readiness.ready else 503)

    async def openapi(self, _request: web.Request, _query: Query) -> web.StreamResponse:
        """Describe this API."""
        return web.Response(text=openapi.text(), content_type="application/json")


def _compiled(text: str | None) -> Pattern | None:
    if text is None:
        return None
    try:
        return compile_pattern(read_pattern(text))
    except PatternInvalid as error:
        message = f"pattern: {spelled(error.place)}: {error.problem}"
        raise RequestRefused(400, "pattern_invalid", message, error.fix) from None
    except ValueError as error:
        fix = """write JSON, such as {"type":[{"prefix":"io.latchway.lock."}]}"""
        raise RequestRefused(400, "pattern_invalid", f"pattern: {error}", fix) from None


def _json(report: BaseModel, *, status: int = 200) -> web.Response:
    return web.Response(
        text=report.model_dump_json(by_alias=True), status=status, content_type="application/json"
    )
