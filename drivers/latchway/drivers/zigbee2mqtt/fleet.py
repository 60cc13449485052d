"""All locks behind one bridge: decoded messages in, events and states out. Pure.

Owns the trackers, the bridge's state and options. The driver feeds it and does what it asks for:
store, subscribe, ask a lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from latchway.drivers.zigbee2mqtt.attributes import INTERVIEW, PAIRED, Moment
from latchway.drivers.zigbee2mqtt.bridge import (
    BridgeEvent,
    BridgeInfo,
    ConfigureFailed,
    LeftTheNetwork,
)
from latchway.drivers.zigbee2mqtt.devices import DeviceList, Interview, LockProfile
from latchway.drivers.zigbee2mqtt.last_user import HeldEvent
from latchway.drivers.zigbee2mqtt.options import Finding, examine, rules_for
from latchway.drivers.zigbee2mqtt.protocol import BridgeOnline, LockAvailability, LockSaid
from latchway.drivers.zigbee2mqtt.tracker import LockTracker
from latchway.schemas import (
    DeviceCoverageGap,
    DeviceFaulted,
    DeviceFirmwareChanged,
    DeviceId,
    DevicePaired,
    DeviceRemoved,
    EventData,
    EventDraft,
)
from latchway.schemas.vocabulary import CoverageReason, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from pydantic import JsonValue

    from latchway.drivers.contract import DeviceState
    from latchway.drivers.zigbee2mqtt.protocol import Message

_CONFIGURE_ATTEMPTS = 3
_LEFT_WITHIN_S = 10.0


def held_cursor(device: str) -> str:
    """Name the cursor that holds a lock's waiting event."""
    return f"held/{device}"


def profile_cursor(device: str) -> str:
    """Name the cursor that holds a lock's profile: it is known before the bridge lists it again."""
    return f"profile/{device}"


@dataclass(slots=True)
class Outcome:
    """What came of one input, to be stored as a whole, and what is to be done then."""

    events: list[EventDraft] = field(default_factory=list)
    states: dict[DeviceId, DeviceState | None] = field(default_factory=dict)
    cursors: dict[str, JsonValue] = field(default_factory=dict)
    ask: list[DeviceId] = field(default_factory=list)
    """Locks to be asked for their state, one at a time."""
    deadline: float | None = None
    """When one of the locks that it is about has to be looked at again."""
    names_changed: bool = False
    """There are locks under names that are perhaps not subscribed to."""
    options_changed: bool = False

    def __bool__(self) -> bool:
        return bool(self.events or self.states or self.cursors)

    def parts(self, devices: int) -> Iterator[Outcome]:
        """Split what is to be stored into parts about so many devices; there is always a last."""
        events, states, cursors = self.events, list(self.states), dict(self.cursors)
        while len(states) > devices:
            some, states = frozenset(states[:devices]), states[devices:]
            names = {make(device) for device in some for make in (profile_cursor, held_cursor)}
            yield Outcome(
                [event for event in events if event.device in some],
                {device: self.states[device] for device in some},
                {name: cursors.pop(name) for name in names if name in cursors},
            )
            events = [event for event in events if event.device not in some]
        yield Outcome(events, {device: self.states[device] for device in states}, cursors)


