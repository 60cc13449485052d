"""What the outbox keeps in memory of its file: the next numbers, lanes and known routes.

A `Ledger` is what is on disk. A transaction changes a `Draft` of it, which takes the ledger's
place only when the commit has succeeded, so a failed commit leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from latchway.outbox.model import LaneAccount, LaneKey, LaneStatus, Match
from latchway.outbox.positions import PositionSet

RouteKey = tuple[str, int, str | None, str | None]
"""Route, its version, schema pin, projection: what `Match` says beside the lane."""


def route_key(match: Match) -> RouteKey:
    """The part of a match that the routes table stores once."""
    return (match.route, match.route_version, match.schema_pin, match.projection)


@dataclass(slots=True)
class Lane:
    """One lane of one epoch, as its row says."""

    id: int
    key: LaneKey
    epoch: int
    next_number: int = 1
    done: PositionSet = field(default_factory=PositionSet)
    routed: int = 0
    acknowledged: int = 0
    waiting: int = 0
    parked: int = 0
    expired: int = 0
    compacted: int = 0
    dropped: int = 0
    withdrawn: int = 0
    bytes_routed: int = 0
    removed_below: int = 1
    rows_removed: int = 0

    def route(self, size: int) -> int:
        """Give out the next position to an event of that size."""
        number = self.next_number
        self.next_number = number + 1
        self.routed += 1
        self.waiting += 1
        self.bytes_routed += size
        return number

    def copy(self) -> Lane:
        """An independent copy."""
        return replace(self, done=self.done.copy())

    def status(self) -> LaneStatus:
        """What others may know of it."""
        return LaneStatus(self.key, self.epoch, self.next_number, self.done.copy(), self.waiting)

    def account(self) -> LaneAccount:
        """Its line of the account."""
        return LaneAccount(
            lane=self.key,
            epoch=self.epoch,
            routed=self.routed,
            acknowledged=self.acknowledged,
            waiting=self.waiting,
            parked=self.parked,
            expired=self.expired,
            compacted=self.compacted,
            dropped=self.dropped,
            withdrawn=self.withdrawn,
        )


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is on disk. Never changed, only replaced."""

    epoch: int
    next_sequence: int
    marked_clean: bool
    lanes: Mapping[tuple[LaneKey, int], Lane]
    routes: Mapping[RouteKey, int]


class Draft:
    """A ledger as it will be if the transaction succeeds; only touched lanes are copied."""

    def __init__(self, base: Ledger) -> None:
        self.base = base
        self.epoch = base.epoch
        self.next_sequence = base.next_sequence
        self.marked_clean = base.marked_clean
        self.touched: dict[tuple[LaneKey, int], Lane] = {}
        self.new_routes: dict[RouteKey, int] = {}

    def lane(self, key: LaneKey, epoch: int) -> Lane | None:
        """The lane, ready to be changed; None if there is none."""
        lane = self.touched.get((key, epoch))
        if lane is None:
            stored = self.base.lanes.get((key, epoch))
            if stored is not None:
                lane = self.touched[(key, epoch)] = stored.copy()
        return lane

    def current_lane(self, key: LaneKey) -> Lane:
        """The lane in the epoch in force, opened if this is its first delivery."""
        lane = self.lane(key, self.epoch)
        if lane is None:
            known = (*self.base.lanes.values(), *self.touched.values())
            lane = Lane(max((one.id for one in known), default=0) + 1, key, self.epoch)
            self.touched[(key, self.epoch)] = lane
        return lane

    def route_id(self, match: Match) -> int:
        """The number under which the routes table stores the match's route."""
        key = route_key(match)
        number = self.base.routes.get(key) or self.new_routes.get(key)
        if number is None:
            number = len(self.base.routes) + len(self.new_routes) + 1
            self.new_routes[key] = number
        return number

    def take_sequence(self) -> int:
        """Give out the next number of the hub's sequence."""
        number = self.next_sequence
        self.next_sequence = number + 1
        return number

    def ledger(self) -> Ledger:
        """The ledger after the commit."""
        return Ledger(
            epoch=self.epoch,
            next_sequence=self.next_sequence,
            marked_clean=self.marked_clean,
            lanes={**self.base.lanes, **self.touched},
            routes={**self.base.routes, **self.new_routes} if self.new_routes else self.base.routes,
        )
