"""The consumer's proof that nothing is missing: every position of a lane arrives, or is voided.

Give it each event as it comes, duplicates too; ask for the verdict at any time. Pure, and bounded:
it keeps ranges of positions, and a digest of the last events of each lane only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

from latchway.schemas.catalog import LaneVoided
from latchway.schemas.envelope import Envelope
from latchway.schemas.ranges import Ranges
from latchway.schemas.vocabulary import VoidReason

REMEMBERED: Final = 100_000
"""Of how many events per lane and epoch a digest is kept, to tell a duplicate from a conflict."""


class LaneEpoch(NamedTuple):
    """A lane within one epoch: where positions count from 1 without gaps."""

    lane: str
    epoch: int


class Gap(NamedTuple):
    """Positions that neither arrived nor were voided, both ends included."""

    lane: str
    epoch: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the events so far prove."""

    received: int
    """Events that arrived, each position counted once."""
    missing: tuple[Gap, ...]
    """A gap that stays beyond the retry horizon is a loss."""
    duplicates: int
    """Arrivals of an event that had arrived before, equal in id and content."""
    conflicting: int
    """Arrivals at a taken position with another id or content: never happens on a sound hub."""
    unexpected: int
    """Arrivals at a position that was voided for good: the hub gave the event up, then sent it."""
    out_of_order: int
    """First arrivals below a position of their lane that had arrived before."""
    voided: int
    """Positions that did not arrive and never will, by the hub's own word."""

    @property
    def missing_count(self) -> int:
        """How many positions are missing."""
        return sum(gap.last - gap.first + 1 for gap in self.missing)

    @property
    def complete(self) -> bool:
        """True if nothing is missing and nothing contradicts itself."""
        return not self.missing and not self.conflicting and not self.unexpected


@dataclass(slots=True)
class _Lane:
    after: int = 0
    expected: int = 0
    arrived: Ranges = field(default_factory=Ranges)
    void: Ranges = field(default_factory=Ranges)
    void_for_good: Ranges = field(default_factory=Ranges)
    digests: OrderedDict[int, bytes] = field(default_factory=OrderedDict)

    def missing(self) -> Iterable[tuple[int, int]]:
        covered = Ranges()
        for first, last in (*self.arrived, *self.void):
            covered.add(first, last)
        highest = max(covered.highest or 0, self.expected)
        return covered.missing(self.after + 1, highest)

    def voided(self) -> int:
        absent = (gap for span in self.void for gap in self.arrived.missing(*span))
        return sum(last - first + 1 for first, last in absent)


class CompletenessCheck:
    """Checks the lanes of one consumer.

    `after` gives, for a consumer that does not start with a lane's first event, the position after
    which it does.
    """

    def __init__(
        self, *, after: Mapping[LaneEpoch, int] | None = None, remember: int = REMEMBERED
    ) -> None:
        self._remember = remember
        self._lanes = {key: _Lane(after=position) for key, position in (after or {}).items()}
        self._received = 0
        self._duplicates = 0
        self._conflicting = 0
        self._unexpected = 0
        self._out_of_order = 0

    def receive(self, envelope: Envelope) -> None:
        """Take one event as it arrived.

        Raises `EnvelopeInvalid` if it is a `lane.voided` whose data does not fit its schema.
        """
        voided = envelope.payload() if envelope.type == LaneVoided.event_type else None
        lane = self._lane(LaneEpoch(envelope.lane, envelope.epoch))
        if envelope.position in lane.arrived:
            self._judge_repeat(lane, envelope)
        else:
            self._take(lane, envelope)
        if isinstance(voided, LaneVoided):
            self._void(voided)

    def expect(self, lane: LaneEpoch, up_to: int) -> None:
        """Say from elsewhere that the lane goes up to that position: its tail counts as missing."""
        entry = self._lane(lane)
        entry.expected = max(entry.expected, up_to)

    def verdict(self) -> Verdict:
        """Say what the events so far prove."""
        return Verdict(
            received=self._received,
            missing=tuple(
                Gap(key.lane, key.epoch, first, last)
                for key, lane in sorted(self._lanes.items())
                for first, last in lane.missing()
            ),
            duplicates=self._duplicates,
            conflicting=self._conflicting,
            unexpected=self._unexpected,
            out_of_order=self._out_of_order,
            voided=sum(lane.voided() for lane in self._lanes.values()),
        )

    def _lane(self, key: LaneEpoch) -> _Lane:
        return self._lanes.setdefault(key, _Lane())

    def _take(self, lane: _Lane, envelope: Envelope) -> None:
        position = envelope.position
        self._received += 1
        if position < (lane.arrived.highest or 0):
            self._out_of_order += 1
        if position in lane.void_for_good:
            self._unexpected += 1
        lane.arrived.add(position, position)
        lane.digests[position] = _digest(envelope)
        if len(lane.digests) > self._remember:
            lane.digests.popitem(last=False)

    def _judge_repeat(self, lane: _Lane, envelope: Envelope) -> None:
        known = lane.digests.get(envelope.position)
        if known is None or known == _digest(envelope):
            self._duplicates += 1
        else:
            self._conflicting += 1

    def _void(self, voided: LaneVoided) -> None:
        lane = self._lane(LaneEpoch(voided.lane, voided.epoch))
        for first, last in voided.positions:
            lane.void.add(min(first, last), max(first, last))
            # A parked event is kept and may be sent after all, at its old position.
            if voided.reason is not VoidReason.PARKED:
                lane.void_for_good.add(min(first, last), max(first, last))


def _digest(envelope: Envelope) -> bytes:
    return blake2b(envelope.model_dump_json().encode(), digest_size=8).digest()
