"""The CloudEvent of a delivery: what was fixed at storing, and its place in the lane. Pure."""

from __future__ import annotations

from latchway.outbox.model import Delivery


def envelope_attributes(delivery: Delivery) -> dict[str, str]:
    """Return all attributes. `lane` and `lanepos` are all that two sinks' copies differ in."""
    return {
        **delivery.event.attributes,
        "sequence": delivery.sequence,
        "lane": str(delivery.lane),
        "lanepos": f"{delivery.position.number:016d}",
    }
