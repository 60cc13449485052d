"""A small vendor for tests of the gateway: its manifest, and config text that names it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from latchway.drivers.contract import DeliveryClass, Manifest, Transport, Vendor, VendorName
from latchway.drivers.errors import VendorInvalid
from latchway.schemas import DoorStateChanged, LockStateChanged


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
    async def run(self, context) -> None:
        raise NotImplementedError


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
        raise VendorInvalid(f"There is no driver {name!r}. Installed are: test")
    return VENDOR
