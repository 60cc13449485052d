"""What became of deliveries since the last commit, and which positions a lane must void. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from latchway.outbox.model import Delivery, LaneKey, LaneProgress, Match, Voiding
from latchway.schemas import MAX_VOID_RANGES, LaneVoided, VoidReason

if TYPE_CHECKING:
    from collections.abc import Sequence

_DETAIL_LENGTH: Final = 512
"""Longest `detail` that the schema of `lane.voided` takes."""


@dataclass(frozen=True, slots=True)
class LaneVoid:
    """Positions that a lane will not deliver, for which it owes its consumer an event.

    The event (`data`) belongs into this same lane, under `match`, in the transaction that makes
    the positions void.
    """

    lane: LaneKey
    epoch: int
    numbers: tuple[int, ...]
    reason: VoidReason
    detail: str
    match: Match

    def data(self) -> LaneVoided:
        """Return the payload of the `lane.voided` event."""
        return LaneVoided(
            lane=str(self.lane),
            epoch=self.epoch,
            positions=ranges(self.numbers),
            reason=self.reason,
            detail=self.detail[:_DETAIL_LENGTH] or None,
        )


VoidCallback: TypeAlias = Callable[[LaneVoid], None]


@dataclass(slots=True)
class _Outcomes:
    acknowledged: list[int] = field(default_factory=list)
    voided: dict[int, Voiding] = field(default_factory=dict)
    owed: list[int] = field(default_factory=list)
    """Void positions for which the next `lane.voided` event of the lane must vouch."""
    match: Match | None = None


class ProgressLedger:
    """Collects outcomes until the writer takes them along in a commit.

    A refused `lane.voided` event asks for no event of its own, else a sink that refuses all
    would make an event for each of its own events for ever; the next one vouches for it.
    """

    def __init__(self, on_waiting: Callable[[], None], voided: VoidCallback) -> None:
        self._on_waiting = on_waiting
        self._voided = voided
        self._outcomes: defaultdict[tuple[LaneKey, int], _Outcomes] = defaultdict(_Outcomes)
        self._unvouched: dict[tuple[LaneKey, int], list[int]] = {}

    def acknowledge(self, delivery: Delivery) -> None:
        """Note that the sink has it."""
        position = delivery.position
        self._outcomes[delivery.lane, position.epoch].acknowledged.append(position.number)
        self._on_waiting()

    def park(self, delivery: Delivery, detail: str) -> None:
        """Note that the sink refused it for good."""
        key = (delivery.lane, delivery.position.epoch)
        number = delivery.position.number
        outcomes = self._outcomes[key]
        outcomes.voided[number] = Voiding(VoidReason.PARKED, detail)
        if delivery.event.type == LaneVoided.event_type:
            self._unvouched.setdefault(key, []).append(number)
        else:
            outcomes.owed.append(number)
            outcomes.match = delivery.match
        self._on_waiting()

    def take(self) -> tuple[LaneProgress, ...]:
        """Hand all out; before that, call back for each `lane.voided` event that is owed."""
        taken, self._outcomes = self._outcomes, defaultdict(_Outcomes)
        for (lane, epoch), outcomes in taken.items():
            if outcomes.match is not None:
                self._owe(lane, epoch, outcomes, outcomes.match)
        return tuple(
            LaneProgress(lane, epoch, tuple(outcomes.acknowledged), outcomes.voided)
            for (lane, epoch), outcomes in taken.items()
        )

    def _owe(self, lane: LaneKey, epoch: int, outcomes: _Outcomes, match: Match) -> None:
        numbers = sorted([*outcomes.owed, *self._unvouched.pop((lane, epoch), [])])
        detail = outcomes.voided[outcomes.owed[-1]].detail
        found = ranges(numbers)
        for at in range(0, len(found), MAX_VOID_RANGES):
            part = found[at : at + MAX_VOID_RANGES]
            named = tuple(number for first, last in part for number in range(first, last + 1))
            self._voided(LaneVoid(lane, epoch, named, VoidReason.PARKED, detail, match))


def ranges(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return ascending numbers as inclusive ranges."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)
