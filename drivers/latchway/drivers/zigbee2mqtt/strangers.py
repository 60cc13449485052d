"""Messages under names that the bridge does not list: which of them are kept as rejects. Pure.

They are judged a moment after they came: the list that names a new device, or the group, may be
on its way on the other connection.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from latchway.drivers.zigbee2mqtt.redaction import without_secrets

GRACE_S = 2.0
"""A list may come that much later than the first message under a name that it brings or drops."""
WAITING_LIMIT = 1000
KEPT_PER_S = 10.0
KEPT_BURST = 500.0
"""Beyond this rate messages are only counted: locks share the way to the gateway."""
COUNT_EVERY_S = 60.0
_SHOWN_NAME = 64


@dataclass(frozen=True, slots=True)
class Stranger:
    """One message under a name that is perhaps not listed, without codes."""

    topic: str
    name: str
    shown: bytes
    judged_at: float


def reason(name: str) -> str:
    """Say why a message under that name is kept."""
    return f"unknown_device: the bridge lists no device named '{name[:_SHOWN_NAME]}'"


class Strangers:
    """What was heard under names that are not listed. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._listed: frozenset[str] | None = None
        self._dropped: dict[str, float] = {}
        self._elsewhere: set[str] = set()
        self._waiting: deque[Stranger] = deque()
        self._allowance = KEPT_BURST
        self._allowed_at = 0.0
        self._uncounted = 0
        self._count_due: float | None = None

    def know(self, listed: frozenset[str] | None, now: float) -> None:
        """Take in all names of devices and groups; None: no list came yet, nobody is judged."""
        before, self._listed = self._listed, listed
        self._dropped = {name: at for name, at in self._dropped.items() if at > now - GRACE_S}
        if before is not None and listed is not None:
            self._dropped |= dict.fromkeys(before - listed, now)

    def leave(self, name: str) -> None:
        """Say that another subscription still stands for that name: there it is dealt with."""
        self._elsewhere.add(name)

    def leave_none(self) -> None:
        """Say that the other subscriptions are gone."""
        self._elsewhere.clear()

    def hear(self, topic: str, name: str, payload: bytes, now: float) -> bool:
        """Take in a message; tell whether there is something new to judge."""
        listed = self._listed
        if listed is None or name in listed or not payload or name in self._elsewhere:
            return False
        if now - self._dropped.get(name, now - GRACE_S) < GRACE_S:
            return False
        if len(self._waiting) >= WAITING_LIMIT:
            self._pass_over(now)
        else:
            shown = without_secrets(payload)
            self._waiting.append(Stranger(topic, name, shown, now + GRACE_S))
        return True

    @property
    def deadline(self) -> float | None:
        """When `judge` or `take_count` has something to say; None if neither has."""
        times = [self._waiting[0].judged_at] if self._waiting else []
        times += [] if self._count_due is None else [self._count_due]
        return min(times, default=None)

    def judge(self, now: float) -> Stranger | None:
        """Return the next message to be kept, None if there is none now."""
        while self._waiting and self._waiting[0].judged_at <= now:
            stranger = self._waiting.popleft()
            if stranger.name in (self._listed or ()) or stranger.name in self._elsewhere:
                continue
            if self._may_keep(now):
                return stranger
            self._pass_over(now)
        return None

    def take_count(self, now: float) -> int:
        """Return how many messages were passed over since the last count, 0 if it is not time."""
        if self._count_due is None or now < self._count_due:
            return 0
        count, self._uncounted, self._count_due = self._uncounted, 0, None
        return count

    def _pass_over(self, now: float) -> None:
        self._uncounted += 1
        if self._count_due is None:
            self._count_due = now + COUNT_EVERY_S

    def _may_keep(self, now: float) -> bool:
        earned = (now - self._allowed_at) * KEPT_PER_S
        self._allowance = min(KEPT_BURST, self._allowance + earned)
        self._allowed_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True
