"""Says what is promised for the time when we are away, and what may have been missed. Pure.

The broker keeps messages only if they are published at QoS 1 into a session that it kept; the
first is seen from the QoS that arrives, the second when we come back.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from latchway.drivers.contract import DeliveryClass
from latchway.schemas import DeviceCoverageGap
from latchway.schemas.vocabulary import CoverageReason

if TYPE_CHECKING:
    from collections.abc import Container

    from pydantic import JsonValue

    from latchway.drivers.zigbee2mqtt.attributes import Moment

COVERAGE = "coverage"
"""Cursor that holds until when we were there, and under which class."""
NOTE_EVERY_S = 60.0
_SHOWN_NAMES = 3


class Coverage:
    """What the broker keeps for us, and until when we are known to have heard everything."""

    def __init__(self, stored: JsonValue, *, keeps_session: bool) -> None:
        self._keeps_session = keeps_session
        self._until: datetime | None = None
        self._class = DeliveryClass.LIVE
        self._noted_at: float | None = None
        self._was_connected = False
        self.heard_qos: dict[str, int] = {}
        """The QoS at which the last message of each lock arrived, by name."""
        self.session_forgotten = False
        """The broker had our session once and has not kept it."""
        self.under_new_names: DeviceCoverageGap | None = None
        """What the session did not cover: topics of names that locks were given meanwhile."""
        match stored:
            case {"until": str() as until, "class": str() as name}:
                with suppress(ValueError):  # of another version
                    self._until = datetime.fromisoformat(until)
                    self._class = DeliveryClass(name)

    @property
    def until(self) -> datetime | None:
        """Last instant at which we were there; None before the first."""
        return self._until

    def connected(self, moment: Moment, *, session_present: bool) -> DeviceCoverageGap | None:
        """Take in a new connection; return the gap that it ends, None if nothing can be missing."""
        until, self._until = self._until, moment.now
        away = CoverageReason.BROKER_DOWN if self._was_connected else CoverageReason.WORKER_DOWN
        self._was_connected = True
        self.under_new_names = None
        self.session_forgotten = self._keeps_session and until is not None and not session_present
        if until is None:
            return None
        if session_present and self._class is DeliveryClass.QUEUED:
            self.under_new_names = DeviceCoverageGap(reason=away, since=until, until=moment.now)
            return None
        reason = CoverageReason.SESSION_LOST if self._class is DeliveryClass.QUEUED else away
        return DeviceCoverageGap(reason=reason, since=until, until=moment.now)

    def hear(self, name: str, qos: int, moment: Moment) -> bool:
        """Take in that a lock's message arrived at a QoS; tell whether the class may be another."""
        self._until = moment.now
        if self.heard_qos.get(name) == qos:
            return False
        self.heard_qos[name] = qos
        return True

    def keep(self, names: Container[str]) -> None:
        """Forget the locks that are not among these."""
        self.heard_qos = {name: qos for name, qos in self.heard_qos.items() if name in names}

    def judge(self) -> tuple[DeliveryClass, str]:
        """Return the class in force and why."""
        live = sorted(name for name, qos in self.heard_qos.items() if qos == 0)
        if not self.heard_qos and self._class is DeliveryClass.QUEUED and self._keeps_session:
            return self._class, "locks published at QoS 1 before; none has spoken since we started"
        if not self.heard_qos:
            reason = "no message of a lock has arrived yet"
        elif live:
            shown = ", ".join(live[:_SHOWN_NAMES]) + (" ..." if len(live) > _SHOWN_NAMES else "")
            reason = f"published at QoS 0: {shown}; set device_options.qos to 1 in Zigbee2MQTT"
        elif not self._keeps_session:
            reason = "our session ends with the connection: set clean_start to false"
        else:
            self._class = DeliveryClass.QUEUED
            return self._class, "locks publish at QoS 1 and the broker keeps our session"
        if self.heard_qos:
            self._class = DeliveryClass.LIVE
        return DeliveryClass.LIVE, reason

    def note(self, moment: Moment, *, at_once: bool = False) -> dict[str, JsonValue]:
        """Return the cursor to be stored along with something else, nothing if it is not time."""
        due = self._noted_at is None or moment.monotonic - self._noted_at >= NOTE_EVERY_S
        if self._until is None or not (due or at_once):
            return {}
        self._noted_at = moment.monotonic
        return {COVERAGE: {"until": self._until.isoformat(), "class": self._class.value}}
