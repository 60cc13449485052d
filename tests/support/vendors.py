"""A small vendor for tests of the gateway: its manifest, and config text that names it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from latchway.drivers.contract import (
    Attribute,
    DeliveryClass,
    DeviceState,
    Manifest,
    Transport,
    Vendor,
    VendorName,
)
from latchway.drivers.errors import VendorInvalid
from latchway.schemas import (
    DeviceId,
    DoorStateChanged,
    EventDraft,
    LockState,
    LockStateChanged,
    Source,
)

if TYPE_CHECKING:
    from pathlib import Path

LOCK = DeviceId("0x00158d0001a2b3c4")


class Broker(BaseModel):
    model_config = ConfigDict(extra="forbid")

    host: str = "localhost"
    port: int = Field(default=1883, ge=1, le=65535)
    password: str | None = None


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mode: str = "emit"
    count: int = Field(default=3, ge=0)
    colour: Literal["red", "green"] = "red"
    mqtt: Broker = Broker()


class _Driver:
    """Emits `count` changes of one lock, then does what `mode` says."""

    async def run(self, context) -> None:
        config = context.config
        receipts = [
            await context.submit(change(number), state=state_after(context))
            for number in range(config.count)
        ]
        for receipt in receipts:
            await receipt
        match config.mode:
            case "crash":
                raise RuntimeError("the driver is meant to crash")
            case "hang":
                time.sleep(3600)  # noqa: ASYNC251 - blocks the loop on purpose
            case "deaf":
                while True:
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.sleep(3600)
            case "stream":
                while True:
                    await context.emit(change(0))
            case "degrade":
                context.report_degraded(["the bridge is offline: start it"])
        await asyncio.Event().wait()


def change(number: int) -> EventDraft:
    states = (LockState.LOCKED, LockState.UNLOCKED)
    state, previous = states[number % 2], states[1 - number % 2]
    data = LockStateChanged(state=state, previous=previous, source=Source.REPORTED)
    return EventDraft(data=data, device=LOCK)


def state_after(context) -> dict[DeviceId, DeviceState]:
    value = Attribute("locked", Source.REPORTED, context.clock.now())
    return {LOCK: DeviceState("Front door", model="T1", attributes={"lock_state": value})}


MANIFEST = Manifest(
    name=VendorName("test"),
    title="Test locks",
    transport=Transport.MQTT,
    delivery_class=DeliveryClass.QUEUED,
    event_types=(LockStateChanged, DoorStateChanged),
    config=Settings,
    pairing="none",
)

VENDOR = Vendor(manifest=MANIFEST, driver=_Driver)


def load_vendor(name: str) -> Vendor:
    """Stands in for the catalogue: knows the driver `test` only."""
    if name != "test":
        raise VendorInvalid(f"There is no driver {name!r}. Installed: test")
    return VENDOR


def install(folder: Path) -> None:
    """Make the vendor known as a package in `folder` would; put that on the Python path."""
    info = folder / "latchway_test_vendor-1.0.dist-info"
    info.mkdir(parents=True)
    lines = ("Metadata-Version: 2.1", "Name: latchway-test-vendor", "Version: 1.0", "")
    (info / "METADATA").write_text("\n".join(lines))
    (info / "entry_points.txt").write_text("[latchway.drivers]\ntest = support.vendors:VENDOR\n")
