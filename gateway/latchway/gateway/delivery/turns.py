"""How the lanes of one sink take turns for the places in its window. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from latchway.gateway.delivery.lanes import LaneQueue
    from latchway.outbox.model import Delivery, LaneKey


class Turns:
    """Weighted round robin: a lane sends as many deliveries in its turn as its weight says.

    While several lanes have something to send, each has at most its share of the window in
    flight, so that a backlog never delays another lane by more than one window.
    """

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, LaneQueue] = {}
        self._order: deque[LaneQueue] = deque()
        self._left = 0
        """What the lane at the head of the order may still send in this turn."""

    def __iter__(self) -> Iterator[LaneQueue]:
        return iter(self._lanes.values())

    def get(self, key: LaneKey) -> LaneQueue | None:
        """Return the lane, None if there is none of that key."""
        return self._lanes.get(key)

    def add(self, lane: LaneQueue) -> None:
        """Let one more lane take turns."""
        self._lanes[lane.key] = lane
        self._order.append(lane)
        if len(self._order) == 1:
            self._left = lane.weight

    def take(self, window: int, free: int) -> list[Delivery]:
        """Return up to `free` deliveries to send now; `window` is the whole of the sink."""
        taken: list[Delivery] = []
        active = unsent = 0
        for lane in self._order:
            if lane.waiting:
                active += lane.weight
                unsent += lane.waiting - lane.in_flight
        passed = 0
        while unsent > 0 and len(taken) < free and passed < len(self._order):
            lane = self._order[0]
            sent: list[Delivery] = []
            if lane.waiting > lane.in_flight:
                # Rounded up: the shares together fill the window.
                share = -(-window * lane.weight // active)
                sent = lane.take(min(self._left, free - len(taken), share - lane.in_flight))
                taken += sent
                unsent -= len(sent)
            self._left -= len(sent)
            passed = 0 if sent else passed + 1
            if self._left <= 0 or not sent:
                self._order.rotate(-1)
                self._left = self._order[0].weight
        return taken
