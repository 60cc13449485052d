"""What a broker's answer to a publish means for the event, for the sink, for the connection. Pure.

Facts: MQTT 5, section 3.4.2.1 (PUBACK reason codes). The question behind each line: would the same
event be taken later without anybody changing it? Then retry. Would others be taken? Then park this
one, so that its lane goes on; a parked event is kept and can be replayed after the fix.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What to do about a refused publish."""

    PARK = "park"
    """The broker will never take this event; others it may."""
    RETRY = "retry"
    """The broker takes nothing for a while."""
    RECONNECT = "reconnect"
    """Something is wrong with the connection, not with the event."""
    UNCLEAR = "unclear"
    """The broker does not say whose fault it is: retry a few times, then park."""


VERDICTS: Final[Mapping[int, Verdict]] = {
    0x80: Verdict.UNCLEAR,  # unspecified error
    0x83: Verdict.UNCLEAR,  # implementation specific error
    0x87: Verdict.PARK,  # not authorized: access rules are per topic, other topics go on
    0x88: Verdict.RETRY,  # server unavailable (seen from gateways before clusters)
    0x89: Verdict.RETRY,  # server busy
    0x90: Verdict.PARK,  # topic name invalid: the same event makes the same topic again
    0x91: Verdict.RECONNECT,  # packet identifier in use: both ends disagree about the session
    0x93: Verdict.RECONNECT,  # receive maximum exceeded: likewise
    0x95: Verdict.PARK,  # packet too large: it never shrinks
    0x97: Verdict.RETRY,  # quota exceeded: a rate, or a full queue, both pass
    0x99: Verdict.PARK,  # payload format invalid: events never change
    0x9A: Verdict.RECONNECT,  # retain not supported: events are not retained, so a confusion
    0x9B: Verdict.RECONNECT,  # QoS not supported: without QoS 1 this broker is no sink
}
"""By reason code; 0x10 (no matching subscribers) is below 0x80 and therefore success."""

RETRY_S: Final = 1.0
"""A broker that is busy is left alone for at least so long; delivery adds its own back-off."""
UNCLEAR_TRIES: Final = 10
"""An event refused so often without a clear reason is parked: it must not block its lane."""


def verdict_on(reason_code: int) -> Verdict:
    """Return what a reason code >= 0x80 means; one that we do not know is unclear."""
    return VERDICTS.get(reason_code, Verdict.UNCLEAR)
