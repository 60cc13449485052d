"""Decides where the bolt is, from messages that mostly repeat a cache. Pure.

A state is confirmed only if the lock can have said it just now: the value differs from what the
cache held before, or it answers our question. A repeated value refreshes the age of a confirmed
state, but never confirms a stale one: then the lock must be asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from latchway.drivers.zigbee2mqtt.attributes import ANNOUNCED, DEADBOLT, LOCK_STATE, Rules
from latchway.drivers.zigbee2mqtt.families import BoltKey
from latchway.drivers.zigbee2mqtt.words import BOLT_STATES
from latchway.schemas import LockStateChanged
from latchway.schemas.vocabulary import AccessOperation, LockState, Source

if TYPE_CHECKING:
    from latchway.drivers.zigbee2mqtt.attributes import Attributes, Moment
    from latchway.drivers.zigbee2mqtt.families import Family
    from latchway.drivers.zigbee2mqtt.lock_messages import StateReport

ANSWER_WITHIN_S = 12.0
"""A lock that is awake answers a read within 10 s, the bridge's own limit; later is no answer."""
MOVING_S = 10.0
"""`not_fully_locked` for longer than this after a command or auto-lock is a jam."""
_UNSEEN: Final = object()
_SAYS_NOTHING: Final = (None, None)
_LOCKED_WORDS = frozenset({"LOCK", "LOCKED"})
_UNLOCKED_WORDS = frozenset({"UNLOCK", "UNLOCKED"})
_BETWEEN = frozenset(
    {LockState.NOT_FULLY_LOCKED, LockState.JAMMED, LockState.LOCKING, LockState.UNLOCKING}
)


