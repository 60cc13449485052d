"""How long to wait before the next connection: longer each time, and never in step with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

FIRST_S = 0.5
LONGEST_S = 60.0


class Backoff:
    """Doubles its bound from `FIRST_S` to `LONGEST_S`; a wait is anywhere below (full jitter)."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._bound_s = FIRST_S

    def reset(self) -> None:
        """Begin with short waits again: a connection worked."""
        self._bound_s = FIRST_S

    def next_s(self) -> float:
        """Return the next wait in seconds."""
        bound, self._bound_s = self._bound_s, min(2 * self._bound_s, LONGEST_S)
        return self._random.uniform(0, bound)
