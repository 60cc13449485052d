"""Hands events to those who follow, as they are stored, without ever waiting for a follower.

The writer calls `publish` after each commit; each follower has a bounded buffer. A follower whose
buffer is full gets what it holds, and is then cut off with the count of what it missed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

from latchway.gateway.view import TooManyFollowers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from latchway.outbox import StoredEvent


class Subscription:
    """One follower's buffer. Implements `EventSubscription`."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: deque[StoredEvent] = deque()
        self._missed = 0
        self._closed = False
        self._changed = asyncio.Event()

    async def next_events(self, most: int) -> tuple[StoredEvent, ...]:
        """Wait for the next events, `most` at a time; empty once there will be no more."""
        while not self._events and not self._missed and not self._closed:
            self._changed.clear()
            await self._changed.wait()
        return tuple(self._events.popleft() for _ in range(min(most, len(self._events))))

    def offer(self, events: Sequence[StoredEvent]) -> None:
        """Take what fits, in order; after the first event that does not fit take nothing."""
        room = 0 if self._missed else self._capacity - len(self._events)
        self._events.extend(events[:room])
        self._missed += max(0, len(events) - room)
        self._changed.set()

    def abandon(self) -> int:
        """Take no more; return how many events the follower did not get."""
        self._missed += len(self._events)
        self._events.clear()
        self._closed = True
        return self._missed

    def close(self) -> None:
        """Let the follower have what is left, then end."""
        self._closed = True
        self._changed.set()


class EventFeed:
    """All followers. `publish` and `close` belong to the daemon, `follow` to the API."""

    def __init__(self, *, followers: int = 16, buffer: int = 1000) -> None:
        self._limit = followers
        self._buffer = buffer
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    def publish(self, events: Sequence[StoredEvent]) -> None:
        """Offer events that are on disk to every follower; returns at once."""
        for subscription in self._subscriptions:
            subscription.offer(events)

    @contextlib.contextmanager
    def follow(self) -> Iterator[Subscription]:
        """Follow from now on. Raises `TooManyFollowers`."""
        if len(self._subscriptions) >= self._limit:
            raise TooManyFollowers(
                f"{self._limit} clients follow the events already, which is the most; "
                "end one of them and try again"
            )
        subscription = Subscription(self._buffer)
        self._subscriptions.add(subscription)
        if self._closed:
            subscription.close()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every follower, now and later: the gateway is ending."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()
