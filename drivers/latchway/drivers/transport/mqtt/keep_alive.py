"""When to ping the broker and when to believe that it is gone. Pure."""

from __future__ import annotations

from enum import Enum, auto


class Due(Enum):
    """What is to be done now."""

    NOTHING = auto()
    PING = auto()
    GIVE_UP = auto()


class KeepAlive:
    """Keep-alive of one connection, in seconds of one monotonic clock.

    Pings after half an interval of silence in either direction and gives up half an interval
    later. Looked at `tick_s` apart, a dead connection is found within 1.25 intervals.
    """

    def __init__(self, interval_s: float, now: float) -> None:
        self._patience_s = interval_s / 2
        self._received = now
        self._sent = now
        self._pinged: float | None = None
        self.tick_s = interval_s / 8

    def received(self, now: float) -> None:
        """Note that bytes came in."""
        self._received = now
        self._pinged = None

    def sent(self, now: float) -> None:
        """Note that a packet left."""
        self._sent = now

    def due(self, now: float, *, reading: bool) -> Due:
        """Decide; while nothing is read (`reading` False) the broker's silence proves nothing."""
        if not reading:
            self.received(now)
        if self._pinged is not None and now - self._pinged >= self._patience_s:
            return Due.GIVE_UP
        silent = min(self._received, self._sent)
        if self._pinged is None and now - silent >= self._patience_s:
            self._pinged = now
            return Due.PING
        return Due.NOTHING
