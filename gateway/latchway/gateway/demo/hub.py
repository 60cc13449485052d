"""The demo's hub: the gateway as `latchway run` starts it, watched through its local API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp

from latchway.gateway.api.models import ApiModel, DevicesReport, OutboxReport, StatusReport
from latchway.gateway.demo.errors import DemoFailed
from latchway.gateway.demo.processes import Process, started
from latchway.outbox import Account, Reader

VENDOR = "zigbee2mqtt"
SINK = "cloud"

_CONFIG = """\
[hub]
name = "demo"
state_dir = {state}
runtime_dir = {runtime}

[vendors.{vendor}]
mqtt = {{ host = "127.0.0.1", port = {local_port} }}

[sinks.{sink}]
type = "mqtt"
host = "127.0.0.1"
port = {cloud_port}

[[routes]]
name = "everything"
sink = "{sink}"
"""
_START = "import sys; from latchway.gateway.cli.main import main; sys.exit(main())"
_READY_S = 30.0
_STOP_S = 30.0
_POLL_S = 0.05

Report = TypeVar("Report", bound=ApiModel)


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Where the demo's hub keeps what it keeps."""

    folder: Path

    @property
    def state(self) -> Path:
        """Folder of the databases."""
        return self.folder / "state"

    @property
    def runtime(self) -> Path:
        """Folder of the local API's socket."""
        return self.folder / "run"

    @property
    def config(self) -> Path:
        """The config file."""
        return self.folder / "config.toml"

    @property
    def log(self) -> Path:
        """What the gateway logged."""
        return self.folder / "gateway.log"

    def write_config(self, *, local_port: int, cloud_port: int) -> None:
        """Write the config that mirrors the local broker's locks to the cloud's broker."""
        text = _CONFIG.format(
            state=json.dumps(str(self.state)),
            runtime=json.dumps(str(self.runtime)),
            vendor=VENDOR,
            sink=SINK,
            local_port=local_port,
            cloud_port=cloud_port,
        )
        self.config.write_text(text, encoding="utf-8")


class Hub:
    """The running gateway, as its local API shows it."""

    def __init__(self, process: Process, session: aiohttp.ClientSession) -> None:
        self._process = process
        self._session = session

    async def status(self) -> StatusReport:
        """Ask whether all is well."""
        return await self._get("/v1/status", StatusReport)

    async def outbox(self) -> OutboxReport:
        """Ask for the account as it stands."""
        return await self._get("/v1/outbox", OutboxReport)

    async def wait_for_devices(self, count: int) -> None:
        """Wait until so many locks are known. Raises `DemoFailed`."""

        async def known() -> bool:
            report = await self._get("/v1/devices", DevicesReport)
            return len(report.devices) >= count

        await self._until(known, f"{count} locks are known")

    async def wait_for_worker(self, other_than: int | None = None) -> int:
        """Wait until the worker runs, as another process than that one; return its pid."""
        found = 0

        async def running() -> bool:
            nonlocal found
            for vendor in (await self.status()).vendors:
                if vendor.state == "running" and vendor.pid not in (None, other_than):
                    found = vendor.pid or 0
            return found != 0

        await self._until(running, "the worker runs")
        return found

    async def wait_ready(self) -> None:
        """Wait until events can be stored. Raises `DemoFailed`."""

        async def ready() -> bool:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with self._session.get("/readyz") as answer:
                    return answer.ok
            return False

        await self._until(ready, "the gateway is ready")

    async def _until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(_READY_S):
                while not await condition():
                    if self._process.ended:
                        raise DemoFailed(
                            f"The gateway ended before {what}. Its last words:\n"
                            f"{self._process.last_words()}"
                        )
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise DemoFailed(
                f"Not within {_READY_S:.0f} s: {what}. The gateway's last words:\n"
                f"{self._process.last_words()}"
            ) from None

    async def _get(self, path: str, model: type[Report]) -> Report:
        async with self._session.get(path) as answer:
            return model.model_validate_json(await answer.read())

    async def stop(self) -> None:
        """Stop the gateway as systemd does. Raises `DemoFailed` if it does not end well."""
        code = await self._process.stop(_STOP_S)
        if code != 0:
            raise DemoFailed(
                f"The gateway ended with {code} when asked to stop. Its last words:\n"
                f"{self._process.last_words()}"
            )


@contextlib.asynccontextmanager
async def running(files: HubFiles) -> AsyncIterator[Hub]:
    """Run the gateway on a written config until the block is left."""
    command = (sys.executable, "-c", _START, "run", "--config", files.config)
    connector = aiohttp.UnixConnector(path=str(files.runtime / "api.sock"))
    async with (
        started(command, files.log) as process,
        aiohttp.ClientSession("http://latchway", connector=connector) as session,
    ):
        hub = Hub(process, session)
        await hub.wait_ready()
        yield hub


def kill_worker(pid: int) -> None:
    """End a worker with no chance to clean up, as a crash or the kernel would."""
    os.kill(pid, signal.SIGKILL)


async def final_account(files: HubFiles) -> Account:
    """Recount the account from the rows on disk; the gateway must have ended."""
    async with Reader.open(files.state / "outbox.db") as reader:
        return await reader.audit()
