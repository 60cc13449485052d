"""A set of positions as sorted ranges: small while almost everything below a point is in it.

Pure. Used for what is done in a lane; its text (`1-41,43`) is what the lanes table stores.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class PositionSet:
    """Positions (counting from 1) as disjoint, non-adjacent, ascending ranges."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add_range(first, last)

    @classmethod
    def from_text(cls, text: str) -> PositionSet:
        """Read what `to_text` wrote; raises ValueError for anything else."""
        positions = cls()
        end_before = -1
        for part in text.split(",") if text else ():
            first_text, dash, last_text = part.partition("-")
            first = int(first_text)
            last = int(last_text) if dash else first
            if first < 1 or last < first or first <= end_before + 1:
                raise ValueError(f"{text!r} is no position set: {part!r} is out of order")
            positions._firsts.append(first)
            positions._lasts.append(last)
            end_before = last
        return positions

    def to_text(self) -> str:
        """The ranges as text, such as `1-41,43`; empty for the empty set."""
        return ",".join(
            str(first) if first == last else f"{first}-{last}"
            for first, last in zip(self._firsts, self._lasts, strict=True)
        )

    def add(self, position: int) -> bool:
        """Add a position; return whether it was missing."""
        if position < 1:
            raise ValueError(f"positions count from 1, got {position}")
        at = bisect_right(self._firsts, position)
        if at and position <= self._lasts[at - 1]:
            return False
        joins_left = at > 0 and self._lasts[at - 1] == position - 1
        joins_right = at < len(self._firsts) and self._firsts[at] == position + 1
        if joins_left and joins_right:
            self._lasts[at - 1] = self._lasts.pop(at)
            del self._firsts[at]
        elif joins_left:
            self._lasts[at - 1] = position
        elif joins_right:
            self._firsts[at] = position
        else:
            self._firsts.insert(at, position)
            self._lasts.insert(at, position)
        return True

    def add_range(self, first: int, last: int) -> None:
        """Add all positions from first to last, both included."""
        if first < 1 or last < first:
            raise ValueError(f"{first}-{last} is no range of positions")
        low = bisect_right(self._lasts, first - 2)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def discard(self, position: int) -> bool:
        """Remove a position; return whether it was there."""
        at = bisect_right(self._firsts, position) - 1
        if at < 0 or position > self._lasts[at]:
            return False
        first, last = self._firsts[at], self._lasts[at]
        rest = [(first, position - 1), (position + 1, last)]
        kept = [(low, high) for low, high in rest if low <= high]
        self._firsts[at : at + 1] = [low for low, _ in kept]
        self._lasts[at : at + 1] = [high for _, high in kept]
        return True

    @property
    def lowest_missing(self) -> int:
        """The lowest position that is not in the set: everything below it is."""
        return self.next_missing(0)

    def next_missing(self, after: int) -> int:
        """The lowest position above `after` that is not in the set."""
        candidate = after + 1
        at = bisect_right(self._firsts, candidate) - 1
        if at >= 0 and candidate <= self._lasts[at]:
            return self._lasts[at] + 1
        return candidate

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The ranges, ascending, both ends included."""
        return tuple(zip(self._firsts, self._lasts, strict=True))

    def copy(self) -> PositionSet:
        """An independent copy."""
        twin = PositionSet()
        twin._firsts = self._firsts.copy()
        twin._lasts = self._lasts.copy()
        return twin

    def __contains__(self, position: int) -> bool:
        at = bisect_right(self._firsts, position) - 1
        return at >= 0 and position <= self._lasts[at]

    def __iter__(self) -> Iterator[int]:
        for first, last in zip(self._firsts, self._lasts, strict=True):
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PositionSet):
            return NotImplemented
        return self._firsts == other._firsts and self._lasts == other._lasts

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"PositionSet({self.to_text()!r})"
