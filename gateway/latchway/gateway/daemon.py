"""The gateway's wiring and its life: start, stop with grace, end hard.

`run` is what `latchway run` calls. It never returns: however the gateway ends, the log is flushed
and the process is gone, because a database thread that hangs must not keep it half alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import uuid
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NoReturn

from latchway.gateway import logs
from latchway.gateway.api.feed import EventFeed
from latchway.gateway.api.lag import LoopLag
from latchway.gateway.api.live import LiveView
from latchway.gateway.api.server import serve
from latchway.gateway.clock import ClockWatch, SystemClock, boot_id
from latchway.gateway.config import load
from latchway.gateway.core import Core, CoreOptions, CoreParts, open_core
from latchway.gateway.delivery import BacklogUnreadable
from latchway.gateway.devices import device_statuses
from latchway.gateway.errors import GatewayStopping, OperatorError, OutboxUnusable
from latchway.gateway.hard_end import EXIT_FAILED, HardEnd
from latchway.gateway.logs import fields
from latchway.gateway.registry import Registry
from latchway.gateway.routing import RouteTable
from latchway.gateway.view import HubStatus, OutboxUnreadable, Readiness
from latchway.outbox import OutboxBusy, OutboxError, OutboxFailed

if TYPE_CHECKING:
    from latchway.drivers.contract import Clock
    from latchway.gateway.config import Config
    from latchway.gateway.view import DeviceStatus, SinkStatus, VendorStatus
    from latchway.outbox import Batch, Reader
    from latchway.schemas import EventData

_LOG = logging.getLogger(__name__)

EXIT_DONE = 0

REOPEN_CEILING_S = 60.0
NAMES_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """What tests and the demo set otherwise."""

    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=lambda: Random(os.urandom(16)))  # noqa: S311 - jitter
    random_bytes: Callable[[int], bytes] = os.urandom
    core: CoreOptions | None = None
    on_fatal: Callable[[], None] = lambda: None


class Daemon:
    """The gateway. `run` works until `stop` is called."""

    def __init__(self, config: Config, options: DaemonOptions | None = None) -> None:
        self._config = config
        self._options = options or DaemonOptions()
        self._clock = self._options.clock
        self._stop = asyncio.Event()
        self._stop_reason = ""
        self._boot_id = boot_id()
        self._started_at = self._clock.now()
        self._began = self._clock.monotonic()
        self._feed = EventFeed()
        self._lag = LoopLag(self._clock.monotonic)
        self._clock_watch = ClockWatch(self._clock, self._boot_id, self._say)
        self._names: dict[str, dict[str, bytes | None]] = {}
        self._names_waiting = asyncio.Event()
        self._registry: Registry | None = None
        self._core: Core | None = None
        self._notice = ""
        self.ready = asyncio.Event()
        """Set once events can be stored."""

    def stop(self, reason: str) -> None:
        """Ask for a graceful end; `run` returns when it is done."""
        if not self._stop.is_set():
            _LOG.info("stopping", extra=fields(reason=reason))
        self._stop_reason = self._stop_reason or reason
        self._stop.set()

    async def run(self) -> None:
        """Run the gateway. Raises `OperatorError`, or a group of what went wrong in its tasks."""
        state_dir = self._config.hub.state_dir
        _make_folder(state_dir)
        _LOG.info(
            "starting",
            extra=fields(version=version("latchway"), config=self._config.source, pid=os.getpid()),
        )
        async with Registry.open(
            state_dir / "registry.db", now=self._clock.now, new_id=lambda: str(uuid.uuid4())
        ) as registry:
            self._registry = registry
            async with asyncio.TaskGroup() as tasks:
                helpers = [
                    tasks.create_task(self._watched(work(), name), name=name)
                    for name, work in (
                        ("loop lag", self._lag.run),
                        ("clock watch", self._clock_watch.run),
                        ("device names", self._note_names),
                    )
                ]
                await self._watched(self._run_cores(registry), "gateway")
                for helper in helpers:
                    helper.cancel()

    async def _run_cores(self, registry: Registry) -> None:
        """Run one core after another, until one ended because we stop."""
        ceiling_s = 0.5
        async with contextlib.AsyncExitStack() as api:
            while not self._stop.is_set():
                ready_before = self.ready.is_set()
                began = self._clock.monotonic()
                try:
                    await self._run_core(registry, api)
                except* (OutboxError, BacklogUnreadable) as group:
                    cause = _first(group)
                    if not ready_before and not self.ready.is_set():
                        raise OutboxUnusable(str(cause)) from cause
                    self._notice = f"The outbox failed and is opened anew: {cause}"
                    _LOG.error("outbox failed, opening it anew", extra=fields(error=cause))
                if self._stop.is_set():
                    return
                if self._clock.monotonic() - began > REOPEN_CEILING_S:
                    ceiling_s = 0.5
                await self._pause(self._options.random.uniform(0, ceiling_s))
                ceiling_s = min(REOPEN_CEILING_S, ceiling_s * 2)

    async def _run_core(self, registry: Registry, api: contextlib.AsyncExitStack) -> None:
        async with open_core(self._parts(registry)) as core:
            self._core = core
            try:
                if not self.ready.is_set():
                    await api.enter_async_context(self._api())
                self.ready.set()
                self._notice = ""
                _LOG.info("ready", extra=fields(hub=registry.hub.id, epoch=core.outbox.epoch))
                await core.run(self._stop, lambda: self._stop_reason)
            finally:
                self._core = None

    @contextlib.asynccontextmanager
    async def _api(self) -> AsyncIterator[None]:
        runtime_dir = self._config.hub.runtime_dir
        _make_folder(runtime_dir)
        view = self.view()
        async with serve(view, runtime_dir, logging.getLogger("latchway.gateway.api")):
            try:
                yield
            finally:
                self._feed.close()

    def view(self) -> LiveView:
        """Return what API and metrics see; it stays valid over all cores."""
        return LiveView(
            hub=self._hub_status,
            readiness=self._readiness,
            stored_devices=self._devices,
            supervisor=_Vendors(self._current_core),
            delivery=_Sinks(self._current_core),
            reader=self._reader,
            feed=self._feed,
            lag=self._lag,
        )

    def _parts(self, registry: Registry) -> CoreParts:
        routes = self._config.routes
        options = self._options
        return CoreParts(
            config=self._config,
            routes=RouteTable(routes, zlib.crc32(repr(routes).encode())),
            registry=registry,
            clock=self._clock,
            random=options.random,
            random_bytes=options.random_bytes,
            boot_id=self._boot_id,
            clock_quality=lambda: self._clock_watch.quality,
            on_events=self._feed.publish,
            on_states=self._take_states,
            on_fatal=options.on_fatal,
            is_mendable=_is_mendable,
            **({"options": options.core} if options.core else {}),
        )

    def _say(self, fact: EventData) -> None:
        if self._core is not None:
            self._core.say(fact)

    def _take_states(self, batch: Batch) -> None:
        self._names.setdefault(batch.vendor, {}).update(batch.states)
        self._names_waiting.set()

    async def _note_names(self) -> None:
        """Keep the registry's names of devices up to date, at most once a second."""
        while True:
            await self._names_waiting.wait()
            await self._clock.sleep(NAMES_EVERY_S)
            self._names_waiting.clear()
            taken, self._names = self._names, {}
            for vendor, states in taken.items():
                if self._registry is not None:
                    await self._registry.note_states(vendor, states)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _watched(self, work: Awaitable[None], name: str) -> None:
        """Let a fault be known at once, before the other tasks have been torn down."""
        try:
            await work
        except OperatorError:
            raise
        except Exception as error:
            _LOG.critical("task failed", extra=fields(task=name), exc_info=error)
            self._options.on_fatal()
            raise

    def _current_core(self) -> Core | None:
        return self._core

    def _reader(self) -> Reader | None:
        return self._core.reader if self._core else None

    def _readiness(self) -> Readiness:
        core = self._core
        return Readiness(core is not None, core is not None and core.writer.running)

    def _hub_status(self) -> HubStatus:
        registry, config = self._registry, self._config
        if registry is None:
            raise GatewayStopping("The registry is not open")
        return HubStatus(
            id=registry.hub.id,
            name=config.hub.name,
            version=version("latchway"),
            epoch=registry.epoch,
            now=self._clock.now(),
            started_at=self._started_at,
            uptime_s=self._clock.monotonic() - self._began,
            clock=str(self._clock_watch.quality),
            config_file=config.source,
            state_dir=str(config.hub.state_dir),
            notices=(self._notice,) if self._notice else (),
        )

    async def _devices(self) -> tuple[DeviceStatus, ...]:
        core, registry = self._core, self._registry
        if core is None or registry is None:
            raise OutboxUnreadable("the outbox is not open now")
        stored = {vendor: await core.outbox.states(vendor) for vendor in self._config.vendors}
        return device_statuses(registry.devices(), stored)


