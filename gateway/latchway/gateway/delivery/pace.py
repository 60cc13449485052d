"""How long delivery waits, and how much it keeps in memory: every constant, and the back-off."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds. The defaults are those of design sections 8 and 9."""

    backoff_first_s: float = 0.5
    backoff_most_s: float = 60.0
    settled_after_s: float = 10.0
    """A connection that lasted so long was a success: the back-off begins anew."""
    return_within_s: float = 5.0
    """After a server ended the connection, the first reconnect comes within this time."""
    tail_deliveries: int = 1000
    tail_bytes: int = 4 * 1024 * 1024
    """Bounds of what one lane keeps in memory; beyond them it is read from disk."""
    page: int = 500
    """Deliveries read from disk at a time."""


DEFAULT_PACE: Final = Pace()


class Backoff:
    """Exponential back-off with full jitter: each delay is random between 0 and the ceiling."""

    def __init__(self, pace: Pace, random: Random) -> None:
        self._pace = pace
        self._random = random
        self._ceiling = pace.backoff_first_s

    def next_delay_s(self) -> float:
        """Return how long to wait now; the ceiling of the next one is twice as high."""
        delay = self._random.uniform(0.0, self._ceiling)
        self._ceiling = min(self._pace.backoff_most_s, self._ceiling * 2)
        return delay

    def reset(self) -> None:
        """Begin anew after a success."""
        self._ceiling = self._pace.backoff_first_s


class RateMeter:
    """Events per second over about the last ten seconds, from a counter that only grows."""

    _SPAN_S = 10.0

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=int(self._SPAN_S) + 1)

    def sample(self, now: float, total: int) -> None:
        """Note the counter, at most once per second."""
        if not self._samples or now - self._samples[-1][0] >= 1.0:
            self._samples.append((now, total))

    def per_second(self, now: float, total: int) -> float:
        """Return the rate since the oldest sample within the span."""
        while self._samples and now - self._samples[0][0] > self._SPAN_S:
            self._samples.popleft()
        if not self._samples or now <= self._samples[0][0]:
            return 0.0
        since, before = self._samples[0]
        return (total - before) / (now - since)
