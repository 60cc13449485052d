"""Zigbee2MQTT's topics: what to subscribe to, what a topic means, where to ask a lock.

A name may contain slashes, so only the list of names tells `NAME/availability` from a device
called so. Single topics are subscribed to, never `BASE/#`, which would carry every payload twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container


class Place(Enum):
    """What a topic is about."""

    BRIDGE_STATE = auto()
    BRIDGE_INFO = auto()
    BRIDGE_DEVICES = auto()
    BRIDGE_EVENT = auto()
    BRIDGE_LOGGING = auto()
    BRIDGE_RESPONSE = auto()
    LOCK = auto()
    AVAILABILITY = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Address:
    """A topic taken apart; `name` is the friendly name, or what stands in its place."""

    place: Place
    name: str = ""


_BRIDGE = {
    "bridge/state": Place.BRIDGE_STATE,
    "bridge/info": Place.BRIDGE_INFO,
    "bridge/devices": Place.BRIDGE_DEVICES,
    "bridge/event": Place.BRIDGE_EVENT,
    "bridge/logging": Place.BRIDGE_LOGGING,
}
_GROUPS = "bridge/groups"
_RESPONSE = "bridge/response/"
_AVAILABILITY = "/availability"


class Topics:
    """The topics under one base topic."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._prefix = f"{base}/"

    def of_bridge(self) -> tuple[str, ...]:
        """Return what to subscribe to before any lock is known, `bridge/state` first."""
        return (*(self._prefix + tail for tail in _BRIDGE), f"{self._prefix}{_RESPONSE}#")

    @property
    def groups(self) -> str:
        """Return the topic of the bridge's list of groups."""
        return self._prefix + _GROUPS

    @property
    def all_names(self) -> str:
        """Return the filter for the state of all devices whose names have no slash."""
        return f"{self._prefix}+"

    def name_in(self, topic: str) -> str:
        """Return what stands in the place of a friendly name."""
        return topic.removeprefix(self._prefix)

    def of_lock(self, name: str) -> tuple[str, str]:
        """Return the two topics of a lock: its state, and its availability."""
        return f"{self._prefix}{name}", f"{self._prefix}{name}{_AVAILABILITY}"

    def get(self, ieee_address: str) -> str:
        """Return the topic on which a lock is asked; the address survives renames."""
        return f"{self._prefix}{ieee_address}/get"

    def place(self, topic: str, names: Container[str]) -> Address:
        """Say what a topic is about, given the names of the known locks."""
        if not topic.startswith(self._prefix):
            return Address(Place.UNKNOWN, topic)
        tail = topic[len(self._prefix) :]
        if tail in _BRIDGE:  # also if a lock is called so: else no list would ever be read again
            return Address(_BRIDGE[tail])
        if tail in names:
            return Address(Place.LOCK, tail)
        if tail.startswith(_RESPONSE):
            return Address(Place.BRIDGE_RESPONSE, tail[len(_RESPONSE) :])
        owner = tail.removesuffix(_AVAILABILITY)
        if owner != tail and owner in names:
            return Address(Place.AVAILABILITY, owner)
        return Address(Place.UNKNOWN, tail)
