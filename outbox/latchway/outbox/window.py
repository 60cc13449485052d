"""When done events may go: the replay window, kept as marks of how far each lane was done.

Pure. A mark says "at this time everything below these positions was done". Once a mark is older
than the window, or more than the window's bytes were done since, what lies below it may go.
Marks live in memory only: after a restart the window begins anew, which keeps more, never less.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from latchway.outbox.model import ReplayWindow

MARKS_PER_WINDOW = 32
"""How finely the window is kept: an event stays up to 1/32 of the window longer."""


@dataclass(frozen=True, slots=True)
class LaneMark:
    """All positions of the lane below `done_below` were done; `size` is their bytes."""

    done_below: int
    size: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far everything was done at one time."""

    at: float
    next_sequence: int
    lanes: Mapping[int, LaneMark]
    """By lane id."""


class WindowMarks:
    """The marks that are still needed, oldest first."""

    def __init__(self, window: ReplayWindow, first: Mark) -> None:
        """`first` says what is on disk at the start: nothing before it was ever removable."""
        self._window = window
        self._passed = first
        self._marks: deque[Mark] = deque()

    @property
    def passed(self) -> Mark:
        """The newest mark below which all may go."""
        return self._passed

    def advance(self, now: Mark, unrouted_since: Callable[[int], int]) -> None:
        """Take in how far things are now, which may move `passed` on.

        `unrouted_since(sequence)` tells the bytes of stored events from that sequence on which
        no route matched.
        """
        self._add(now)
        while self._marks and now.at - self._marks[0].at >= self._window.seconds:
            self._passed = self._marks.popleft()
        while self._marks and self._kept(now, unrouted_since) > self._window.size_bytes:
            self._passed = self._marks.popleft()

    def reopen(self, lane_id: int, position: int) -> None:
        """Positions from this one on wait again or may: their window begins anew when done."""
        self._passed = _cut(self._passed, lane_id, position)
        self._marks = deque(_cut(mark, lane_id, position) for mark in self._marks)

    def _add(self, now: Mark) -> None:
        spacing = self._window.seconds / MARKS_PER_WINDOW
        if self._marks and now.at - self._marks[-1].at < spacing:
            new_bytes = self._kept_between(self._marks[-1], now)
            if new_bytes * MARKS_PER_WINDOW < self._window.size_bytes:
                return
        self._marks.append(now)

    def _kept(self, now: Mark, unrouted_since: Callable[[int], int]) -> int:
        routed = self._kept_between(self._passed, now)
        return routed + unrouted_since(self._passed.next_sequence)

    @staticmethod
    def _kept_between(old: Mark, now: Mark) -> int:
        nothing = LaneMark(1, 0)
        return sum(
            max(0, lane.size - old.lanes.get(lane_id, nothing).size)
            for lane_id, lane in now.lanes.items()
        )


def _cut(mark: Mark, lane_id: int, position: int) -> Mark:
    lane = mark.lanes.get(lane_id)
    if lane is None or lane.done_below <= position:
        return mark
    return replace(mark, lanes={**mark.lanes, lane_id: replace(lane, done_below=position)})
