"""How fast a sink may be sent to: two token buckets, messages and bytes per second. Pure.

Presets for known brokers (users.md, "a good citizen") will be instances of `ShapingProfile`.
"""

from __future__ import annotations

from dataclasses import dataclass

from latchway.gateway.bucket import TokenBucket


@dataclass(frozen=True, slots=True)
class ShapingProfile:
    """What the other side allows on one connection; None where it sets no limit."""

    messages_per_s: float | None = None
    bytes_per_s: float | None = None
    burst_s: float = 1.0
    """A connection that was quiet may send what this many seconds allow at once."""


class Shaper:
    """Spaces the messages of one connection. A message waits for the slower of both buckets."""

    def __init__(self, profile: ShapingProfile, now: float) -> None:
        self._buckets: list[tuple[TokenBucket, bool]] = []
        for per_s, counts_bytes in (
            (profile.messages_per_s, False),
            (profile.bytes_per_s, True),
        ):
            if per_s is not None:
                capacity = max(1.0, per_s * profile.burst_s)
                self._buckets.append((TokenBucket(per_s, capacity, now), counts_bytes))

    @property
    def unlimited(self) -> bool:
        """Whether nothing ever has to wait."""
        return not self._buckets

    def wait_s(self, size: int, now: float) -> float:
        """Count one message of `size` bytes; return how long to wait before sending it."""
        for bucket, counts_bytes in self._buckets:
            bucket.spend(size if counts_bytes else 1, now)
        return max((bucket.wait_s(now) for bucket, _ in self._buckets), default=0.0)