class Bolt:
    """The bolt of one lock: what was seen of it, what was asked, what is stored and announced."""

    def __init__(self, family: Family, attributes: Attributes) -> None:
        self.rules = Rules()
        self.family = family
        self._attributes = attributes
        self._seen: object = _UNSEEN
        self.suspects_cache = False
        """The first message may repeat an old cache that was never shown."""
        self._asked_at: float | None = None
        self._acted_since_asked = False
        self._move: tuple[AccessOperation, float] | None = None
        self.moving_until: float | None = None
        """When a bolt that is on its way counts as jammed."""
        self.needs_reading = False
        """What is known of the bolt is not confirmed, and the lock has just been heard."""

    def forget_cache(self, *, bridge_restarted: bool) -> None:
        """Begin anew: what comes may be of another cache than what was seen."""
        self._seen = _UNSEEN
        self.suspects_cache = bridge_restarted and not self.rules.cache_is_shown
        self._asked_at = None
        self.moving_until = None

    def ask(self, moment: Moment) -> None:
        """Say that the lock was asked for its state."""
        self._asked_at = moment.monotonic
        self._acted_since_asked = False
        self.needs_reading = False

    def see_cache(self, report: StateReport, moment: Moment) -> tuple[LockStateChanged, ...]:
        """Take in what the cache holds: it may take `locked` away, and give it to no known bolt."""
        token = self._token(report)
        if self.rules.cache and token != _SAYS_NOTHING:
            self._seen = token
        state = self._state_of(report)
        known = self.state
        if state is None or state is known:
            return ()
        if known is LockState.UNKNOWN or state is not LockState.LOCKED:
            self._attributes.put(LOCK_STATE, state, moment, Source.CACHED)
        else:
            self._attributes.make_stale()
        self.needs_reading = True
        return ()

    def see_action(self, report: StateReport, operation: AccessOperation, moment: Moment) -> None:
        """Take in an action: the state beside it is the cache's, and the bolt may be moving."""
        if self.rules.cache:
            self._seen = self._token(report)
        self._acted_since_asked = True
        if operation is not AccessOperation.UNKNOWN:
            self._move = (operation, moment.monotonic)

    def hear(
        self, report: StateReport, moment: Moment, *, says_nothing_else: bool
    ) -> tuple[LockStateChanged, ...]:
        """Take in a state message made of a frame of the lock; return the change, if it is one."""
        token = self._token(report)
        first = self._seen is _UNSEEN
        news = not self.rules.cache or token != self._seen
        if self.rules.cache:
            self._seen = token
        state = self._state_of(report)
        if state is None:
            return ()
        answers = says_nothing_else and self._is_awaited(moment)
        if answers or (news and not (first and self.suspects_cache)):
            self.suspects_cache = False
            return self.confirm(state, moment, Source.READ if answers else Source.REPORTED, report)
        if self._attributes.confirmed(LOCK_STATE) and self._is_same(state):
            self._attributes.refresh(LOCK_STATE, moment)
        else:
            self.needs_reading = True
        return ()

    def confirm(
        self,
        state: LockState,
        moment: Moment,
        source: Source,
        report: StateReport | None = None,
    ) -> tuple[LockStateChanged, ...]:
        """Store and announce a state that the lock said."""
        self.moving_until = None
        if source is Source.READ:
            self._asked_at = None
        self._acted_since_asked = False
        self.needs_reading = False
        if state is LockState.NOT_FULLY_LOCKED:
            state = self._moving_or_jammed(moment)
        else:
            self._move = None
        self._attributes.put(LOCK_STATE, state, moment, source)
        return self._announce(state, moment, source, deadbolt=self._deadbolt_of(report))

    def bring(self, report: StateReport, moment: Moment) -> tuple[LockStateChanged, ...]:
        """Take in the state of a frame that brought an action as well."""
        state = self._state_of(report)
        return () if state is None else self.confirm(state, moment, Source.REPORTED, report)

    def expire(self, moment: Moment) -> tuple[LockStateChanged, ...]:
        """Call a bolt jammed that has been on its way for too long."""
        if self.moving_until is None or moment.monotonic < self.moving_until:
            return ()
        self._move = None
        return self.confirm(LockState.JAMMED, moment, Source.REPORTED)

    @property
    def state(self) -> LockState:
        """The stored state, confirmed or not."""
        return _lock_state(self._attributes.value(LOCK_STATE))

    def _announce(
        self, state: LockState, moment: Moment, source: Source, *, deadbolt: bool | None
    ) -> tuple[LockStateChanged, ...]:
        previous = _lock_state(self._attributes.value(ANNOUNCED))
        deadbolt_changed = deadbolt is not None and deadbolt != (
            self._attributes.value(DEADBOLT) or False
        )
        if deadbolt is not None:
            self._attributes.put(DEADBOLT, deadbolt, moment, source)
        if state is previous and not deadbolt_changed:
            return ()
        self._attributes.put(ANNOUNCED, state, moment, source)
        change = LockStateChanged(
            state=state, previous=previous, source=source, deadbolt_from_inside=deadbolt
        )
        return (change,)

    def _is_awaited(self, moment: Moment) -> bool:
        return (
            self._asked_at is not None
            and not self._acted_since_asked
            and moment.monotonic - self._asked_at <= ANSWER_WITHIN_S
        )

    def _is_same(self, state: LockState) -> bool:
        return state is self.state or (
            state is LockState.NOT_FULLY_LOCKED and self.state in _BETWEEN
        )

    def _moving_or_jammed(self, moment: Moment) -> LockState:
        if self._move is None and self.family.passes_through_not_fully_locked:
            self._move = (AccessOperation.UNLOCK, moment.monotonic)
        if self._move is None:
            return LockState.JAMMED
        operation, since = self._move
        unlocking = operation is AccessOperation.UNLOCK
        if moment.monotonic >= since + MOVING_S or (
            unlocking and not self.family.passes_through_not_fully_locked
        ):
            return LockState.JAMMED
        self.moving_until = since + MOVING_S
        return LockState.UNLOCKING if unlocking else LockState.LOCKING

    def _token(self, report: StateReport) -> object:
        if self.family.bolt_key is BoltKey.STATE:
            return report.state, report.reverse
        return (report.lock_state, None) if report.lock_state else (None, report.state)

    def _state_of(self, report: StateReport) -> LockState | None:
        """Return what the message says of the bolt; None if it does not speak of it."""
        if self.family.bolt_key is BoltKey.NONE or not self.rules.bolt_is_believed:
            return None
        if self.family.bolt_key is BoltKey.STATE:
            return _state_of_word(report.state)
        if report.lock_state is not None:
            return BOLT_STATES.get(report.lock_state, LockState.UNKNOWN)
        return None if report.state is None else LockState.UNKNOWN

    def _deadbolt_of(self, report: StateReport | None) -> bool | None:
        if report is None or report.reverse is None or self.family.bolt_key is not BoltKey.STATE:
            return None
        return report.reverse in _LOCKED_WORDS


def _state_of_word(word: str | None) -> LockState | None:
    if word is None:
        return None
    if word in _LOCKED_WORDS:
        return LockState.LOCKED
    return LockState.UNLOCKED if word in _UNLOCKED_WORDS else LockState.UNKNOWN


def _lock_state(value: object) -> LockState:
    try:
        return LockState(str(value))
    except ValueError:
        return LockState.UNKNOWN
