"""A whole gateway inside the test's own process, with real workers, databases and sinks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.gateway.config import Config, parse
from latchway.gateway.core import CoreOptions
from latchway.gateway.daemon import Daemon, DaemonOptions
from latchway.gateway.supervisor import RestartPolicy, Timing
from latchway.outbox import Reader
from support import vendors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from latchway.gateway.view import VendorStatus
    from latchway.outbox import Account

WITHIN_S = 20.0
QUICK = Timing(heartbeat_s=0.1, missed=5, hello_s=10.0)
IMPATIENT = RestartPolicy(first_ceiling_s=0.02, highest_ceiling_s=0.02)


def config_of(folder: Path, *sections: str, grace_s: float = 5.0) -> Config:
    """Read a config with its folders in `folder`, a file sink, and the given sections."""
    text = "\n".join(
        (
            "[hub]",
            f'state_dir = "{folder}/state"',
            f'runtime_dir = "{folder}/run"',
            "[stop]",
            f"grace_s = {grace_s}",
            "[sinks.disk]",
            'type = "file"',
            f'path = "{folder}/events.jsonl"',
            *sections,
        )
    )
    return parse(text, str(folder / "config.toml"), vendors.load_vendor)


@dataclass
class RunningGateway:
    """The daemon, and what a test asks of it."""

    daemon: Daemon
    folder: Path

    def vendor(self, name: str = "test") -> VendorStatus:
        return next(status for status in self.daemon.view().vendors() if status.vendor == name)

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Wait until a condition holds; there is nobody who could tell of it."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while not condition():  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {WITHIN_S} s: {what}\n{self.events()}") from None

    async def until_sent(self, event_type: str, count: int = 1) -> None:
        await self.until(lambda: len(self.events(event_type)) >= count, event_type)

    def events(self, event_type: str = "") -> list[dict]:
        """What arrived in the file sink, of one type by its short name such as `hub.started`."""
        return sent(self.folder, event_type)

    def kill_worker(self, number: int = signal.SIGKILL) -> int:
        pid = self.vendor().pid
        assert pid is not None
        os.kill(pid, number)
        return pid


def sent(folder: Path, event_type: str = "") -> list[dict]:
    path = folder / "events.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    events = [json.loads(line) for line in lines if line.endswith("}")]
    wanted = f"io.latchway.{event_type}.v1"
    return [event for event in events if not event_type or event["type"] == wanted]


async def account(folder: Path) -> Account:
    async with Reader.open(folder / "state" / "outbox.db") as reader:
        found = await reader.audit()
        assert await reader.account() == found
        return found


@contextlib.asynccontextmanager
async def gateway(
    config: Config, folder: Path, core: CoreOptions | None = None
) -> AsyncIterator[RunningGateway]:
    """Run a gateway; leaving stops it with grace and hands on whatever failed in it."""
    core = core or CoreOptions(timing=QUICK, policy=IMPATIENT)
    daemon = Daemon(config, DaemonOptions(core=core))
    running = asyncio.create_task(daemon.run())
    ready = asyncio.create_task(daemon.ready.wait())
    try:
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        yield RunningGateway(daemon, folder)
        daemon.stop("the test is over")
        async with asyncio.timeout(WITHIN_S):
            await running
    finally:
        ready.cancel()
        running.cancel()
        await asyncio.wait({running, ready})
