"""The operating system's side of a worker: its process, its socket, and what it prints."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from latchway.gateway.config import VendorConfig

_READ_BYTES = 4096
_LINE_LIMIT = 2000


class WorkerProcess:
    """One worker process in a session and process group of its own.

    `ended` is done with its exit status as `subprocess` counts it: negative is a signal.
    """

    def __init__(self, process: asyncio.subprocess.Process, connected: socket.socket) -> None:
        self._process = process
        self.socket = connected
        """The gateway's end of the wire."""
        self.pid = process.pid
        self.last_line = ""
        """What it printed last: usually why it ended."""

    async def wait(self) -> int:
        """Wait until the process has ended; return its exit status."""
        return await self._process.wait()

    def kill(self) -> None:
        """End it and everything that it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def read_output(self, write: Callable[[int, str], None]) -> None:
        """Pass on what it prints, line by line, until it closes its output.

        A driver's own words come over the socket; this is for what dies before it can speak.
        """
        output = self._process.stdout
        if output is None:
            return
        rest = b""
        while chunk := await output.read(_READ_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_LIMIT:
                lines.append(rest)
                rest = b""
            for line in lines:
                self._take_line(line, write)
        self._take_line(rest, write)

    def _take_line(self, line: bytes, write: Callable[[int, str], None]) -> None:
        text = line[:_LINE_LIMIT].decode("utf-8", "replace").strip()
        if text:
            self.last_line = text
            write(logging.WARNING, text)


Spawn: TypeAlias = "Callable[[VendorConfig], Awaitable[WorkerProcess]]"
"""Starts the worker of a vendor. Raises `OSError` where the system refuses."""


async def spawn(vendor: VendorConfig) -> WorkerProcess:
    """Start the worker of a vendor by exec. Raises `OSError` where the system refuses."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "latchway.drivers.worker",
                "--vendor",
                vendor.name,
                "--driver",
                vendor.driver,
                "--fd",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
    except BaseException:
        ours.close()
        raise
    return WorkerProcess(process, ours)


def words_for_exit(status: int) -> str:
    """Say in words how a process ended."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"signal {-status}"
