"""One lock as the driver sees it: takes in what is heard of it, gives out events and state. Pure.

A message is a snapshot (cached state, no events), an event (its state part is the cache's) or
state (compared with what is stored). Never two of these at once.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.drivers.contract import DeviceState
from latchway.drivers.zigbee2mqtt import sensors, words
from latchway.drivers.zigbee2mqtt.actions import ActionFact, read_action
from latchway.drivers.zigbee2mqtt.attributes import (
    BATTERY,
    DOOR_STATE,
    REACHABLE,
    Attributes,
    Rules,
)
from latchway.drivers.zigbee2mqtt.bolt import Bolt
from latchway.drivers.zigbee2mqtt.families import BoltKey, family_of
from latchway.drivers.zigbee2mqtt.fields import word_without_numbers
from latchway.drivers.zigbee2mqtt.last_user import HeldEvent, LastUserJoin
from latchway.schemas import (
    AccessDenied,
    AccessGranted,
    DeviceId,
    DeviceReachable,
    DeviceUnreachable,
    EventData,
    EventDraft,
    TamperDetected,
)
from latchway.schemas.vocabulary import DoorState, LockState, Source, TamperKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from latchway.drivers.zigbee2mqtt.attributes import Moment
    from latchway.drivers.zigbee2mqtt.devices import LockProfile
    from latchway.drivers.zigbee2mqtt.lock_messages import ActionReport, LockMessage, StateReport

REPEAT_WITHIN_S = 2.0
WRONG_CODES = 5
WRONG_CODES_WITHIN_S = 60.0
SILENT_INTERVALS = 2
"""A lock that misses this many of its own reports is not there."""
_WORDS_COUNTED = 32
ASK_AGAIN_AFTER_S = 20.0
"""A lock that does not answer is not asked more often than this."""


@dataclass(slots=True)
class Heard:
    """What came of a message: events, and whether the lock should be asked for its state."""

    events: tuple[EventDraft, ...] = ()
    ask: bool = False


class LockTracker:
    """All that is known of one lock, and how messages change it."""

    def __init__(
        self, profile: LockProfile, state: DeviceState | None, held: HeldEvent | None = None
    ) -> None:
        self.profile = profile
        self.device = DeviceId(profile.ieee_address)
        self.attributes = Attributes({} if state is None else state.attributes)
        family = family_of(profile.model, profile.exposed)
        self.bolt = Bolt(family, self.attributes)
        self.join = LastUserJoin(
            self.device,
            held,
            tells_last_user=family.tells_last_user,
            unlock_may_be_lock=family.unlock_may_be_lock,
        )
        self.unknown_words: Counter[str] = Counter()
        """Actions that stand in no table, as they may be shown."""
        self.available = True
        """The bridge's opinion; True where it has none."""
        self.bridge_online = True
        self._profile_changed = state is None
        self._asked_at: float | None = None
        self._silent_after: float | None = None
        self._silent = False
        self._heard_since_online = False
        self._rejoined = False
        self._before: StateReport | None = None
        self._last_action: tuple[ActionReport, float] | None = None
        self._wrong_codes: deque[float] = deque()

    @property
    def rules(self) -> Rules:
        """How the bridge is set up to speak of this lock."""
        return self.bolt.rules

    def obey(self, profile: LockProfile, rules: Rules) -> None:
        """Take over what the device list and the bridge's options say now."""
        family = family_of(profile.model, profile.exposed)
        if profile != self.profile:
            self.attributes.changed = True
            self._profile_changed = True
        self.profile = profile
        self.bolt.family = family
        self.bolt.rules = rules
        self.join.tells_last_user = family.tells_last_user

    def take_profile_change(self) -> bool:
        """Tell whether the profile has changed since this was last asked."""
        changed, self._profile_changed = self._profile_changed, False
        return changed

    def device_state(self) -> DeviceState:
        """Return the whole state, to be stored."""
        profile = self.profile
        return DeviceState(
            profile.name,
            profile.model,
            profile.manufacturer,
            profile.firmware,
            self.attributes.all(),
        )

    # ---- messages

    def receive(self, message: LockMessage, moment: Moment, *, retained: bool) -> Heard:
        """Take in a state message."""
        if message.action is not None:
            return Heard() if retained else self._act(message, message.action, moment)
        if retained or not self._is_from_lock(message):
            self._heard_since_online = True
            self._see_cache(message.state, moment)
            return Heard(ask=self._wants_asking(moment))
        contact = self._contact(moment)
        if message.echo:
            return Heard(contact)
        return Heard(contact + self._hear(message, moment), ask=self._wants_asking(moment))

    def _act(self, message: LockMessage, action: ActionReport, moment: Moment) -> Heard:
        contact = self._contact(moment)
        fact = read_action(action, self.bolt.family)
        if not fact.known:
            self._count_word(word_without_numbers(action.word or ""))
        self._before = message.state
        self.join.see_cache(message.state)
        self.bolt.see_action(message.state, fact.operation, moment)
        if self.bolt.family.state_rides_on_action:
            sensors.remember_tamper(message.state, self.attributes, moment)
            self.bolt.needs_reading = self.bolt.needs_reading or not fact.jammed
        drafts = self._action_drafts(fact, action, moment)
        changes = self._drafts(self._states_of_action(fact, message.state, moment))
        return Heard(contact + drafts + changes, ask=self._wants_asking(moment))

    def _count_word(self, word: str) -> None:
        if word in self.unknown_words or len(self.unknown_words) < _WORDS_COUNTED:
            self.unknown_words[word] += 1

    def _action_drafts(
        self, fact: ActionFact, action: ActionReport, moment: Moment
    ) -> tuple[EventDraft, ...]:
        last, self._last_action = self._last_action, (action, moment.monotonic)
        event = fact.event
        if event is None:
            return ()
        if isinstance(event, AccessGranted | AccessDenied):
            repeats = last is not None and (
                last[0] == action and moment.monotonic - last[1] <= REPEAT_WITHIN_S
            )
            event = event.model_copy(update={"probable_repeat": repeats}) if repeats else event
        if isinstance(event, AccessGranted) and self.join.wants(event):
            return self.join.hold(event, moment)
        drafts = self._drafts((event,))
        return drafts + self._count_wrong_codes(action, moment) if fact.wrong_credential else drafts

    def _count_wrong_codes(self, action: ActionReport, moment: Moment) -> tuple[EventDraft, ...]:
        """Suspect a lockout, since the bridge does not forward the lock's own alarm."""
        attempts = self._wrong_codes
        attempts.append(moment.monotonic)
        while attempts[0] < moment.monotonic - WRONG_CODES_WITHIN_S:
            attempts.popleft()
        count = max(len(attempts), action.repeat)
        if count < WRONG_CODES:
            return ()
        attempts.clear()
        lockout = TamperDetected(kind=TamperKind.WRONG_CODE_LOCKOUT, suspected=True, attempts=count)
        return self._drafts((lockout,))

    def _states_of_action(
        self, fact: ActionFact, report: StateReport, moment: Moment
    ) -> Iterator[EventData]:
        if fact.jammed:
            yield from self.bolt.confirm(LockState.JAMMED, moment, Source.REPORTED)
        if fact.brings_state:
            yield from self.bolt.bring(report, moment)
        if fact.door_closed:
            yield from sensors.set_door(DoorState.CLOSED, self.attributes, moment)

    def _hear(self, message: LockMessage, moment: Moment) -> tuple[EventDraft, ...]:
        report, before = message.state, self._before
        same = before is not None and report.besides_bolt == before.besides_bolt
        alone = same or (before is None and not self._rejoined)
        self._before, self._rejoined = report, False
        if not self.rules.cache:
            before = None
        attributes = self.attributes
        changes = self.bolt.hear(report, moment, says_nothing_else=alone)
        door = tuple(sensors.door_events(report, before, attributes, moment))
        if changes or door:
            self._last_action = None
        named = self.join.hear(
            report, moment, self.bolt.state, bolt_moved=bool(changes), cache=self.rules.cache
        )
        battery = sensors.battery_events(report, attributes, moment)
        alarms = sensors.alarm_events(report, attributes, moment)
        events = (*changes, *door, *battery, *alarms)
        if self.bolt.family.bolt_key is BoltKey.NONE:
            events += tuple(sensors.key_events(message, attributes, moment))
        return named + self._drafts(events)

    def _see_cache(self, report: StateReport, moment: Moment) -> None:
        self._before = report
        self.bolt.see_cache(report, moment)
        self.join.see_cache(report)
        percent, _ = sensors.battery_percent(report.battery)
        if percent is not None and self.attributes.get(BATTERY) is None:
            self.attributes.put(BATTERY, percent, moment, Source.CACHED)
        if report.door_state is not None and self.attributes.get(DOOR_STATE) is None:
            door = words.DOOR_STATES.get(report.door_state, DoorState.UNKNOWN)
            self.attributes.put(DOOR_STATE, door, moment, Source.CACHED)

    # ---- reachability, and what time brings

    def bridge(self, moment: Moment, *, online: bool, restarted: bool) -> tuple[EventDraft, ...]:
        """Take in that the bridge is there or not; after a restart nothing seen before counts."""
        self.bridge_online = online
        if restarted or not online:
            self.attributes.make_stale()
            self.bolt.forget_cache(bridge_restarted=True)
            self._before = None
            self._last_action = None
            self._heard_since_online = False
        self._silent = False
        self._expect_report(moment)
        return self._reach(moment, "the bridge is offline")

    def distrust_cache(self) -> None:
        """Say that the lock was removed and came back: the bridge repeats what was before."""
        self._rejoined = self.rules.cache
        self.bolt.suspects_cache = self.rules.cache

    def miss(self) -> None:
        """Say that messages may have been missed: what is stored may be out of date."""
        self.attributes.make_stale()
        self.bolt.forget_cache(bridge_restarted=False)
        self._before = None

    def availability(self, moment: Moment, *, online: bool) -> tuple[EventDraft, ...]:
        """Take in the bridge's opinion on whether the lock can be reached."""
        self.available = online
        self._silent = self._silent and not online
        return self._reach(moment, "the bridge reports it offline")

    def asked(self, moment: Moment) -> None:
        """Say that the lock is being asked for its state."""
        self._asked_at = moment.monotonic
        self.bolt.ask(moment)

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do; None if it has not."""
        times = (self.join.deadline, self.bolt.moving_until, self._silent_after)
        return min((time for time in times if time is not None), default=None)

    def expire(self, moment: Moment) -> Heard:
        """Do what the passing of time asks for."""
        events = self.join.expire(moment) + self._drafts(self.bolt.expire(moment))
        if self._silent_after is not None and moment.monotonic >= self._silent_after:
            self._silent_after = None
            self._silent = True
            events += self._reach(moment, "it missed its own reports")
        return Heard(events)

    def _contact(self, moment: Moment) -> tuple[EventDraft, ...]:
        self._heard_since_online = True
        self._silent = False
        self._expect_report(moment)
        return self._reach(moment, "")

    def _expect_report(self, moment: Moment) -> None:
        interval = self.profile.report_interval_s
        expects = interval is not None and self.bridge_online
        self._silent_after = (
            moment.monotonic + SILENT_INTERVALS * interval if expects and interval else None
        )

    def _reach(self, moment: Moment, reason: str) -> tuple[EventDraft, ...]:
        reachable = self.bridge_online and self.available and not self._silent
        stored = self.attributes.value(REACHABLE)
        if reachable is stored:
            return ()
        self.attributes.put(REACHABLE, reachable, moment, Source.REPORTED)
        if not reachable:
            self.attributes.make_stale()
            return self._drafts((DeviceUnreachable(reason=reason),))
        return () if stored is None else self._drafts((DeviceReachable(),))

    def _is_from_lock(self, message: LockMessage) -> bool:
        return message.has_link_quality or (
            self.rules.link_quality_hidden and self._heard_since_online
        )

    def _wants_asking(self, moment: Moment) -> bool:
        recently = (
            self._asked_at is not None and moment.monotonic - self._asked_at < ASK_AGAIN_AFTER_S
        )
        return self.bolt.needs_reading and self.profile.readable and not recently

    def _drafts(self, events: Iterable[EventData]) -> tuple[EventDraft, ...]:
        return tuple([EventDraft(event, self.device) for event in events])
