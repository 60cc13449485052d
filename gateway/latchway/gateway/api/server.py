"""Serves the local API on `<runtime_dir>/api.sock`: routing, errors as JSON, who asked.

The daemon's wiring enters `serve` once the outbox is open; leaving it ends every client.
"""

from __future__ import annotations

import contextlib
import difflib
import socket
import struct
from typing import TYPE_CHECKING, Final

from aiohttp import web
from pydantic import ValidationError

from latchway.gateway.api.endpoints import ENDPOINTS, Endpoint
from latchway.gateway.api.errors import RequestRefused
from latchway.gateway.api.handlers import Handlers
from latchway.gateway.api.listener import listening_socket
from latchway.gateway.api.models import ErrorReport
from latchway.gateway.errors import GatewayError
from latchway.gateway.logs import fields
from latchway.gateway.view import TooManyFollowers

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from latchway.gateway.view import GatewayView

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STALL_S: Final = 30.0
SHUTDOWN_S: Final = 1.0
QUERY_LIMIT: Final = 32_768
"""Longest request line: room for the longest pattern, percent-encoded."""

_UCRED: Final = struct.Struct("3i")
"""`struct ucred` of SO_PEERCRED (unix(7)): pid, uid, gid."""


@contextlib.asynccontextmanager
async def serve(
    view: GatewayView, runtime_dir: Path, log: logging.Logger, *, stall_s: float = STALL_S
) -> AsyncIterator[Path]:
    """Serve until left; yields the socket's path.

    Raises `SocketInUse` where another process answers there, `SocketUnusable` where no socket
    can be made.
    """
    runner = web.AppRunner(
        _application(view, log, stall_s),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN_S,
        max_line_size=QUERY_LIMIT,
    )
    with listening_socket(runtime_dir, log) as (listener, path):
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield path
        finally:
            await runner.cleanup()


def _application(view: GatewayView, log: logging.Logger, stall_s: float) -> web.Application:
    application = web.Application(middlewares=[_peers_logged(log), _errors_answered(log)])
    handlers = Handlers(view, stall_s=stall_s)
    for endpoint in ENDPOINTS:
        handler = _with_query(endpoint, getattr(handlers, endpoint.name))
        application.router.add_get(endpoint.path, handler, allow_head=False)
    return application


def _with_query(
    endpoint: Endpoint, handler: Callable[..., Awaitable[web.StreamResponse]]
) -> Handler:
    async def validated(request: web.Request) -> web.StreamResponse:
        try:
            query = endpoint.query.model_validate(dict(request.query))
        except ValidationError as error:
            raise _bad_parameter(endpoint, error) from None
        return await handler(request, query)

    return validated


def _bad_parameter(endpoint: Endpoint, error: ValidationError) -> RequestRefused:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    known = list(endpoint.query.model_fields)
    if first["type"] == "extra_forbidden":
        problem = f"{endpoint.path} has no parameter {name!r}"
        fix = _nearest(name, known) or f"use one of: {', '.join(known) or 'none'}"
    else:
        problem = f"parameter {name}: {first['msg']}"
        fix = "see /openapi.json for the values that it takes"
    return RequestRefused(400, "bad_parameter", problem, fix)


def _peers_logged(log: logging.Logger) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Log who asks: each user once at info, each request at debug."""
    seen: set[int] = set()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        pid, uid = _peer(request)
        if uid not in seen:
            seen.add(uid)
            log.info("a user asks the local API for the first time", extra=fields(uid=uid, pid=pid))
        asked = fields(method=request.method, path=request.path, uid=uid, pid=pid)
        log.debug("asked", extra=asked)
        return await handler(request)

    return middleware


def _peer(request: web.Request) -> tuple[int, int]:
    """Return process id and user id of the other side; -1 where it is gone already."""
    peer = request.transport.get_extra_info("socket") if request.transport else None
    if peer is None:
        return -1, -1
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _gid = _UCRED.unpack(raw)
    return pid, uid


def _errors_answered(log: logging.Logger) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Answer every error as JSON; one that nobody foresaw is logged and ends only its request."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (GatewayError, web.HTTPException) as error:
            return _answer(_refusal(request.path, error))
        except Exception:  # one request fails, the gateway goes on
            log.exception("a request failed", extra=fields(path=request.path))
            fix = "report it: journalctl -u latchway has the details"
            return _answer(RequestRefused(500, "internal", "the gateway failed to answer", fix))

    return middleware


def _refusal(path: str, error: GatewayError | web.HTTPException) -> RequestRefused:
    """Say in our words why a request was not answered."""
    match error:
        case RequestRefused():
            return error
        case TooManyFollowers():
            return RequestRefused(503, "too_many_followers", str(error), "end another follower")
        case web.HTTPNotFound():
            paths = [endpoint.path for endpoint in ENDPOINTS]
            fix = _nearest(path, paths) or f"use one of: {', '.join(paths)}"
            return RequestRefused(404, "not_found", f"there is no {path}", fix)
        case web.HTTPMethodNotAllowed():
            message = f"{path} cannot {error.method}"
            return RequestRefused(405, "method_not_allowed", message, "use GET")
        case web.HTTPException():
            return RequestRefused(error.status, "http", error.reason, "see /openapi.json")
    fix = "try again; if it lasts, journalctl -u latchway names the cause"
    return RequestRefused(503, "unavailable", str(error), fix)


def _answer(refusal: RequestRefused) -> web.Response:
    report = ErrorReport(code=refusal.code, message=refusal.message, fix=refusal.fix)
    return web.Response(
        text=report.model_dump_json(), status=refusal.status, content_type="application/json"
    )


def _nearest(word: str, words: list[str]) -> str | None:
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else None
