"""When to ping the broker and when to believe that it is gone: the rule, and its timer."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Due(Enum):
    """What is to be done now."""

    NOTHING = auto()
    PING = auto()
    GIVE_UP = auto()


class KeepAlive:
    """Keep-alive of one connection, in seconds of one monotonic clock. Pure.

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
            self._pinged = self._sent = now
            return Due.PING
        return Due.NOTHING


class KeepAliveTimer:
    """Runs a `KeepAlive` on the event loop's clock."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ping: Callable[[], None],
        give_up: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._ping = ping
        self._give_up = give_up
        self._rule = KeepAlive(1.0, loop.time())
        self._timer: asyncio.TimerHandle | None = None
        self.reading = True
        """Whether anybody reads what the broker sends."""

    def start(self, interval_s: float) -> None:
        """Begin, or begin anew with the interval that the broker asks for."""
        self.stop()
        self._rule = KeepAlive(interval_s, self._loop.time())
        self._timer = self._loop.call_later(self._rule.tick_s, self._look)

    def stop(self) -> None:
        """Ping no more."""
        if self._timer is not None:
            self._timer.cancel()

    def received(self) -> None:
        """Note that bytes came in."""
        self._rule.received(self._loop.time())

    def sent(self) -> None:
        """Note that a packet left."""
        self._rule.sent(self._loop.time())

    def _look(self) -> None:
        due = self._rule.due(self._loop.time(), reading=self.reading)
        if due is Due.GIVE_UP:
            self._give_up("the broker does not answer pings")
            return
        if due is Due.PING:
            self._ping()
        self._timer = self._loop.call_later(self._rule.tick_s, self._look)