@dataclass(frozen=True, slots=True)
class _Vendors:
    core: Callable[[], Core | None]

    def status(self) -> tuple[VendorStatus, ...]:
        core = self.core()
        return core.supervisor.status() if core else ()


@dataclass(frozen=True, slots=True)
class _Sinks:
    core: Callable[[], Core | None]

    def status(self) -> tuple[SinkStatus, ...]:
        core = self.core()
        return core.delivery.status() if core else ()


def _is_mendable(error: BaseException) -> bool:
    """Tell whether opening the outbox anew is all that is needed."""
    mendable = (OutboxFailed, OutboxBusy, BacklogUnreadable)
    if isinstance(error, BaseExceptionGroup):
        return all(_is_mendable(part) for part in error.exceptions)
    return isinstance(error, (*mendable, asyncio.CancelledError))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be created ({error.strerror}): create it and let this user write "
            "there, or name another folder in [hub]"
        ) from None


def run(config_path: Path) -> NoReturn:
    """Run the gateway of a config file until SIGTERM or SIGINT, then end the process.

    Raises `ConfigInvalid` before anything is started; after that it never returns.
    """
    config = _with_environment(load(config_path))
    writer = logs.configure(config.log.level)
    os._exit(_run_to_the_end(config, writer))


def _with_environment(config: Config) -> Config:
    """Let `LATCHWAY_RUNTIME_DIR` say where the socket is, as it does for the CLI."""
    folder = os.environ.get("LATCHWAY_RUNTIME_DIR")
    if not folder:
        return config
    return replace(config, hub=config.hub.model_copy(update={"runtime_dir": Path(folder)}))


