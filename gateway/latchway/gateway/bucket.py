"""A token bucket: how rates are held, for events, rejects and log lines. Pure."""

from __future__ import annotations


class TokenBucket:
    """Fills with `rate_per_s` up to `burst`. Times are seconds of one monotonic clock."""

    def __init__(self, rate_per_s: float, burst: float, now: float) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take one token if there is one."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def spend(self, tokens: float, now: float) -> None:
        """Take that many, going into debt where they are not there."""
        self._fill(now)
        self._tokens -= tokens

    def wait_s(self, now: float) -> float:
        """Return for how long the bucket stays in debt; 0 when it is not."""
        self._fill(now)
        return max(0.0, -self._tokens / self._rate)

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
