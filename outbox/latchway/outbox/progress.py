"""Applies what became of deliveries: acknowledged, voided, replayed.

Runs inside the writing connection's thread. Acknowledging touches no delivery row: the lane's
row carries the set of positions that are done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from latchway.outbox import statements
from latchway.outbox.errors import UnknownPosition
from latchway.outbox.model import LaneKey, LaneProgress, Position, Voiding
from latchway.schemas import VoidReason

if TYPE_CHECKING:
    import sqlite3

    from latchway.outbox.ledger import Draft, Lane


class ProgressWriter:
    """Takes the progress of lanes of one transaction.

    Saying the same thing twice changes nothing: the first word about a position stands until it
    is replayed.
    """

    def __init__(self, connection: sqlite3.Connection, draft: Draft, at_ms: int) -> None:
        self._connection = connection
        self._draft = draft
        self._at_ms = at_ms
        self.lowest_replayed: dict[int, int] = {}
        """By lane id."""
        self.not_replayable: list[tuple[LaneKey, Position]] = []

    def add(self, progress: LaneProgress) -> None:
        """Apply progress; raises `UnknownPosition` for a position that was never given out."""
        lane = self._draft.lane(progress.lane, progress.epoch)
        if lane is None:
            raise UnknownPosition(
                f"lane {progress.lane} has no epoch {progress.epoch}, so nothing can become of it"
            )
        _check(lane, progress.acknowledged)
        _check(lane, progress.voided)
        _check(lane, progress.replayed)
        newly_done = sum(map(lane.done.add, progress.acknowledged))
        lane.acknowledged += newly_done
        lane.waiting -= newly_done
        if progress.voided:
            self._void(lane, progress.voided)
        for position in progress.replayed:
            self._replay(lane, position)

    def _void(self, lane: Lane, voided: Mapping[int, Voiding]) -> None:
        news = [(position, voided[position]) for position in sorted(voided)]
        news = [(position, voiding) for position, voiding in news if lane.done.add(position)]
        lane.waiting -= len(news)
        parked = [
            (lane.id, position, voiding.detail, self._at_ms)
            for position, voiding in news
            if voiding.reason is VoidReason.PARKED
        ]
        lane.parked += len(parked)
        self._connection.executemany(statements.INSERT_PARKED, parked)
        given_up = [new for new in news if new[1].reason is not VoidReason.PARKED]
        for _, voiding in given_up:
            _count_given_up(lane, voiding.reason)
        runs = [
            (lane.id, first, last, voiding.reason.value, voiding.detail, self._at_ms)
            for first, last, voiding in _runs(given_up)
        ]
        self._connection.executemany(statements.INSERT_VOIDED, runs)

    def _replay(self, lane: Lane, position: int) -> None:
        if position not in lane.done:
            return
        if self._connection.execute(statements.TAKE_PARKED, (lane.id, position)).rowcount:
            lane.parked -= 1
        elif self._can_be_sent_again(lane, position):
            lane.acknowledged -= 1
        else:
            self.not_replayable.append((lane.key, Position(lane.epoch, position)))
            return
        lane.done.discard(position)
        lane.waiting += 1
        lane.removed_below = min(lane.removed_below, position)
        lowest = self.lowest_replayed.get(lane.id, position)
        self.lowest_replayed[lane.id] = min(lowest, position)

    def _can_be_sent_again(self, lane: Lane, position: int) -> bool:
        where = (lane.id, position)
        voided = self._connection.execute(statements.VOIDED_AT_OR_BELOW, where).fetchone()
        if voided is not None and voided[0] >= position:
            return False
        return self._connection.execute(statements.HAS_DELIVERY, where).fetchone() is not None


def _check(lane: Lane, positions: Iterable[int]) -> None:
    for position in positions:
        if not 0 < position < lane.next_number:
            raise UnknownPosition(
                f"lane {lane.key} epoch {lane.epoch} has given out positions below "
                f"{lane.next_number}, so nothing can become of position {position}"
            )


def _count_given_up(lane: Lane, reason: VoidReason) -> None:
    if reason is VoidReason.EXPIRED:
        lane.expired += 1
    elif reason is VoidReason.COMPACTED:
        lane.compacted += 1
    elif reason is VoidReason.DROPPED:
        lane.dropped += 1
    else:
        lane.withdrawn += 1


def _runs(voided: list[tuple[int, Voiding]]) -> list[tuple[int, int, Voiding]]:
    """Adjacent positions that were given up alike, as (first, last, why)."""
    runs: list[tuple[int, int, Voiding]] = []
    for position, voiding in voided:
        if runs and runs[-1][1] == position - 1 and runs[-1][2] == voiding:
            runs[-1] = (runs[-1][0], position, voiding)
        else:
            runs.append((position, position, voiding))
    return runs
