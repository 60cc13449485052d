"""The gateway's log: one line per event, `message key=value ...`, for journald or a terminal.

Call as `log.info("worker started", extra=fields(vendor="zigbee2mqtt", pid=17))`. Lines are
written by a thread behind a bounded queue, so that a blocked terminal never stops the hot path.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from latchway.gateway.bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

QUEUE_LINES = 2000
"""Lines that wait for a slow reader; beyond them lines are dropped, counted and reported."""

WORKER_LINES_PER_S = 2.0
WORKER_LINES_BURST = 100.0

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_SECRET_KEY = re.compile(r"pass(word|phrase)|secret|token|pin|credential|private|authorization")
_PLAIN_VALUE = re.compile(r"^[^\s\"=\x00-\x1f\x7f]+$")


def fields(**values: object) -> dict[str, object]:
    """Wrap an event's fields for the `extra` of a logging call."""
    return {"fields": values}


class LineFormatter(logging.Formatter):
    """Writes a record as one line; only a traceback adds lines, each indented."""

    def __init__(self, *, journald: bool) -> None:
        super().__init__()
        self._journald = journald

    def format(self, record: logging.LogRecord) -> str:
        """Return priority (journald) or time and level, then message and fields."""
        name = record.name.removeprefix("latchway.gateway.").removeprefix("latchway.")
        line = f"{name}: {_one_line(record.getMessage())}{_written(_fields(record))}"
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
            line += "".join(f"\n    {part}" for part in traceback.splitlines())
        if self._journald:
            prefix = f"<{_priority(record.levelno)}>"
            return "\n".join(prefix + part for part in line.split("\n"))
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return f"{at.removesuffix('+00:00')}Z {record.levelname:<7} {line}"


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    found: Mapping[str, object] = getattr(record, "fields", {})
    return found


def _written(values: Mapping[str, object]) -> str:
    return "".join(f" {key}={_value(key, value)}" for key, value in values.items())


def _value(key: str, value: object) -> str:
    if _SECRET_KEY.search(key):
        return "***"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if _PLAIN_VALUE.match(text) else json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)[1:-1]


def _priority(level: int) -> int:
    return next((priority for least, priority in _PRIORITIES if level >= least), 7)


class LogWriter(logging.Handler):
    """Hands lines to a thread of its own that writes them; never blocks, drops when full."""

    def __init__(self, stream: TextIO, *, journald: bool) -> None:
        super().__init__()
        self.setFormatter(LineFormatter(journald=journald))
        self._stream = stream
        self._lines: queue.Queue[str | threading.Event] = queue.Queue(QUEUE_LINES)
        self._dropped = 0
        threading.Thread(target=self._write_lines, name="log-writer", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a record that cannot be formatted must not end its task
            self.handleError(record)
            return
        if self._dropped:
            line += f"\nlogs: lines dropped because nobody read them count={self._dropped}"
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1
        else:
            self._dropped = 0

    def flush(self, timeout_s: float = 1.0) -> None:
        """Wait until what is queued has been written, but no longer than that."""
        written = threading.Event()
        try:
            self._lines.put(written, timeout=timeout_s)
        except queue.Full:
            return
        written.wait(timeout_s)

    def _write_lines(self) -> None:
        while True:
            line = self._lines.get()
            try:
                if isinstance(line, threading.Event):
                    self._stream.flush()
                    line.set()
                else:
                    self._stream.write(line + "\n")
                    if self._lines.empty():
                        self._stream.flush()
            except (OSError, ValueError):
                continue  # nobody listens; the next line may find somebody


def configure(level: str, stream: TextIO | None = None) -> LogWriter:
    """Send the log of the whole process to `stream` (standard error); return its writer."""
    writer = LogWriter(stream or sys.stderr, journald="JOURNAL_STREAM" in os.environ)
    root = logging.getLogger()
    root.handlers[:] = [writer]
    root.setLevel(logging.WARNING)
    logging.getLogger("latchway").setLevel(level.upper())
    return writer


class WorkerLog:
    """What one vendor may write to the log: a budget, and a count of what went beyond it."""

    def __init__(self, vendor: str, monotonic: Callable[[], float]) -> None:
        self._log = logging.getLogger(f"latchway.worker.{vendor}")
        self._monotonic = monotonic
        self._budget = TokenBucket(WORKER_LINES_PER_S, WORKER_LINES_BURST, monotonic())
        self._withheld = 0

    def write(self, level: int, message: str, **values: object) -> None:
        """Write a line of the worker, or count it if the vendor's budget is used up."""
        if not self._log.isEnabledFor(level):
            return
        if not self._budget.take(self._monotonic()):
            self._withheld += 1
            return
        if self._withheld:
            self._log.warning("lines withheld", extra=fields(count=self._withheld))
            self._withheld = 0
        self._log.log(level, "%s", message, extra=fields(**values))
