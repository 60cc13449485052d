"""A day in the life of a house and its locks, compressed: who comes and goes, and what goes wrong.

Pure: a seed and the locks in, happenings in order of time out. `locks.py` plays them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

HOURS = 24.0
_MINUTE_H = 1 / 60


class Happening(Enum):
    """What can happen at a lock."""

    UNLOCKED = auto()
    LOCKED = auto()
    AUTO_LOCKED = auto()
    REFUSED = auto()
    DOOR_OPENED = auto()
    DOOR_CLOSED = auto()
    REPORTED = auto()
    """A periodic report: battery and state, mostly as before."""
    GARBLED = auto()
    """A message that is no JSON: a bridge's bug, or somebody playing with the broker."""

    @property
    def is_access(self) -> bool:
        """Whether somebody or something moved the bolt, or tried to."""
        return self in _ACCESSES


_ACCESSES = frozenset(
    {Happening.UNLOCKED, Happening.LOCKED, Happening.AUTO_LOCKED, Happening.REFUSED}
)


class Means(Enum):
    """With what a person opens, in Zigbee2MQTT's words for the source of an action."""

    KEYPAD = "keypad"
    CARD = "rfid"
    BY_HAND = "manual"


@dataclass(frozen=True, slots=True)
class Door:
    """A virtual lock: its hardware id, its name for people, and how busy its door is."""

    address: str
    name: str
    visits: int
    keypad: bool = True


@dataclass(frozen=True, slots=True)
class Moment:
    """One happening: at which hour of the day, at which door, by whom."""

    hour: float
    door: Door
    what: Happening
    means: Means = Means.BY_HAND
    slot: int | None = None
    battery_percent: int = 100


HOUSE = (
    Door("0x00124b0022c0a101", "Front door", visits=16),
    Door("0x00124b0022c0a102", "Garage", visits=6),
    Door("0x00124b0022c0a103", "Garden door", visits=7, keypad=False),
    Door("0x00124b0022c0a104", "Office", visits=12),
    Door("0x00124b0022c0a105", "Workshop", visits=5),
    Door("0x00124b0022c0a106", "Apartment 3", visits=6),
)

_BUSY_HOURS = ((7.5, 0.8), (12.5, 1.5), (17.8, 1.4), (20.5, 1.8))
"""When people come and go: mean and spread, in hours."""
_RESIDENTS = 4
_REPORT_EVERY_H = 3.0


def day(random: Random, house: Sequence[Door] = HOUSE) -> tuple[Moment, ...]:
    """Return a day's moments in order of time. The last one lies before midnight."""
    moments = [moment for door in house for moment in _day_of(door, random)]
    return tuple(sorted(moments, key=lambda moment: moment.hour))


def _day_of(door: Door, random: Random) -> Iterator[Moment]:
    for begin in _visits(door, random):
        yield from _visit(door, begin, random)
    battery = random.randint(45, 95)
    for report in range(int(HOURS / _REPORT_EVERY_H)):
        hour = report * _REPORT_EVERY_H + random.uniform(0.1, 1.5)
        battery -= random.random() < 1 / 3
        yield Moment(hour, door, Happening.REPORTED, battery_percent=battery)
    if door.keypad:
        yield Moment(random.uniform(1, 4), door, Happening.REFUSED, Means.KEYPAD)
    if random.random() < 1 / 2:
        yield Moment(random.uniform(9, 15), door, Happening.GARBLED)


def _visits(door: Door, random: Random) -> list[float]:
    """Return when each visit begins; visits of one door do not overlap."""
    begins: list[float] = []
    while len(begins) < door.visits:
        mean, spread = random.choice(_BUSY_HOURS)
        begin = random.gauss(mean, spread)
        far_enough = all(abs(begin - other) > 10 * _MINUTE_H for other in begins)
        if 5 < begin < HOURS - 1 and far_enough:
            begins.append(begin)
    return begins


def _visit(door: Door, begin: float, random: Random) -> Iterator[Moment]:
    """Somebody opens, goes through, and the bolt is thrown again: by them, or by itself."""
    means = random.choice((Means.KEYPAD, Means.CARD, Means.KEYPAD)) if door.keypad else None
    slot = None if means is None else random.randint(1, _RESIDENTS)
    through = begin + random.uniform(0.1, 0.5) * _MINUTE_H
    shut = through + random.uniform(0.2, 4) * _MINUTE_H
    bolted = shut + random.uniform(0.2, 2) * _MINUTE_H
    yield Moment(begin, door, Happening.UNLOCKED, means or Means.BY_HAND, slot)
    yield Moment(through, door, Happening.DOOR_OPENED)
    yield Moment(shut, door, Happening.DOOR_CLOSED)
    if random.random() < 1 / 2:
        yield Moment(bolted, door, Happening.AUTO_LOCKED)
    else:
        yield Moment(bolted, door, Happening.LOCKED, Means.BY_HAND)
