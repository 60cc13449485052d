"""The codec of Zigbee2MQTT: topic and payload in, typed message out. Pure; no code gets through.

The parts are in `fields`, `topics`, `bridge`, `devices` and `lock_messages`. Questions to
the bridge are made here as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from latchway.drivers.zigbee2mqtt.bridge import (
    BridgeEvent,
    BridgeInfo,
    ConfigureFailed,
    LeftTheNetwork,
    decode_event,
    decode_info,
    decode_log_line,
    decode_online,
)
from latchway.drivers.zigbee2mqtt.devices import DeviceList, decode_devices
from latchway.drivers.zigbee2mqtt.lock_messages import LockMessage, decode_lock_message
from latchway.drivers.zigbee2mqtt.topics import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import JsonValue

    from latchway.drivers.zigbee2mqtt.topics import Address


@dataclass(frozen=True, slots=True)
class BridgeOnline:
    """The bridge is there, or is not."""

    online: bool


@dataclass(frozen=True, slots=True)
class LockAvailability:
    """The bridge's opinion on whether a lock can be reached."""

    name: str
    online: bool


@dataclass(frozen=True, slots=True)
class LockSaid:
    """A state message of the lock with that name."""

    name: str
    message: LockMessage


Message: TypeAlias = (
    BridgeOnline
    | BridgeInfo
    | DeviceList
    | BridgeEvent
    | ConfigureFailed
    | LeftTheNetwork
    | LockAvailability
    | LockSaid
)

ASK_STATE = json.dumps({"state": ""}).encode()
"""Payload of a `get`: the lock answers with an ordinary state message."""


def decode(address: Address, payload: bytes) -> Message | None:
    """Return what a payload on a topic says, None for what says nothing to a driver.

    An empty payload clears a retained message: it says nothing either. Raises `PayloadInvalid`
    for what cannot be understood.
    """
    read = _READERS.get(address.place)
    return read(address.name, payload) if payload and read is not None else None


def encode(fields: Mapping[str, JsonValue]) -> bytes:
    """Return a payload as Zigbee2MQTT writes it: compact JSON, keys in the order given."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _lock_said(name: str, payload: bytes) -> LockSaid:
    return LockSaid(name, decode_lock_message(payload))


def _availability(name: str, payload: bytes) -> LockAvailability:
    return LockAvailability(name, decode_online(payload))


_READERS: Mapping[Place, Callable[[str, bytes], Message | None]] = {
    Place.LOCK: _lock_said,
    Place.AVAILABILITY: _availability,
    Place.BRIDGE_STATE: lambda _, payload: BridgeOnline(decode_online(payload)),
    Place.BRIDGE_INFO: lambda _, payload: decode_info(payload),
    Place.BRIDGE_DEVICES: lambda _, payload: decode_devices(payload),
    Place.BRIDGE_EVENT: lambda _, payload: decode_event(payload),
    Place.BRIDGE_LOGGING: lambda _, payload: decode_log_line(payload),
}
