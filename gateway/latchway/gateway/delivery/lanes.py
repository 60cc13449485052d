"""What waits in one lane, and in which order it goes out. Pure.

A lane's deliveries wait on disk; the newest also in a bounded tail in memory, so that a lane
that keeps up never reads. A lane that fell behind reads pages, and returns to the tail when it
has caught up. Used by the task of the lane's sink, which alone changes it, and fed by `offer`.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from latchway.schemas import LaneClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from latchway.gateway.delivery.pace import Pace
    from latchway.outbox.model import Delivery, LaneKey, Position

WEIGHTS: Final[Mapping[LaneClass, int]] = {LaneClass.MAIN: 4, LaneClass.BULK: 1}
"""Deliveries that a lane sends in one turn, equal among vendors (design section 8)."""
_ATTRIBUTES_BYTES: Final = 600
"""What the attributes of one event take, roughly, beside its data."""


class LaneStart(Protocol):
    """What the outbox says of one lane and epoch when delivery starts; its `LaneStatus`."""

    @property
    def lane(self) -> LaneKey: ...
    @property
    def epoch(self) -> int: ...
    @property
    def next_number(self) -> int: ...
    @property
    def waiting(self) -> int: ...


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page that a lane wants from disk: waiting positions of an epoch above `after`."""

    lane: LaneKey
    epoch: int
    after: int
    limit: int
    committed: int
    """The highest position that was on disk when the request was made."""


class EpochQueue:
    """One epoch of a lane: what was never handed out, in order of position."""

    def __init__(self, epoch: int, *, loaded: int, committed: int) -> None:
        self.epoch = epoch
        self._loaded = loaded
        """All that waits up to this position was handed out or is in the tail."""
        self._committed = committed
        self._tail: deque[Delivery] = deque()
        self._tail_bytes = 0

    @property
    def exhausted(self) -> bool:
        return not self._tail and self._loaded >= self._committed

    @property
    def behind(self) -> bool:
        """Whether there are positions that only the disk knows."""
        return self._loaded < self._committed

    @property
    def in_memory(self) -> int:
        return len(self._tail)

    def offer(self, delivery: Delivery, pace: Pace) -> None:
        """Take a new delivery into the tail if it fits and nothing before it is on disk only.

        A page may have brought it already: it was on disk before it was offered.
        """
        number = delivery.position.number
        caught_up = not self.behind
        self._committed = max(self._committed, number)
        fits = len(self._tail) < pace.tail_deliveries and self._tail_bytes < pace.tail_bytes
        if caught_up and fits and number > self._loaded:
            self._append(delivery)

    def load(self, page: Sequence[Delivery], request: PageRequest) -> None:
        """Take a page read from disk. A page that is not full ends at what was on disk then."""
        for delivery in page:
            if delivery.position.number > self._loaded:
                self._append(delivery)
        if len(page) < request.limit:
            self._loaded = max(self._loaded, request.committed)
        self._committed = max(self._committed, self._loaded)

    def request(self, lane: LaneKey, limit: int) -> PageRequest:
        return PageRequest(lane, self.epoch, self._loaded, limit, self._committed)

    def pop(self, count: int) -> list[Delivery]:
        popped = [self._tail.popleft() for _ in range(min(count, len(self._tail)))]
        for delivery in popped:
            self._tail_bytes -= _size(delivery)
        return popped

    def _append(self, delivery: Delivery) -> None:
        self._tail.append(delivery)
        self._tail_bytes += _size(delivery)
        self._loaded = delivery.position.number


class LaneQueue:
    """One lane: what is in flight, what goes again, and what was never sent, oldest epoch first.

    The order of the first sends is that of the positions. What is sent again goes before all
    that was never sent, from the lowest position.
    """

    def __init__(self, key: LaneKey, pace: Pace) -> None:
        self.key = key
        self.weight = WEIGHTS[key.lane_class]
        self.waiting = 0
        """Positions without an outcome: on disk, in memory, in flight."""
        self.acknowledged = 0
        self.parked = 0
        self._pace = pace
        self._in_flight: dict[Position, Delivery] = {}
        self._again: list[Delivery] = []
        self._epochs: deque[EpochQueue] = deque()

    def start(self, status: LaneStart) -> None:
        """Add what the outbox holds of one epoch; epochs come in ascending order."""
        committed = status.next_number - 1
        loaded = 0 if status.waiting else committed
        self._epochs.append(EpochQueue(status.epoch, loaded=loaded, committed=committed))
        self.waiting += status.waiting

    def offer(self, delivery: Delivery) -> None:
        """Take a delivery that was just committed; deliveries come in order of position."""
        epoch = delivery.position.epoch
        if not self._epochs or self._epochs[-1].epoch < epoch:
            before = delivery.position.number - 1
            self._epochs.append(EpochQueue(epoch, loaded=before, committed=before))
        self._epochs[-1].offer(delivery, self._pace)
        self.waiting += 1

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def idle(self) -> bool:
        """Whether nothing of this lane waits for its sink."""
        return not self.waiting or (
            not self._in_flight and not self._again and self._next_epoch() is None
        )

    @property
    def starving(self) -> bool:
        """Whether the lane could send if only a page was read from disk."""
        if not self.waiting:
            return False
        epoch = self._next_epoch()
        return not self._again and epoch is not None and not epoch.in_memory and epoch.behind

    def runs_low(self) -> bool:
        """Whether the next page should be read while there is time."""
        if not self.waiting:
            return False
        epoch = self._next_epoch()
        return epoch is not None and epoch.behind and epoch.in_memory < self._pace.page // 2

    def page_request(self) -> PageRequest | None:
        """Return what to read from disk; None if the lane is all in memory."""
        epoch = self._next_epoch()
        if epoch is None or not epoch.behind:
            return None
        return epoch.request(self.key, self._pace.page)

    def load(self, page: Sequence[Delivery], request: PageRequest) -> None:
        """Take a page that was read from disk."""
        for epoch in self._epochs:
            if epoch.epoch == request.epoch:
                epoch.load(page, request)

    def take(self, count: int) -> list[Delivery]:
        """Return up to `count` deliveries to send now; they count as in flight from here on."""
        if count <= 0:
            return []
        taken = self._again[:count]
        del self._again[:count]
        while len(taken) < count and (epoch := self._next_epoch()) is not None:
            popped = epoch.pop(count - len(taken))
            if not popped:
                break
            taken += popped
        for delivery in taken:
            self._in_flight[delivery.position] = delivery
        return taken

    def settle(self, delivery: Delivery) -> bool:
        """Note that a delivery is answered; False if it was not in flight."""
        return self._in_flight.pop(delivery.position, None) is not None

    def postpone(self, delivery: Delivery) -> None:
        """Send a delivery again that was just settled without an outcome."""
        insort(self._again, delivery, key=_position)

    def recall(self) -> int:
        """Send all again that is in flight, because its connection is gone; return how many."""
        recalled = len(self._in_flight)
        self._again = sorted([*self._again, *self._in_flight.values()], key=_position)
        self._in_flight.clear()
        return recalled

    def _next_epoch(self) -> EpochQueue | None:
        while self._epochs:
            if not self._epochs[0].exhausted:
                return self._epochs[0]
            if len(self._epochs) == 1:
                return None
            self._epochs.popleft()
        return None


def _position(delivery: Delivery) -> Position:
    return delivery.position


def _size(delivery: Delivery) -> int:
    return len(delivery.event.data) + _ATTRIBUTES_BYTES
