"""The sink `file`: structured CloudEvents, one JSON object a line, synced before acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from latchway.gateway.sinks.contract import ACCEPTED, Refused, Report, Retry
from latchway.gateway.sinks.envelope import envelope_attributes
from latchway.gateway.sinks.errors import SinkUnreachable
from latchway.gateway.sinks.file.lines import LinesFile
from latchway.schemas import EnvelopeTooLarge, structured

if TYPE_CHECKING:
    from latchway.gateway.sinks.contract import SinkEnvironment
    from latchway.gateway.sinks.file.settings import FileSinkSettings
    from latchway.outbox.model import Delivery

_RETRY_S: Final = 5.0
"""A full or failing disk is tried again after this, and then ever more seldom."""
_MEGABYTE: Final = 1024 * 1024
T = TypeVar("T")


class FileSink:
    """Appends events to a local file."""

    type = "file"

    def __init__(self, name: str, settings: FileSinkSettings, environment: SinkEnvironment) -> None:  # noqa: ARG002 - a file needs neither name nor hub
        self._settings = settings

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[FileConnection]:
        """Open the file; the thread that writes it ends with the connection."""
        settings = self._settings
        lines = LinesFile(
            settings.path,
            rotate_bytes=settings.rotate_mb * _MEGABYTE,
            keep_files=settings.keep_files,
        )
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="file sink") as thread:
            connection = FileConnection(settings.path, lines, settings.window, thread)
            try:
                await connection.in_thread(lines.open)
            except OSError as error:
                raise SinkUnreachable(_words(settings.path, error)) from error
            try:
                yield connection
            finally:
                await connection.in_thread(lines.close)


class FileConnection:
    """The open file. A batch is one write and one sync."""

    def __init__(
        self, path: Path, lines: LinesFile, window: int, thread: ThreadPoolExecutor
    ) -> None:
        self.window = window
        self._path = path
        self._lines = lines
        self._thread = thread

    async def send(self, deliveries: Sequence[Delivery], report: Report) -> None:
        """Append the events; what arrives meanwhile waits, and shares the next sync."""
        encoded: list[tuple[Delivery, bytes]] = []
        for delivery in deliveries:
            try:
                encoded.append((delivery, _line(delivery)))
            except EnvelopeTooLarge as error:
                report(delivery, Refused(str(error)))
        try:
            await self.in_thread(self._lines.append, [line for _, line in encoded])
        except OSError as error:
            answer = Retry(_RETRY_S, _words(self._path, error))
            for delivery, _ in encoded:
                report(delivery, answer)
        else:
            for delivery, _ in encoded:
                report(delivery, ACCEPTED)

    async def wait_closed(self) -> NoReturn:
        """Never return: a file does not hang up, and its errors are answers."""
        while True:
            await asyncio.get_running_loop().create_future()

    async def in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Run blocking work, one piece at a time, in the order asked for."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _line(delivery: Delivery) -> bytes:
    return structured(envelope_attributes(delivery), delivery.event.data) + b"\n"


def _words(path: Path, error: OSError) -> str:
    """Say what is wrong with the file and what to do about it."""
    reason = error.strerror or str(error)
    fixes: dict[type[OSError], str] = {
        PermissionError: f"let the gateway's user write to {path.parent}",
        BlockingIOError: "another process holds the file; give each sink a path of its own",
        NotADirectoryError: "name a path whose parent is a folder",
        IsADirectoryError: "name a file, not a folder",
    }
    fix = next(
        (fix for kind, fix in fixes.items() if isinstance(error, kind)),
        "free some space, or check the disk",
    )
    return f"{path} cannot be written ({reason}): {fix}"
