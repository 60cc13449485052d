"""Joins an action that names nobody with the lock's later word on who it was (Onesti). Pure.

`last_unlock_*` and `last_lock_*` are state: they arrive up to a second after the action and do not
change when the same person comes twice. The message that brings the bolt still holds old values.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from latchway.drivers.zigbee2mqtt import words
from latchway.drivers.zigbee2mqtt.actions import actor_of
from latchway.drivers.zigbee2mqtt.fields import word_without_numbers
from latchway.schemas import AccessGranted, DeviceId, EventDraft
from latchway.schemas.vocabulary import AccessMethod, AccessOperation, LockState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from latchway.drivers.zigbee2mqtt.attributes import Moment
    from latchway.drivers.zigbee2mqtt.lock_messages import LastUser, StateReport

HOLD_S = 1.5
"""The lock's word on who it was comes within a second."""
LATE_S = 5.0
"""A word that comes later than `HOLD_S` but within this is probably about the event just sent."""
_UNSAID = frozenset({AccessMethod.PHYSICAL, AccessMethod.UNKNOWN})


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """An access event that waits for a name. Kept on disk while it waits."""

    event: AccessGranted
    at: datetime

    def to_json(self) -> dict[str, JsonValue]:
        """Return it as a cursor's value."""
        return {
            "event": self.event.model_dump(mode="json", exclude_none=True),
            "at": self.at.isoformat(),
        }

    @classmethod
    def from_json(cls, value: JsonValue) -> HeldEvent | None:
        """Return what `to_json` made, None for anything else."""
        match value:
            case {"event": dict() as event, "at": str() as at}:
                with suppress(ValueError):  # of another version
                    return cls(AccessGranted.model_validate(event), datetime.fromisoformat(at))
        return None


class LastUserJoin:
    """The held event of one lock, and what its last users were."""

    def __init__(
        self,
        device: DeviceId,
        held: HeldEvent | None,
        *,
        tells_last_user: bool,
        unlock_may_be_lock: bool,
    ) -> None:
        self.tells_last_user = tells_last_user
        self._tells_operation = not unlock_may_be_lock
        self._device = device
        self.held = held
        self.deadline: float | None = None if held is None else float("-inf")
        """When the held event goes out with nobody named."""
        self._changed_since_asked = False
        self._saw_bolt = False
        self._before: Mapping[AccessOperation, LastUser | None] | None = None
        self._nameless: tuple[AccessOperation, float] | None = None

    def wants(self, event: AccessGranted) -> bool:
        """Tell whether an event should wait for what comes next."""
        if event.method is AccessMethod.REMOTE:
            return False
        if self.tells_last_user:
            return event.actor is None and event.operation is not AccessOperation.UNKNOWN
        return not self._tells_operation and event.operation is AccessOperation.UNKNOWN

    def hold(self, event: AccessGranted, moment: Moment) -> tuple[EventDraft, ...]:
        """Hold an event; return the one that was held before, with nobody named."""
        earlier = self.release(moment)
        self.held = HeldEvent(event, moment.now)
        self._changed_since_asked = True
        self.deadline = moment.monotonic + HOLD_S
        self._saw_bolt = False
        return earlier

    def take_change(self) -> bool:
        """Tell whether what is held has changed since this was last asked."""
        changed, self._changed_since_asked = self._changed_since_asked, False
        return changed

    def discard(self) -> None:
        """Forget the held event: it is sent, or turned out to be stored already."""
        self._changed_since_asked = self.held is not None
        self.held = None
        self.deadline = None

    def see_cache(self, report: StateReport) -> None:
        """Take in values that the cache repeats."""
        if self.tells_last_user:
            self._before = _users(report)

    def hear(
        self,
        report: StateReport,
        moment: Moment,
        state: LockState,
        *,
        bolt_moved: bool,
        cache: bool,
    ) -> tuple[EventDraft, ...]:
        """Take in a state message; return the event that it completes, or that it alone tells."""
        if not (self.tells_last_user or self.held):
            return ()
        users = _users(report)
        changed = self._changed(users, cache=cache)
        self._before = users
        if self.held is None:
            return self._tell_alone(users, changed, moment)
        if not self._tells_operation:
            return self._tell_operation(state)
        operation = self.held.event.operation
        certain = operation in changed
        if certain or (self._saw_bolt and not bolt_moved and users[operation] is not None):
            event = _with_user(self.held.event, users[operation])
            return self._finish(event)
        self._saw_bolt = True
        return ()

    def expire(self, moment: Moment) -> tuple[EventDraft, ...]:
        """Return the held event with nobody named if it has waited long enough."""
        if self.deadline is None or moment.monotonic < self.deadline:
            return ()
        return self.release(moment)

    def _changed(
        self, users: Mapping[AccessOperation, LastUser | None], *, cache: bool
    ) -> frozenset[AccessOperation]:
        """Return the directions that this message has news of; a first look is no news."""
        if not cache:
            return frozenset(op for op, user in users.items() if user is not None)
        before = self._before
        if before is None:
            return frozenset()
        return frozenset(
            op for op, user in users.items() if user is not None and user != before[op]
        )

    def _tell_alone(
        self,
        users: Mapping[AccessOperation, LastUser | None],
        changed: frozenset[AccessOperation],
        moment: Moment,
    ) -> tuple[EventDraft, ...]:
        """Report movements whose action the converters could not read."""
        drafts = []
        for operation in sorted(changed):
            late = self._nameless is not None and (
                self._nameless[0] is operation and moment.monotonic - self._nameless[1] <= LATE_S
            )
            event = AccessGranted(
                operation=operation, method=AccessMethod.UNKNOWN, probable_repeat=late
            )
            drafts.append(EventDraft(_with_user(event, users[operation]), self._device))
            self._nameless = None
        return tuple(drafts)

    def _tell_operation(self, state: LockState) -> tuple[EventDraft, ...]:
        operations = {
            LockState.LOCKED: AccessOperation.LOCK,
            LockState.UNLOCKED: AccessOperation.UNLOCK,
        }
        if self.held is None or state not in operations:
            return ()
        return self._finish(self.held.event.model_copy(update={"operation": operations[state]}))

    def release(self, moment: Moment) -> tuple[EventDraft, ...]:
        """Return the held event with nobody named, if there is one."""
        if self.held is None:
            return ()
        event = self.held.event
        self._nameless = (event.operation, moment.monotonic)
        return self._finish(event)

    def _finish(self, event: AccessGranted) -> tuple[EventDraft, ...]:
        at = None if self.held is None else self.held.at
        self.discard()
        return (EventDraft(event, self._device, time=at),)


def _users(report: StateReport) -> dict[AccessOperation, LastUser | None]:
    return {
        AccessOperation.UNLOCK: report.last_unlock,
        AccessOperation.LOCK: report.last_lock,
    }


def _with_user(event: AccessGranted, user: LastUser | None) -> AccessGranted:
    """Return the event with the lock's word on how and by whom."""
    if user is None:
        return event
    method = words.LAST_USER_SOURCES.get(user.source)
    if method is None:
        raw = event.raw
        if event.method in _UNSAID:
            raw = word_without_numbers(user.source)
        return event.model_copy(update={"raw": raw})
    return event.model_copy(update={"method": method, "actor": actor_of(method, user.user)})
