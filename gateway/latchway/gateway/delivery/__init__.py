"""From lanes to sinks: windows, turns, what is sent again and when, and what became of it."""

from __future__ import annotations

from latchway.gateway.delivery.engine import DeliveryEngine
from latchway.gateway.delivery.errors import BacklogUnreadable
from latchway.gateway.delivery.pace import Pace
from latchway.gateway.delivery.progress import LaneVoid
from latchway.gateway.delivery.status import DeliveryStatus, LaneTraffic

__all__ = [
    "BacklogUnreadable",
    "DeliveryEngine",
    "DeliveryStatus",
    "LaneTraffic",
    "LaneVoid",
    "Pace",
]
