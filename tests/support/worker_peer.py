"""The gateway's end of the wire for tests: starts a real worker process and talks to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from latchway.drivers.wire import (
    Batch,
    Config,
    Credit,
    Frame,
    FrameStream,
    Heartbeat,
    Hello,
    Kind,
    Log,
    Reject,
    Stop,
    Stored,
    StoredNote,
    config_frames,
    open_stream,
)

INSTALLED = Path(__file__).with_name("installed")
PATIENCE_S = 20


class WorkerPeer:
    """A worker process and everything it said. Waiting for what never comes fails the test."""

    def __init__(self, process: asyncio.subprocess.Process, stream: FrameStream) -> None:
        self.process = process
        self.stream = stream
        self.heard: list[Frame] = []
        self._passed_over: list[Frame] = []

    async def receive(
        self, wanted: Callable[[Frame], bool], *, patience_s: float = PATIENCE_S
    ) -> Frame:
        """Return the oldest frame that is wanted and was not returned before."""
        for index, frame in enumerate(self._passed_over):
            if wanted(frame):
                return self._passed_over.pop(index)
        async with asyncio.timeout(patience_s):
            while (frame := await self.stream.receive()) is not None:
                self.heard.append(frame)
                if wanted(frame):
                    return frame
                self._passed_over.append(frame)
        raise AssertionError(f"the worker closed its socket; logs: {self.logs()}")

    async def hello(self) -> Hello:
        return Hello.from_frame(await self.receive(lambda frame: frame.kind == Kind.HELLO))

    async def batch(self) -> Batch:
        return Batch.from_frame(await self.receive(lambda frame: frame.kind == Kind.BATCH))

    async def reject(self) -> Reject:
        return Reject.from_frame(await self.receive(lambda frame: frame.kind == Kind.REJECT))

    async def heartbeat(self) -> Heartbeat:
        frame = await self.receive(lambda frame: frame.kind == Kind.HEARTBEAT)
        return Heartbeat.from_frame(frame)

    async def log(self, part: str) -> Log:
        """Wait for a log record whose message contains that part."""
        frame = await self.receive(
            lambda frame: frame.kind == Kind.LOG and part in Log.from_frame(frame).message
        )
        return Log.from_frame(frame)

    def logs(self) -> list[Log]:
        return [Log.from_frame(frame) for frame in self.heard if frame.kind == Kind.LOG]

    async def rest(self) -> None:
        """Read everything until the worker closes its socket."""
        async with asyncio.timeout(PATIENCE_S):
            while (frame := await self.stream.receive()) is not None:
                self.heard.append(frame)

    async def settled_for(self, seconds: float) -> None:
        """Leave the worker to itself for a while; fails if it ends meanwhile."""
        ended = asyncio.create_task(self.process.wait())
        done, _ = await asyncio.wait((ended,), timeout=seconds)
        assert not done, "the worker ended"
        ended.cancel()

    def send(self, frame: Frame) -> None:
        self.stream.link.send(frame)

    def configure(
        self,
        settings: Mapping[str, object] | None = None,
        *,
        credit: int = 64,
        heartbeat_s: float = 0.05,
        states: Mapping[str, bytes] | None = None,
        cursors: Mapping[str, bytes] | None = None,
    ) -> None:
        config = Config(
            hub="hub-1",
            vendor="testlock",
            settings=json.dumps(settings or {}).encode(),
            states=states or {},
            cursors=cursors or {},
            heartbeat_s=heartbeat_s,
        )
        for frame in config_frames(config):
            self.send(frame)
        if credit:
            self.grant(credit)

    def grant(self, frames: int) -> None:
        self.send(Credit(frames).to_frame())

    def stored(self, through: int, *notes: StoredNote) -> None:
        self.send(Stored(through, notes).to_frame())

    def stop(self, grace_s: float = 5) -> None:
        self.send(Stop(grace_s).to_frame())

    async def exit_status(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def printed(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


@contextlib.asynccontextmanager
async def worker(driver: str = "testlock", vendor: str = "testlock") -> AsyncIterator[WorkerPeer]:
    """Start a worker as the gateway does; it is killed at the end if it still lives."""
    ours, theirs = socket.socketpair()
    descriptor = str(theirs.fileno())
    arguments = ("--vendor", vendor, "--driver", driver, "--fd", descriptor)
    path = os.pathsep.join(filter(None, (str(INSTALLED), os.environ.get("PYTHONPATH"))))
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "latchway.drivers.worker",
            *arguments,
            pass_fds=(theirs.fileno(),),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
    peer = WorkerPeer(process, await open_stream(ours))
    try:
        yield peer
    finally:
        peer.stream.link.abort()
        if process.returncode is None:
            process.kill()
        await process.wait()
        if process.stderr is not None:
            await process.stderr.read()
        await asyncio.wait((peer.stream.link.closed,))
