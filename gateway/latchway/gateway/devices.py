"""Devices as operators see them: names from the registry, attributes from stored states. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latchway.drivers.errors import StateInvalid
from latchway.drivers.states import decode_state
from latchway.gateway.view import DeviceAttribute, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from latchway.gateway.registry import Device


def device_statuses(
    known: Iterable[Device], stored: Mapping[str, Mapping[str, bytes]]
) -> tuple[DeviceStatus, ...]:
    """Join what is known of devices with their stored states, sorted by vendor and name.

    A state that cannot be read, of an older driver for instance, shows without attributes.
    """
    found = {(device.vendor, device.device): _without_state(device) for device in known}
    for vendor, states in stored.items():
        for device, raw in states.items():
            status = _with_state(vendor, device, raw)
            if status is not None:
                found[vendor, device] = status
    return tuple(sorted(found.values(), key=lambda d: (d.vendor, d.name, d.device)))


def _without_state(device: Device) -> DeviceStatus:
    return DeviceStatus(
        vendor=device.vendor,
        device=device.device,
        name=device.name,
        model=device.model,
        manufacturer=device.manufacturer,
        firmware=device.firmware,
    )


def _with_state(vendor: str, device: str, raw: bytes) -> DeviceStatus | None:
    try:
        state = decode_state(raw)
    except StateInvalid:
        return None
    return DeviceStatus(
        vendor=vendor,
        device=device,
        name=state.name,
        model=state.model,
        manufacturer=state.manufacturer,
        firmware=state.firmware,
        attributes={
            name: DeviceAttribute(attribute.value, attribute.source, attribute.at)
            for name, attribute in state.attributes.items()
        },
    )
