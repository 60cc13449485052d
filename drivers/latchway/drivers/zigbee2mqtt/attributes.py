"""What is stored of one lock, while it is being worked on, and small values that all trackers use.

Names of attributes that every vendor shares stand in the contract; the others are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.drivers.contract import Attribute
from latchway.schemas.vocabulary import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import JsonValue

LOCK_STATE = "lock_state"
DOOR_STATE = "door_state"
BATTERY = "battery_percent"
REACHABLE = "reachable"
ANNOUNCED = "announced_lock_state"
"""The bolt state of the last event: a stale or cached one does not change it."""
DEADBOLT = "deadbolt_from_inside"
BATTERY_CRITICAL = "battery_critical"
DOOR_FAULT = "door_fault"
TAMPER = "tamper"
ALARM = "alarm"
INSERTED_KEY = "inserted_key"
INTERVIEW = "interview"
PAIRED = "paired"
_GETS_STALE = (LOCK_STATE, DOOR_STATE, BATTERY)


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks: wall time is data, monotonic seconds measure."""

    now: datetime
    monotonic: float


@dataclass(frozen=True, slots=True)
class Rules:
    """How the bridge is set up to speak of one lock, as far as it changes what messages mean."""

    cache: bool = True
    """Each message repeats every key ever seen; else it holds only what is new."""
    cache_is_shown: bool = True
    """The bridge publishes its cache when it starts, so that it can be told from news."""
    link_quality_hidden: bool = False
    """`linkquality` is filtered out: its absence does not mark a cached message."""
    bolt_is_believed: bool = True


class Attributes:
    """The attributes of one lock; remembers whether anything changed since it was last asked."""

    def __init__(self, stored: Mapping[str, Attribute]) -> None:
        self._items = dict(stored)
        self.changed = False

    def all(self) -> dict[str, Attribute]:
        """Return a copy of all attributes."""
        return dict(self._items)

    def get(self, name: str) -> Attribute | None:
        """Return an attribute, None if there is none."""
        return self._items.get(name)

    def value(self, name: str) -> JsonValue:
        """Return an attribute's value, None if there is none."""
        attribute = self._items.get(name)
        return None if attribute is None else attribute.value

    def confirmed(self, name: str) -> bool:
        """Tell whether the value comes from the lock itself and is not stale."""
        attribute = self._items.get(name)
        return attribute is not None and attribute.source.confirms

    def put(self, name: str, value: JsonValue, moment: Moment, source: Source) -> None:
        """Store a value."""
        self._items[name] = Attribute(value, source, moment.now)
        self.changed = True

    def refresh(self, name: str, moment: Moment) -> None:
        """Say that the lock was heard and that its confirmed value still holds."""
        if (attribute := self._items.get(name)) is not None and attribute.source.confirms:
            self.put(name, attribute.value, moment, attribute.source)

    def drop(self, name: str) -> None:
        """Forget a value."""
        if self._items.pop(name, None) is not None:
            self.changed = True

    def make_stale(self) -> None:
        """Mark everything that the lock reported as cached; its age stays."""
        for name in _GETS_STALE:
            if self.confirmed(name):
                attribute = self._items[name]
                self._items[name] = Attribute(attribute.value, Source.CACHED, attribute.at)
                self.changed = True