def _run_to_the_end(config: Config, writer: logs.LogWriter) -> int:
    end = HardEnd(writer)
    try:
        asyncio.run(_serve(config, end))
    except BaseException as error:  # noqa: BLE001 - the process ends with whatever it was
        mendable = _for_the_operator(error)
        if mendable is None:
            _LOG.critical("failed", exc_info=error)
        else:
            _LOG.critical("cannot run", extra=fields(error=mendable))
        status = EXIT_FAILED
    else:
        status = EXIT_DONE
    writer.flush()
    return status


def _for_the_operator(error: BaseException) -> OperatorError | None:
    """Return what the operator can put right, if that is all that went wrong."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error if isinstance(error, OperatorError) else None


async def _serve(config: Config, end: HardEnd) -> None:
    daemon = Daemon(config, DaemonOptions(on_fatal=end.arm))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _ask_to_stop, daemon, signal.Signals(number), end)
    freezing = asyncio.create_task(_freeze_when_ready(daemon))
    try:
        await daemon.run()
    except BaseException:
        end.arm()
        raise
    finally:
        freezing.cancel()


async def _freeze_when_ready(daemon: Daemon) -> None:
    """Keep the collector off all that the start has made: a full pass over it takes 50 ms."""
    await daemon.ready.wait()
    gc.collect()
    gc.freeze()


def _ask_to_stop(daemon: Daemon, number: signal.Signals, end: HardEnd) -> None:
    """Stop with grace at the first signal, hard at the second: nothing accepted is lost then."""
    if end.asked_before():
        _LOG.warning("stopping at once", extra=fields(reason=number.name))
        end.arm()
    daemon.stop(number.name)
