"""Processes of the demo: each in a session of its own, ended with it, its output in a file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

_GRACE_S = 5.0
_LAST_LINES = 12


class Process:
    """A running child whose stdin stays open as long as we live."""

    def __init__(self, child: asyncio.subprocess.Process, output: Path) -> None:
        self._child = child
        self._output = output

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self._child.returncode is not None

    def last_words(self) -> str:
        """Return the end of what it wrote, for an error message."""
        lines = self._output.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])

    async def stop(self, grace_s: float) -> int:
        """Ask it to end, kill it after the grace; return its exit code."""
        if self._child.returncode is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_s):
                return await self._child.wait()
        except TimeoutError:
            self._child.kill()
            return await self._child.wait()


@contextlib.asynccontextmanager
async def started(
    command: Sequence[str | Path], output: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """Run a command until the block is left; a terminal's Ctrl-C does not reach it."""
    with output.open("ab") as file:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    process = Process(child, output)
    try:
        yield process
    finally:
        await process.stop(_GRACE_S)
