"""A small MQTT driver that keeps the contract, and one broken variation for each of its rules."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from latchway.drivers import strict_json
from latchway.drivers.contract import (
    Attribute,
    DeliveryClass,
    DeviceState,
    DriverContext,
    Manifest,
    Transport,
    Vendor,
    VendorName,
)
from latchway.drivers.errors import PayloadInvalid
from latchway.drivers.testing import MqttCase, Publication
from latchway.drivers.transport.mqtt import MqttClient, MqttMessage, MqttSettings
from latchway.schemas import (
    BatteryReported,
    DeviceId,
    EventDraft,
    LockState,
    LockStateChanged,
    Source,
)

PIN = "48151623"


class EchoSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mqtt: MqttSettings = MqttSettings(client_id="echo", clean_start=False, session_expiry_s=60)


class EchoDriver:
    """Locks say `{"state": "locked", "pin": ...}` on `echo/<lock>`."""

    async def run(self, context: DriverContext) -> None:
        settings = context.config
        assert isinstance(settings, EchoSettings)
        async with context.mqtt(settings.mqtt) as client:
            if not client.session_present:
                await context.forget_deliveries()
            await client.subscribe(("echo/#", 1))
            async for message in client.messages:
                await self.take(context, client, message)

    async def take(self, context: DriverContext, client: MqttClient, message: MqttMessage) -> None:
        device = DeviceId(message.topic.removeprefix("echo/").replace("/", "-"))
        try:
            reading = self.decode(message.payload)
            state = LockState(str(reading.get("state")))
        except (PayloadInvalid, ValueError) as error:
            code = error.code if isinstance(error, PayloadInvalid) else "schema"
            receipt = await context.reject(
                self.kept(message.payload),
                f"{code}: not a reading of a lock",
                topic="echo",
                delivery=message.delivery,
            )
        else:
            receipt = await context.submit(
                *self.events(context, device, state, reading),
                state={device: self.state(context, state)},
                delivery=message.delivery,
            )
        receipt.add_done_callback(lambda _: client.acknowledge(message))

    def decode(self, payload: bytes) -> Mapping[str, object]:
        return strict_json.parse_object(payload)

    def kept(self, payload: bytes) -> bytes:
        return b"" if PIN.encode() in payload else payload

    def events(
        self,
        context: DriverContext,
        device: DeviceId,
        state: LockState,
        _: Mapping[str, object],
    ) -> tuple[EventDraft, ...]:
        known = context.state(device)
        before = None if known is None else known.attributes["lock_state"].value
        if before == state.value:
            return ()
        previous = LockState.UNKNOWN if before is None else LockState(str(before))
        data = LockStateChanged(state=state, previous=previous, source=Source.REPORTED)
        return (EventDraft(data, device=device, time=context.clock.now()),)

    def state(self, context: DriverContext, state: LockState) -> DeviceState:
        attribute = Attribute(state.value, Source.REPORTED, context.clock.now())
        return DeviceState(name="door", attributes={"lock_state": attribute})


class UndeclaredEvents(EchoDriver):
    def events(self, context, device, state, reading):
        more = EventDraft(BatteryReported(percent=50), device=device)
        return (*super().events(context, device, state, reading), more)


class IgnoresCancellation(EchoDriver):
    async def run(self, context: DriverContext) -> None:
        try:
            await super().run(context)
        except asyncio.CancelledError:
            await asyncio.Event().wait()


class TrustsItsInput(EchoDriver):
    async def take(self, context, client, message) -> None:
        strict_json.parse_object(message.payload)
        await super().take(context, client, message)


class TellsSecrets(EchoDriver):
    async def take(self, context, client, message) -> None:
        context.log.info("got %r", message.payload)
        await super().take(context, client, message)


class AcknowledgesEarly(EchoDriver):
    async def take(self, context, client, message) -> None:
        client.acknowledge(message)
        await super().take(context, client, message)


class NeverAcknowledges(EchoDriver):
    async def take(self, context, client, message) -> None:
        await super().take(context, client, replace(message))


class RepeatsItself(EchoDriver):
    def events(self, context, device, state, reading):
        data = LockStateChanged(state=state, previous=LockState.UNKNOWN, source=Source.REPORTED)
        return (EventDraft(data, device=device),)


def echo_vendor(driver: type[EchoDriver] = EchoDriver) -> Vendor:
    manifest = Manifest(
        name=VendorName("echo"),
        title="Echo locks",
        transport=Transport.MQTT,
        delivery_class=DeliveryClass.QUEUED,
        event_types=(LockStateChanged,),
        config=EchoSettings,
        pairing="none needed",
    )
    return Vendor(manifest, driver)


def echo_case(driver: type[EchoDriver] = EchoDriver) -> MqttCase:
    return MqttCase(
        vendor=echo_vendor(driver),
        greeting=[Publication("echo/front", b'{"state":"unlocked"}')],
        traffic=[
            Publication("echo/front", f'{{"state":"locked","pin":"{PIN}"}}'.encode()),
            Publication("echo/back", b'{"state":"locked"}'),
        ],
        secrets=[PIN],
    )
