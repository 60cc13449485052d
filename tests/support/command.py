"""Runs the `latchway` command as a process of its own, in a pipe or on a terminal of 80x24."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import sys
import termios
from dataclasses import dataclass

MODULE = "latchway.gateway.cli.main"
LIMIT_S = 30


@dataclass
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def environment(folder, **more):
    """The environment of a command that looks for the gateway in a folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "LATCHWAY_RUNTIME_DIR": str(folder), "TZ": "UTC", **more}


async def begin(folder, *args, **more):
    """Start the command in a pipe."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        MODULE,
        *args,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(folder, **more),
    )


async def latchway(folder, *args, **more):
    """Run the command in a pipe to its end."""
    process = await begin(folder, *args, **more)
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    return Ended(process.returncode, out.decode(), err.decode())


async def latchway_on_terminal(folder, *args, **more):
    """Run the command on a terminal of 80 columns and 24 lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        MODULE,
        *args,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        stderr=asyncio.subprocess.PIPE,
        env=environment(folder, TERM="xterm-256color", **more),
    )
    os.close(theirs)
    reading = asyncio.get_running_loop().run_in_executor(None, _read_to_end, ours)
    async with asyncio.timeout(LIMIT_S):
        _, err = await process.communicate()
        shown = await reading
    return Ended(process.returncode, shown.decode().replace("\r\n", "\n"), err.decode())


def _read_to_end(descriptor):
    found = b""
    try:
        while chunk := os.read(descriptor, 65536):
            found += chunk
    except OSError:  # Linux answers EIO once nobody holds the other side
        pass
    os.close(descriptor)
    return found