class Fleet:
    """The locks of one bridge."""

    def __init__(
        self,
        states: Mapping[DeviceId, DeviceState],
        cursor: Callable[[str], JsonValue],
    ) -> None:
        self.trackers: dict[DeviceId, LockTracker] = {}
        self.others: Mapping[str, str] = {}
        self._devices: frozenset[str] | None = None
        """Names in the last list; None before the first."""
        self.groups: frozenset[str] = frozenset()
        """Names in the bridge's list of groups, which is heard by another connection."""
        self.info: BridgeInfo | None = None
        self.online: bool | None = None
        """Whether the bridge is there; None until it was heard of."""
        self.covered_until: datetime | None = None
        """Last instant at which the bridge was known to be there; None at the first start."""
        self.gap_of_renames: DeviceCoverageGap | None = None
        """What was not heard of locks that were renamed while we were away; until the next list."""
        self._missed = False
        self._waiting_list: DeviceList | None = None
        self._left: dict[str, float] = {}
        self._removed: set[DeviceId] = set()
        """Locks that were here before: the bridge keeps its cache of them."""
        self._failed_setups: dict[DeviceId, int] = {}
        for device, state in states.items():
            profile = LockProfile.from_json(cursor(profile_cursor(device)))
            if profile is not None:
                held = HeldEvent.from_json(cursor(held_cursor(device)))
                self.trackers[device] = LockTracker(profile, state, held)
        self.names = self._names()

    # ---- input

    def take(self, message: Message, moment: Moment, *, retained: bool) -> Outcome:
        """Take in a decoded message."""
        outcome = Outcome()
        if self.online and not isinstance(message, BridgeOnline):
            self.covered_until = moment.now
        match message:
            case LockSaid(name, said):
                tracker = self.names[name]
                heard = tracker.receive(said, moment, retained=retained)
                outcome.events += heard.events
                outcome.ask += [tracker.device] if heard.ask else []
                self._note(tracker, outcome)
            case LockAvailability(name, online):
                tracker = self.names[name]
                outcome.events += tracker.availability(moment, online=online)
                self._note(tracker, outcome)
            case BridgeOnline(online):
                self._hear_bridge(outcome, moment, online=online, retained=retained)
            case BridgeInfo():
                self.info = message
                self._obey(outcome)
            case DeviceList():
                self._take_list(message, outcome, moment)
                if retained:
                    self.gap_of_renames = None
            case BridgeEvent() | ConfigureFailed() | LeftTheNetwork():
                self._hear_news(message, outcome, moment)
        return outcome

    def expire(self, moment: Moment) -> Outcome:
        """Do what the passing of time asks for."""
        outcome = Outcome()
        for tracker in self.trackers.values():
            deadline = tracker.deadline
            if deadline is not None and deadline <= moment.monotonic:
                outcome.events += tracker.expire(moment).events
                self._note(tracker, outcome)
        return outcome

    def miss(self) -> Outcome:
        """Say that messages may have been missed: all states are stale, all locks to be asked."""
        outcome = Outcome()
        for tracker in self.trackers.values():
            tracker.miss()
            self._note(tracker, outcome)
        self._missed = not self.online
        outcome.ask += self.readable()
        return outcome

    # ---- output

    @property
    def deadline(self) -> float | None:
        """When `expire` has something to do; None if it has not."""
        deadlines = (tracker.deadline for tracker in self.trackers.values())
        return min((time for time in deadlines if time is not None), default=None)

    def readable(self) -> list[DeviceId]:
        """Return the locks that can be asked for their state now."""
        return [device for device, tracker in self.trackers.items() if self.can_ask(tracker)]

    def can_ask(self, tracker: LockTracker) -> bool:
        """Tell whether a question can reach a lock: else it would only block the radio."""
        profile = tracker.profile
        ready = profile.interview is Interview.SUCCESSFUL and not profile.disabled
        return bool(self.online) and profile.readable and ready

    def findings(self, heard_qos: Mapping[str, int]) -> tuple[Finding, ...]:
        """Return what should be different in the bridge's options."""
        if self.info is None:
            return ()
        profiles = (tracker.profile for tracker in self.trackers.values())
        return examine(self.info, profiles, heard_qos)

    def knows_other(self, name: str) -> bool:
        """Tell whether a name is a device that is no lock, or a group."""
        return name in self._group_names() or name in self.others.values()

    @property
    def listed(self) -> frozenset[str] | None:
        """All names of devices and groups; None before the first list of devices."""
        return None if self._devices is None else self._devices | self._group_names()

    def _group_names(self) -> frozenset[str]:
        in_info = frozenset() if self.info is None else self.info.group_names()
        return self.groups | in_info

    def remarks(self) -> Iterator[str]:
        """Say what is odd and weakens nothing, for the log; the same words for the same oddity."""
        for device, tracker in self.trackers.items():
            if tracker.profile.users_code:
                yield f"{device}: its converter is a user's own, so that anything may come from it"
            for word in tracker.unknown_words:
                yield f"{device}: action '{word}' is not known; told as an unknown event"

    # ---- the bridge

    def _hear_bridge(
        self, outcome: Outcome, moment: Moment, *, online: bool, retained: bool
    ) -> None:
        """Take in the bridge's state. Unless the broker merely repeats it, online is a start."""
        before, self.online = self.online, online
        if online and before and retained:
            return
        restarted = online and (before is False or not retained)
        for tracker in self.trackers.values():
            outcome.events += tracker.bridge(moment, online=online, restarted=restarted)
            self._note(tracker, outcome)
        if not online:
            return
        if restarted and self.covered_until is not None:
            gap = DeviceCoverageGap(
                reason=CoverageReason.BRIDGE_DOWN, since=self.covered_until, until=moment.now
            )
            outcome.events.append(EventDraft(gap))
        self.covered_until = moment.now
        if restarted or self._missed:
            self._missed = False
            outcome.ask += self.readable()
        waiting, self._waiting_list = self._waiting_list, None
        if waiting is not None and not waiting.empty:
            self._take_list(waiting, outcome, moment)

    def _obey(self, outcome: Outcome) -> None:
        """Let all locks follow the bridge's options."""
        if self.info is not None:
            for tracker in self.trackers.values():
                tracker.obey(tracker.profile, rules_for(self.info, tracker.profile))
        outcome.options_changed = True

    def _hear_news(
        self,
        message: BridgeEvent | ConfigureFailed | LeftTheNetwork,
        outcome: Outcome,
        moment: Moment,
    ) -> None:
        match message:
            case BridgeEvent("device_leave", address) if address in self.trackers:
                self._left[address] = moment.monotonic
            case LeftTheNetwork(name) if name in self.names:
                self._left[self.names[name].device] = moment.monotonic
            case ConfigureFailed(name) if name in self.names:
                device = self.names[name].device
                failed = self._failed_setups.get(device, 0) + 1
                self._failed_setups[device] = failed % _CONFIGURE_ATTEMPTS
                if failed == _CONFIGURE_ATTEMPTS:
                    fault = DeviceFaulted(fault="the bridge could not set up its reports")
                    outcome.events.append(EventDraft(fault, device))

    # ---- the device list

    def _take_list(self, devices: DeviceList, outcome: Outcome, moment: Moment) -> None:
        if not self.online:
            self._waiting_list = devices
        self.others = devices.others
        before = [tracker.profile for tracker in self.trackers.values()]
        if self.online and not devices.unreadable:
            self._remove(devices, outcome, moment)
        for profile in devices.locks:
            self._take_profile(profile, outcome, moment)
        self._rename_others(devices, outcome)
        self._take_names(devices)
        if [tracker.profile for tracker in self.trackers.values()] != before:
            self.names = self._names()
            outcome.names_changed = True
            self._obey(outcome)

    def _remove(self, devices: DeviceList, outcome: Outcome, moment: Moment) -> None:
        for device in [device for device in self.trackers if device not in devices]:
            tracker = self.trackers.pop(device)
            self._removed.add(device)
            outcome.events += tracker.join.release(moment)
            left = self._left.pop(device, None)
            by_lock = (
                True if left is not None and moment.monotonic - left < _LEFT_WITHIN_S else None
            )
            outcome.events.append(EventDraft(DeviceRemoved(by_lock=by_lock or None), device))
            outcome.states[device] = None
            outcome.cursors[held_cursor(device)] = None
            outcome.cursors[profile_cursor(device)] = None

    def _take_profile(self, profile: LockProfile, outcome: Outcome, moment: Moment) -> None:
        device = DeviceId(profile.ieee_address)
        tracker = self.trackers.get(device)
        if tracker is None:
            tracker = self.trackers[device] = LockTracker(profile, None)
            if device in self._removed:
                tracker.distrust_cache()
            tracker.attributes.changed = True
            tracker.bridge_online = self.online is not False
        elif tracker.profile.name != profile.name:
            self._hear_rename(tracker, outcome)
        for event in _life_events(tracker, profile, moment):
            outcome.events.append(EventDraft(event, device))
            if isinstance(event, DevicePaired):
                outcome.ask.append(device)
        if profile.firmware is None and tracker.profile.firmware is not None:
            profile = replace(profile, firmware=tracker.profile.firmware)
        tracker.obey(profile, tracker.rules)
        self._note(tracker, outcome)

    def _hear_rename(self, tracker: LockTracker, outcome: Outcome) -> None:
        """Tell what was not heard under a new name, and ask the lock.

        Not if it was renamed just now: the bridge repeats its cache, which would look like an
        answer.
        """
        if self.gap_of_renames is not None:
            tracker.miss()
            outcome.ask.append(tracker.device)
            outcome.events.append(EventDraft(self.gap_of_renames, tracker.device))

    def _rename_others(self, devices: DeviceList, outcome: Outcome) -> None:
        """Follow the names of locks that are being interviewed anew and look like no lock."""
        for device, name in devices.others.items():
            tracker = self.trackers.get(DeviceId(device))
            if tracker is not None and tracker.profile.name != name:
                tracker.obey(replace(tracker.profile, name=name), tracker.rules)
                self._note(tracker, outcome)

    def _take_names(self, devices: DeviceList) -> None:
        """Know who is listed; a list that cannot be read as a whole takes no name away."""
        names = {tracker.profile.name for tracker in self.trackers.values()}
        names.update(devices.others.values())
        if devices.unreadable:
            names.update(self._devices or ())
        self._devices = frozenset(names)

    def _names(self) -> dict[str, LockTracker]:
        return {tracker.profile.name: tracker for tracker in self.trackers.values()}

    def _note(self, tracker: LockTracker, outcome: Outcome) -> None:
        """Have stored what changed of a lock, and know when time changes it."""
        deadline = tracker.deadline
        if deadline is not None and (outcome.deadline is None or deadline < outcome.deadline):
            outcome.deadline = deadline
        if tracker.attributes.changed:
            tracker.attributes.changed = False
            outcome.states[tracker.device] = tracker.device_state()
        if tracker.take_profile_change():
            outcome.cursors[profile_cursor(tracker.device)] = tracker.profile.to_json()
        if tracker.join.take_change():
            held = tracker.join.held
            outcome.cursors[held_cursor(tracker.device)] = None if held is None else held.to_json()


def _life_events(tracker: LockTracker, profile: LockProfile, moment: Moment) -> Iterable[EventData]:
    """Return what the device list has news of: pairing, fault, firmware."""
    attributes = tracker.attributes
    if profile.interview != attributes.value(INTERVIEW):
        attributes.put(INTERVIEW, profile.interview, moment, Source.REPORTED)
        if profile.interview is Interview.FAILED:
            yield DeviceFaulted(fault="interview failed: start it again with the lock awake")
    if profile.interview is Interview.SUCCESSFUL and not attributes.value(PAIRED):
        attributes.put(PAIRED, value=True, moment=moment, source=Source.REPORTED)
        yield DevicePaired(
            model=profile.model, manufacturer=profile.manufacturer, firmware=profile.firmware
        )
    before = tracker.profile.firmware
    if profile.firmware is not None and before not in (None, profile.firmware):
        yield DeviceFirmwareChanged(firmware=profile.firmware, previous=before)
