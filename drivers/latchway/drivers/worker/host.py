"""The worker's life: hello, config, the driver, heartbeats, stop. One event loop, one socket.

Whatever happens to the driver or the gateway ends in an `Exit`; the supervisor decides what then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
from enum import IntEnum
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from pydantic import ValidationError

from latchway.drivers.catalogue import load_vendor
from latchway.drivers.contract import VendorName
from latchway.drivers.errors import (
    GatewayLost,
    SettingsInvalid,
    StateInvalid,
    VendorInvalid,
    WireError,
)
from latchway.drivers.states import decode_state
from latchway.drivers.wire import (
    Config,
    Credit,
    Frame,
    FrameLink,
    Heartbeat,
    Hello,
    Kind,
    Stop,
    Stored,
    merge_config,
    open_link,
)
from latchway.drivers.worker.context import Assignment, Standing, WorkerContext
from latchway.drivers.worker.log import WireLogHandler
from latchway.drivers.worker.redact import redacted_message
from latchway.drivers.worker.submissions import Submissions
from latchway.schemas import DeviceId

if TYPE_CHECKING:
    import socket

    from latchway.drivers.contract import DeviceState, Vendor

_FLUSH_S = 1.0


class Exit(IntEnum):
    """Exit status of a worker. 2 is wrong usage."""

    STOPPED = 0
    DRIVER_FAILED = 1
    NOT_STARTED = 3
    """The driver does not import, or does not take its config section."""
    GATEWAY_LOST = 4
    WIRE_REFUSED = 5
    STOP_IGNORED = 6


class Ended(Exception):
    """Carries the exit status through the worker, with the words for whoever looks why."""

    def __init__(self, status: Exit, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class WorkerHost:
    """Runs one vendor's driver on a connected socket. Used once."""

    def __init__(self, vendor: VendorName, driver: str, connected: socket.socket) -> None:
        self._vendor = vendor
        self._driver = driver
        self._socket = connected
        self._log = logging.getLogger(f"latchway.vendor.{vendor}")
        loop = asyncio.get_running_loop()
        self._config: asyncio.Future[Config] = loop.create_future()
        self._stop: asyncio.Future[Stop] = loop.create_future()
        self._ended: asyncio.Future[Ended] = loop.create_future()
        self._parts: list[Config] = []
        self._link: FrameLink
        self._logs: WireLogHandler
        self._submissions = Submissions(self._transmit)

    async def run(self) -> Ended:
        """Live; return how it ended. Nothing of the driver runs any more, or it does not obey."""
        self._link = await open_link(self._socket, self._receive)
        self._link.closed.add_done_callback(self._lose_gateway)
        self._logs = WireLogHandler(self._link, asyncio.get_running_loop())
        root = logging.getLogger()
        root.addHandler(self._logs)
        root.setLevel(logging.INFO)
        life = asyncio.create_task(self._live())
        await asyncio.wait((life, self._ended), return_when=asyncio.FIRST_COMPLETED)
        ended = self._ended.result() if self._ended.done() else life.result()
        await self._flush()
        root.removeHandler(self._logs)
        self._link.abort()
        life.cancel()
        return ended

    async def _live(self) -> Ended:
        try:
            vendor = self._load()
            self._say_hello(vendor)
            config = await self._configured()
            await self._drive(vendor, self._assign(vendor, config), config.heartbeat_s)
        except Ended as ended:
            return ended
        except GatewayLost as error:
            return Ended(Exit.GATEWAY_LOST, str(error))
        return Ended(Exit.STOPPED, "asked to stop")

    def _transmit(self, encoded: bytes) -> None:
        self._link.send_bytes(encoded)

    async def _flush(self) -> None:
        self._link.finish()
        await asyncio.wait((self._link.closed,), timeout=_FLUSH_S)

    # What the gateway says

    def _receive(self, frames: list[Frame]) -> None:
        try:
            for frame in frames:
                self._handle(frame)
        except WireError as error:
            self._log.error("the gateway's frames cannot be used: %s", error)
            self._end(Exit.WIRE_REFUSED, str(error))
        except Exception as error:  # noqa: BLE001 - the boundary to code of the driver
            self._log.exception("a callback of the driver failed")
            self._end(Exit.DRIVER_FAILED, f"{type(error).__name__}: {redacted_message(error)}")

    def _handle(self, frame: Frame) -> None:
        if frame.kind == Kind.STORED:
            self._submissions.stored(Stored.from_frame(frame))
        elif frame.kind == Kind.CREDIT:
            self._submissions.grant(Credit.from_frame(frame).frames)
        elif frame.kind == Kind.CONFIG:
            self._take_config(Config.from_frame(frame))
        elif frame.kind == Kind.STOP and not self._stop.done():
            self._stop.set_result(Stop.from_frame(frame))

    def _take_config(self, part: Config) -> None:
        self._parts.append(part)
        if not part.more and not self._config.done():
            self._config.set_result(merge_config(self._parts))

    def _lose_gateway(self, closed: asyncio.Future[Exception | None]) -> None:
        error = closed.result()
        words = "the gateway closed the socket" if error is None else f"the socket failed: {error}"
        self._submissions.lose(GatewayLost(words))
        status = Exit.WIRE_REFUSED if isinstance(error, WireError) else Exit.GATEWAY_LOST
        self._end(status, words)

    def _end(self, status: Exit, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(Ended(status, reason))

    # Before the driver runs

    def _load(self) -> Vendor:
        try:
            return load_vendor(self._driver)
        except VendorInvalid as error:
            self._log.exception("the driver cannot be loaded")
            raise Ended(Exit.NOT_STARTED, redacted_message(error)) from None

    def _say_hello(self, vendor: Vendor) -> None:
        manifest = vendor.manifest
        hello = Hello(
            vendor=self._vendor,
            title=manifest.title,
            delivery_class=manifest.delivery_class,
            pid=os.getpid(),
            event_types=tuple(each.event_type for each in manifest.event_types),
            quotas=manifest.quotas,
            versions={"latchway": _own_version(), "python": platform.python_version()},
        )
        self._link.send(hello.to_frame())

    async def _configured(self) -> Config:
        await asyncio.wait((self._config, self._stop), return_when=asyncio.FIRST_COMPLETED)
        if self._stop.done():
            raise Ended(Exit.STOPPED, "asked to stop before it began")
        return self._config.result()

    def _assign(self, vendor: Vendor, config: Config) -> Assignment:
        try:
            settings = vendor.manifest.config.model_validate_json(config.settings or b"{}")
        except ValidationError as error:
            problem = SettingsInvalid(
                f"The config section of vendor {self._vendor!r} does not fit driver "
                f"{self._driver!r}: {redacted_message(error)}"
            )
            self._log.error("%s", problem)
            raise Ended(Exit.NOT_STARTED, str(problem)) from None
        return Assignment(
            vendor=self._vendor,
            config=settings,
            states=self._states(config),
            cursors={name: json.loads(raw) for name, raw in config.cursors.items()},
        )

    def _states(self, config: Config) -> dict[DeviceId, DeviceState]:
        states: dict[DeviceId, DeviceState] = {}
        for device, raw in config.states.items():
            try:
                states[DeviceId(device)] = decode_state(raw)
            except StateInvalid:
                self._log.warning("the stored state of %s cannot be read: begun anew", device)
        return states

    # While the driver runs

    async def _drive(self, vendor: Vendor, assignment: Assignment, heartbeat_s: float) -> None:
        standing = Standing(vendor.manifest.delivery_class)
        context = WorkerContext(
            assignment, self._submissions, standing, self._log, lambda: self._beat(context, 0.0)
        )
        self._standing = standing
        heart = asyncio.create_task(self._keep_beating(context, heartbeat_s))
        driver = asyncio.create_task(self._run_driver(vendor, context), name="driver")
        try:
            await asyncio.wait((driver, self._stop), return_when=asyncio.FIRST_COMPLETED)
            if self._stop.done():
                await self._finish(driver, self._stop.result().grace_s)
            else:
                driver.result()
                self._log.error("the driver ended by itself: a driver runs until it is cancelled")
                raise Ended(Exit.DRIVER_FAILED, "the driver ended by itself")
        finally:
            driver.cancel()
            heart.cancel()

    async def _run_driver(self, vendor: Vendor, context: WorkerContext) -> None:
        try:
            await vendor.driver().run(context)
        except GatewayLost:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary to code of the driver
            self._log.exception("the driver failed")
            words = f"the driver failed: {type(error).__name__}: {redacted_message(error)}"
            raise Ended(Exit.DRIVER_FAILED, words) from None

    async def _finish(self, driver: asyncio.Task[None], grace_s: float) -> None:
        driver.cancel()
        try:
            async with asyncio.timeout(grace_s):
                await asyncio.wait((driver,))
                await self._submissions.settled()
        except TimeoutError:
            if not driver.done():
                self._log.error("the driver did not stop within %g s", grace_s)
                raise Ended(Exit.STOP_IGNORED, "the driver did not stop") from None
            waiting = self._submissions.queued
            self._log.warning("stopped with %d batches not known to be stored", waiting)
        if not driver.cancelled():
            driver.result()

    async def _keep_beating(self, context: WorkerContext, interval_s: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._beat(context, max(0.0, loop.time() - due))
            due = loop.time() + interval_s
            await asyncio.sleep(interval_s)

    def _beat(self, context: WorkerContext, lag_s: float) -> None:
        standing = self._standing
        heartbeat = Heartbeat(
            delivery_class=standing.delivery_class,
            class_reason=standing.class_reason,
            degraded=standing.degraded,
            queued=self._submissions.queued,
            loop_lag_ms=round(lag_s * 1000, 3),
            counters={**context.counters(), "logs_dropped": self._logs.dropped},
        )
        try:
            self._link.send(heartbeat.to_frame())
        except GatewayLost:
            return  # `_lose_gateway` ends the worker
        except WireError:
            self._log.error("what the driver reports of itself is too long to be sent")


def _own_version() -> str:
    try:
        return version("latchway")
    except PackageNotFoundError:
        return "unknown"
