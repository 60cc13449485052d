"""A driver as another package would bring it, doing what its config's `behaviour` says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from latchway.drivers.contract import (
    Attribute,
    BrokerDelivery,
    DeliveryClass,
    DeviceState,
    DriverContext,
    Manifest,
    Transport,
    Vendor,
    VendorName,
)
from latchway.drivers.errors import BatchTooLarge
from latchway.schemas import (
    DeviceId,
    EventDraft,
    LockState,
    LockStateChanged,
    Source,
)

LOCK = DeviceId("lock-1")
PLANTED_CODE = "73915284"


class TestlockSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    behaviour: Literal[
        "idle",
        "emit",
        "pipeline",
        "too_large",
        "crash",
        "crash_in_callback",
        "return",
        "hang",
        "block",
        "log_flood",
        "echo_state",
        "reject",
        "degraded",
        "slow_stop",
    ] = "idle"
    count: int = 3


def event(index: int) -> EventDraft:
    state = LockState.LOCKED if index % 2 else LockState.UNLOCKED
    data = LockStateChanged(state=state, previous=LockState.UNKNOWN, source=Source.REPORTED)
    return EventDraft(data, device=LOCK)


def state_of(name: str) -> DeviceState:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return DeviceState(name=name, attributes={"lock_state": Attribute("locked", Source.READ, at)})


class ScriptedDriver:
    async def run(self, context: DriverContext) -> None:
        settings = context.config
        assert isinstance(settings, TestlockSettings)
        behaviour: Callable[[DriverContext, int], Coroutine[Any, Any, None]]
        behaviour = getattr(self, f"_{settings.behaviour}")
        await behaviour(context, settings.count)

    async def _idle(self, context: DriverContext, _: int) -> None:
        await asyncio.Event().wait()

    async def _emit(self, context: DriverContext, count: int) -> None:
        for index in range(count):
            stored = await context.emit(
                event(index),
                cursor={"": index},
                state={LOCK: state_of(f"door {index}")},
                delivery=BrokerDelivery(index + 1, b"digest-8", duplicate=index > 0),
            )
            context.log.info("stored %d duplicate=%s", index, stored.duplicate)
        await self._idle(context, 0)

    async def _pipeline(self, context: DriverContext, count: int) -> None:
        for index in range(count):
            receipt = await context.submit(event(index), cursor={"": index})
            receipt.add_done_callback(
                lambda done, index=index: context.log.info("%d stored=%s", index, done.stored())
            )
            context.log.info("submitted %d cursor=%s", index, context.cursor())
        await self._idle(context, 0)

    async def _too_large(self, context: DriverContext, _: int) -> None:
        try:
            await context.emit(*[event(index) for index in range(10_000)])
        except BatchTooLarge as error:
            context.log.warning("too large: %s", error)
        await context.emit(event(1))
        context.log.info("went on")
        await self._idle(context, 0)

    async def _crash(self, context: DriverContext, _: int) -> None:
        raise ValueError(f"cannot decode {PLANTED_CODE}")

    async def _crash_in_callback(self, context: DriverContext, _: int) -> None:
        receipt = await context.submit(event(0))

        def fail(_: object) -> None:
            raise ValueError("in a callback")

        receipt.add_done_callback(fail)
        await self._idle(context, 0)

    async def _return(self, context: DriverContext, _: int) -> None:
        return

    async def _hang(self, context: DriverContext, _: int) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                context.log.info("not now")

    async def _slow_stop(self, context: DriverContext, _: int) -> None:
        await context.submit(event(0))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await context.submit(event(1))
            raise

    async def _block(self, context: DriverContext, _: int) -> None:
        context.log.info("blocking")
        await asyncio.sleep(0)
        time.sleep(3600)  # noqa: ASYNC251 - the fault: it blocks the loop

    async def _log_flood(self, context: DriverContext, count: int) -> None:
        for index in range(count):
            context.log.info("%d %s", index, "x" * 1000)
        await context.emit(event(0))
        await self._idle(context, 0)

    async def _echo_state(self, context: DriverContext, _: int) -> None:
        names = sorted(state.name for state in context.devices().values())
        context.log.info("knows %s cursor=%s", names, context.cursor("log"))
        await context.emit(state={LOCK: None})
        context.log.info("now %s", context.state(LOCK))
        await self._idle(context, 0)

    async def _reject(self, context: DriverContext, count: int) -> None:
        receipt = await context.reject(b"\xff" * count, "not_utf8: byte 0", topic="t", device=LOCK)
        await receipt
        await context.forget_deliveries()
        context.log.info("kept")
        await self._idle(context, 0)

    async def _degraded(self, context: DriverContext, _: int) -> None:
        context.report_delivery_class(DeliveryClass.QUEUED, "the bridge publishes at QoS 1")
        context.report_degraded(["the clock is off: set it"])
        await self._idle(context, 0)


SCRIPTED = Vendor(
    Manifest(
        name=VendorName("testlock"),
        title="Test lock",
        transport=Transport.MQTT,
        delivery_class=DeliveryClass.LIVE,
        event_types=(LockStateChanged,),
        config=TestlockSettings,
        pairing="none",
    ),
    ScriptedDriver,
)
NOTHING = "no vendor"
