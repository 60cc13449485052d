"""What delivery tells operators about each sink and lane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.gateway.view import SinkStatus

if TYPE_CHECKING:
    from latchway.outbox.model import LaneKey


@dataclass(frozen=True, slots=True)
class LaneTraffic:
    """One lane since delivery started; the account of the outbox has the lasting figures."""

    lane: LaneKey
    waiting: int
    in_flight: int
    acknowledged: int
    parked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus(SinkStatus):
    """A sink's status, with what is shown beside it."""

    throttled: bool = False
    """Connected, but the sink takes nothing until `retry_at`."""
    waiting: int = 0
    acknowledged_per_s: float = 0.0
    lanes: tuple[LaneTraffic, ...] = ()
