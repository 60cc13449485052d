"""Log records of the worker travel to the gateway, which alone writes logs."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from latchway.drivers.errors import GatewayLost, WireError
from latchway.drivers.wire import Log
from latchway.drivers.worker.redact import redacted_traceback

if TYPE_CHECKING:
    import asyncio

    from latchway.drivers.wire import FrameLink

_MAXIMUM_TEXT = 8 * 1024
_MAXIMUM_UNSENT = 128 * 1024
"""Bytes that may wait for the gateway to read before records are dropped, and counted."""


class WireLogHandler(logging.Handler):
    """Sends each record as a frame. Never blocks and never raises; what it drops it counts."""

    def __init__(self, link: FrameLink, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._link = link
        self._loop = loop
        self._thread = threading.get_ident()
        self._unreported = 0
        self.dropped = 0
        """Records lost since the start."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log = _to_message(record)
            if threading.get_ident() == self._thread:
                self._send(log)
            else:
                self._loop.call_soon_threadsafe(self._send, log)
        except Exception:  # noqa: BLE001 - a bad record must not hurt the driver
            self._drop()

    def _send(self, log: Log) -> None:
        if self._link.unsent() > _MAXIMUM_UNSENT:
            self._drop()
            return
        try:
            self._link.send(replace(log, dropped=self._unreported).to_frame())
        except (GatewayLost, WireError):
            self._drop()
        else:
            self._unreported = 0

    def _drop(self) -> None:
        self.dropped += 1
        self._unreported += 1


def _to_message(record: logging.LogRecord) -> Log:
    error = record.exc_info[1] if record.exc_info else None
    return Log(
        level=record.levelno,
        logger=record.name,
        message=_cut(record.getMessage()),
        traceback=None if error is None else _cut(redacted_traceback(error)),
    )


def _cut(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= _MAXIMUM_TEXT else clean[:_MAXIMUM_TEXT] + "..."
