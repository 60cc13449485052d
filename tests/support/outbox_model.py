"""The outbox as a few dicts: what the state machine compares the real one with.

Written from the rules alone and without any of the outbox's code, as slow and plain as can be.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field

from latchway.outbox import Batch, LaneKey, LaneProgress


@dataclass
class PlainLane:
    """What became of each position, and which of their rows were removed."""

    fate: dict[int, str] = field(default_factory=dict)
    sequence: dict[int, int] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)

    def waiting(self):
        return [number for number, fate in self.fate.items() if fate == "waiting"]


@dataclass
class PlainOutbox:
    epoch: int = 1
    events: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Sequence number -> (sequence text, event id), of all events ever stored."""
    removed: set[int] = field(default_factory=set)
    lanes: dict[tuple[LaneKey, int], PlainLane] = field(default_factory=dict)
    intake: dict[str, Counter] = field(default_factory=dict)
    known_ids: set[str] = field(default_factory=set)
    digests: dict[tuple[str, int], bytes] = field(default_factory=dict)
    states: dict[tuple[str, str], bytes] = field(default_factory=dict)
    cursors: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def copy(self) -> PlainOutbox:
        return copy.deepcopy(self)

    def apply(self, batch: Batch) -> None:
        inputs = len(batch.events) + len(batch.rejects)
        if batch.forget_deliveries:
            self.digests = {key: one for key, one in self.digests.items() if key[0] != batch.vendor}
        if batch.redelivery is not None:
            key = (batch.vendor, batch.redelivery.packet_id)
            if batch.redelivery.duplicate and self.digests.get(key) == batch.redelivery.digest:
                self._count(batch.vendor, received=inputs, duplicate=inputs)
                return
            self.digests[key] = batch.redelivery.digest
        stored = sum(self._store(batch.vendor, event) for event in batch.events)
        self._count(
            batch.vendor,
            received=inputs + batch.refused,
            stored=stored,
            duplicate=len(batch.events) - stored,
            rejected=len(batch.rejects),
            refused=batch.refused,
        )
        for device, value in batch.states.items():
            self.states[(batch.vendor, device)] = value
        for name, value in batch.cursors.items():
            self.cursors[(batch.vendor, name)] = value

    def _count(self, vendor, **counts):
        if sum(counts.values()):
            self.intake.setdefault(vendor, Counter()).update(counts)

    def _store(self, vendor, event) -> bool:
        if event.dedupe and event.id in self.known_ids:
            return False
        if event.dedupe:
            self.known_ids.add(event.id)
        number = len(self.events) + 1
        self.events[number] = (f"{self.epoch}-{number:016d}", event.id)
        for match in event.matches:
            key = (LaneKey(vendor, match.sink, match.lane_class), self.epoch)
            lane = self.lanes.setdefault(key, PlainLane())
            position = len(lane.fate) + 1
            lane.fate[position] = "waiting"
            lane.sequence[position] = number
        return True

    def progress(self, progress: LaneProgress) -> list[int]:
        """Apply it; return the positions whose replay was asked for in vain."""
        lane = self.lanes[(progress.lane, progress.epoch)]
        for position in progress.acknowledged:
            if lane.fate[position] == "waiting":
                lane.fate[position] = "acknowledged"
        for position, voiding in progress.voided.items():
            if lane.fate[position] == "waiting":
                lane.fate[position] = voiding.reason.value
        in_vain = []
        for position in progress.replayed:
            fate = lane.fate[position]
            if fate == "parked" or (fate == "acknowledged" and position not in lane.removed):
                lane.fate[position] = "waiting"
            elif fate != "waiting":
                in_vain.append(position)
        return in_vain

    def prune(self) -> None:
        """Remove what is done with, for a replay window of nothing."""
        kept = set()
        for lane in self.lanes.values():
            first_waiting = min(lane.waiting(), default=len(lane.fate) + 1)
            lane.removed |= {
                number
                for number, fate in lane.fate.items()
                if number < first_waiting and fate != "parked"
            }
            kept |= {lane.sequence[number] for number in lane.fate if number not in lane.removed}
        self.removed = self.events.keys() - kept

    def stored(self) -> list[tuple[str, str]]:
        return [one for number, one in self.events.items() if number not in self.removed]
