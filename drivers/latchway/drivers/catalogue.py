"""The drivers that can be named in the config: ours, and those that other packages register.

A driver is imported only when it is asked for by name. A new one of ours is one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType

from latchway.drivers.contract import Vendor
from latchway.drivers.errors import VendorInvalid

ENTRY_POINT_GROUP = "latchway.drivers"

BUILTIN: Mapping[str, str] = MappingProxyType(
    {
        "zigbee2mqtt": "latchway.drivers.zigbee2mqtt",
    }
)
"""Name of a driver and the module that holds its `VENDOR`."""


def installed_drivers() -> tuple[str, ...]:
    """List the names that `load_vendor` knows, without importing anything."""
    others = {entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return tuple(sorted(others | BUILTIN.keys()))


def load_vendor(name: str) -> Vendor:
    """Import a driver; raises `VendorInvalid` saying what is wrong with which module."""
    if name in BUILTIN:
        return _vendor_of(name, BUILTIN[name], "VENDOR")
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        return _vendor_of(name, entry.module, entry.attr or "VENDOR")
    known = ", ".join(installed_drivers())
    raise VendorInvalid(
        f"There is no driver {name!r}. Installed: {known}. A package that brings a driver "
        f"registers it as an entry point in group {ENTRY_POINT_GROUP!r}"
    )


def _vendor_of(name: str, module_name: str, attribute: str) -> Vendor:
    try:
        module = import_module(module_name)
    except Exception as error:
        raise VendorInvalid(
            f"Driver {name!r} does not import: module {module_name!r} raised "
            f"{type(error).__name__}: {error}"
        ) from error
    vendor = getattr(module, attribute, None)
    if not isinstance(vendor, Vendor):
        raise VendorInvalid(
            f"Driver {name!r} registers nothing: module {module_name!r} has no "
            f"{attribute} that is a Vendor"
        )
    return vendor
