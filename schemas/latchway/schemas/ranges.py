"""A set of whole numbers kept as ranges: small while it has few holes. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator


class Ranges:
    """A growing set of whole numbers."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._firsts, number) - 1
        return index >= 0 and number <= self._lasts[index]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges, lowest first, both ends included."""
        return zip(self._firsts, self._lasts, strict=True)

    @property
    def highest(self) -> int | None:
        """The highest number; None while empty."""
        return self._lasts[-1] if self._lasts else None

    def add(self, first: int, last: int) -> None:
        """Add the numbers from `first` to `last`, both included."""
        if first > last:
            raise ValueError(f"a range runs upwards, got {first} to {last}")
        left = bisect_right(self._firsts, first)
        if left and self._lasts[left - 1] >= first - 1:
            left -= 1
            first = self._firsts[left]
        right = bisect_right(self._firsts, last + 1)
        if right > left:
            last = max(last, self._lasts[right - 1])
        self._firsts[left:right] = [first]
        self._lasts[left:right] = [last]

    def missing(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges between `first` and `last`, both included, that are not in the set."""
        for start, end in self:
            if end < first:
                continue
            if start > last:
                break
            if start > first:
                yield first, start - 1
            first = end + 1
        if first <= last:
            yield first, last
