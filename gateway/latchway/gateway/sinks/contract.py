"""The contract of a sink: a destination of events outside the hub, with one connection at a time.

Implemented once per folder beside this file, used by `gateway.delivery`. A sink sends and
classifies the answers; windows, turns, back-off and what is sent again belong to delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from latchway.outbox.model import Delivery

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from random import Random

    from latchway.drivers.contract import Clock


@dataclass(frozen=True, slots=True)
class Accepted:
    """The sink has the event for good."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The sink will never take this event: it is parked, and the lane goes on behind it."""

    detail: str
    """What the sink said, in words for an operator."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The sink takes nothing at the moment: all its lanes wait, then this event is sent again."""

    after_s: float
    detail: str


Answer: TypeAlias = Accepted | Refused | Retry
ACCEPTED = Accepted()

Report: TypeAlias = Callable[[Delivery, Answer], None]
"""Takes the answer to one delivery. Called on the event loop, in any order, at most once each."""


class SinkConnection(Protocol):
    """A live connection. It ends by `wait_closed`, or by `SinkDisconnected` out of `send`."""

    @property
    def window(self) -> int:
        """How many deliveries may be unanswered at once; may change while connected."""
        ...

    async def send(self, deliveries: Sequence[Delivery], report: Report) -> None:
        """Hand all of them over, in this order; return when that is done.

        Answers come through `report`, then or later. A delivery without an answer when the
        connection ends is unacknowledged: it is sent again. Raises `SinkDisconnected`.
        """
        ...

    async def wait_closed(self) -> None:
        """Wait until the connection has ended by itself. Raises `SinkDisconnected` with why."""
        ...


class Sink(Protocol):
    """A configured destination. It keeps nothing between two connections that could be lost."""

    @property
    def type(self) -> str:
        """Kind of sink as the config spells it."""
        ...

    def connect(self) -> AbstractAsyncContextManager[SinkConnection]:
        """One connection; raises `SinkUnreachable` on entering. Leaving says good-bye."""
        ...


@dataclass(frozen=True, slots=True)
class SinkEnvironment:
    """What a sink may use of the gateway it runs in."""

    hub: str
    """The hub's id, as in the events' `source`."""
    clock: Clock
    random: Random
