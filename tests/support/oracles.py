"""The judges of the fault tests: what was lost, doubled, reused or out of order.

Pure functions over what the hub stored and what the cloud received; their own tests plant one
fault of each kind. The letters are those of the fault matrix: A total queue, C sequence, J order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as the cloud got it: the attributes that the judges look at, and the bytes."""

    id: str
    type: str
    source: str
    sequence: str
    lane: str
    lanepos: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TotalQueue:
    """Oracle A. All three must be empty."""

    lost: frozenset[str]
    unexpected: frozenset[str]
    conflicting: frozenset[str]

    @property
    def clean(self) -> bool:
        return not (self.lost or self.unexpected or self.conflicting)


def total_queue(stored_ids: Iterable[str], arrivals: Iterable[Arrival]) -> TotalQueue:
    """Compare the ids on the hub's disk with the cloud's; copies must be equal to the byte."""
    stored = set(stored_ids)
    copies: dict[str, set[Arrival]] = defaultdict(set)
    for arrival in arrivals:
        copies[arrival.id].add(arrival)
    return TotalQueue(
        lost=frozenset(stored - copies.keys()),
        unexpected=frozenset(copies.keys() - stored),
        conflicting=frozenset(key for key, found in copies.items() if len(found) > 1),
    )


@dataclass(frozen=True, slots=True)
class Sequences:
    """Oracle C. `missing` are gaps between the first and the last number of an epoch."""

    missing: tuple[str, ...]
    reused: tuple[str, ...]


def sequences(stored: Mapping[str, str]) -> Sequences:
    """Judge `sequence` by event id."""
    owners: dict[str, set[str]] = defaultdict(set)
    numbers: dict[str, set[int]] = defaultdict(set)
    for event, sequence in stored.items():
        owners[sequence].add(event)
        epoch, _, number = sequence.partition("-")
        numbers[epoch].add(int(number))
    missing = [
        f"{epoch}-{number:016d}"
        for epoch, found in numbers.items()
        for number in sorted(set(range(min(found), max(found) + 1)) - found)
    ]
    reused = [sequence for sequence, events in owners.items() if len(events) > 1]
    return Sequences(tuple(missing), tuple(reused))


def lane_gaps(arrivals: Iterable[Arrival]) -> tuple[str, ...]:
    """Positions that never arrived, per lane and epoch, counted from 1."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for arrival in arrivals:
        epoch = arrival.sequence.partition("-")[0]
        found[arrival.lane, epoch].add(int(arrival.lanepos))
    return tuple(
        f"{lane} epoch {epoch} position {position}"
        for (lane, epoch), positions in sorted(found.items())
        for position in sorted(set(range(1, max(positions) + 1)) - positions)
    )


def out_of_order(arrivals: Iterable[Arrival]) -> tuple[str, ...]:
    """Oracle J: ids whose first arrival came after a later event of the same device and lane."""
    newest: dict[tuple[str, str], str] = {}
    seen: set[str] = set()
    late = []
    for arrival in arrivals:
        if arrival.id in seen:
            continue
        seen.add(arrival.id)
        key = (arrival.source, arrival.lane)
        if arrival.sequence < newest.get(key, ""):
            late.append(arrival.id)
        else:
            newest[key] = arrival.sequence
    return tuple(late)


@dataclass(frozen=True, slots=True)
class Published:
    """What became of messages that a broker accepted: each must be exactly one event."""

    missing: tuple[str, ...]
    doubled: tuple[str, ...]


def published(keys: Iterable[str], event_keys: Mapping[str, str]) -> Published:
    """Judge message keys that the local broker accepted against the key of each event id."""
    events = Counter(event_keys.values())
    accepted = list(keys)
    return Published(
        missing=tuple(key for key in accepted if not events[key]),
        doubled=tuple(key for key in accepted if events[key] > 1),
    )
