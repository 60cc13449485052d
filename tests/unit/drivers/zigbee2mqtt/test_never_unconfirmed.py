"""Whatever happens, `locked` is confirmed only if the lock said so: a model of bridge and lock.

The model knows the truth. It commands, fails, restarts with an old cache, reports other things,
and answers questions; the driver may call the bolt locked and confirmed only while the last thing
that the lock itself said of its bolt, since the driver last lost sight of it, was locked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from latchway.drivers.zigbee2mqtt.attributes import LOCK_STATE, Moment
from latchway.drivers.zigbee2mqtt.fleet import Fleet
from latchway.drivers.zigbee2mqtt.protocol import decode
from latchway.drivers.zigbee2mqtt.topics import Topics
from latchway.drivers.zigbee2mqtt.virtual_bridge import BridgeOptions, Published, VirtualBridge
from support.zigbee2mqtt import lock

STATES = st.sampled_from(["locked", "unlocked", "not_fully_locked"])
SOURCES = st.sampled_from(["keypad", "rf", "manual"])


class Doors(RuleBasedStateMachine):
    """One lock behind a bridge whose cache file may be old, and the driver's fleet."""

    cached = True

    def __init__(self) -> None:
        super().__init__()
        self.fleet = Fleet({}, lambda _: None)
        self.topics = Topics("zigbee2mqtt")
        self.lock = lock()
        self.bridge = VirtualBridge([self.lock], BridgeOptions(cache_state=self.cached))
        self.seconds = 0.0
        self.battery = 100
        self.said: str | None = None
        """What the lock last said of its bolt; None since it was lost from sight."""
        self.saved: dict[str, object] = {}
        for published in self.bridge.start():
            self.hear(published)

    def moment(self) -> Moment:
        start = datetime(2026, 3, 1, tzinfo=UTC)
        return Moment(start + timedelta(seconds=self.seconds), self.seconds)

    def hear(self, published: Published, *, retained: bool = False) -> None:
        address = self.topics.place(published.topic, self.fleet.names)
        message = decode(address, published.payload)
        if message is not None:
            outcome = self.fleet.take(message, self.moment(), retained=retained)
            for device in outcome.ask:
                self.fleet.trackers[device].asked(self.moment())
                self.seconds += 30  # nobody answers: the lock is asleep

    @rule(state=STATES, source=SOURCES)
    def somebody_moves_the_bolt(self, state: str, source: str) -> None:
        if state == "not_fully_locked":
            self.lock.lock_state = state
            self.hear(self.bridge.report("front", **self.lock.reading()))
        else:
            for published in self.bridge.act("front", state.removesuffix("ed"), source, 3):
                self.hear(published)
        self.said = state

    @rule(state=STATES)
    def somebody_moves_the_bolt_and_nobody_hears_of_it(self, state: str) -> None:
        self.lock.lock_state = state

    @rule(wish=st.sampled_from(["lock", "unlock"]))
    def a_command_gives_an_event_and_no_report(self, wish: str) -> None:
        """Fact 8: the message of the event shows the old state; here no other one follows."""
        self.hear(self.bridge._event(self.lock, wish, "rf", None))

    @rule()
    def the_lock_reports_its_battery(self) -> None:
        self.battery = self.battery - 1 if self.battery > 20 else 100
        self.hear(self.bridge.report("front", battery=self.battery))

    @rule()
    def the_lock_is_asked_and_answers(self) -> None:
        self.seconds += 60
        device = next(iter(self.fleet.trackers))
        self.fleet.trackers[device].asked(self.moment())
        self.hear(self.bridge.report("front", **self.lock.reading()))
        self.said = self.lock.lock_state

    @rule()
    def the_bridge_writes_its_cache_to_its_file(self) -> None:
        self.saved = dict(self.bridge._cache.get(self.lock.ieee_address, {}))

    @rule()
    def the_bridge_is_killed_and_starts_with_an_old_cache(self) -> None:
        self.hear(self.bridge.will())
        self.said = None
        self.bridge._cache[self.lock.ieee_address] = dict(self.saved)
        self.seconds += 30
        for published in self.bridge.start():
            self.hear(published)

    @rule()
    def the_broker_repeats_a_retained_message(self) -> None:
        cached = self.bridge._cache.get(self.lock.ieee_address, {})
        self.hear(self.bridge._lock_message(self.lock, {**cached, "linkquality": 9}), retained=True)

    @rule()
    def the_lock_is_removed_and_joins_again(self) -> None:
        del self.bridge.locks[self.lock.ieee_address]
        self.hear(self.bridge._devices())
        self.said = None
        self.bridge.locks[self.lock.ieee_address] = self.lock
        self.hear(self.bridge._devices())

    @rule(seconds=st.sampled_from([1.0, 11.0, 8000.0]))
    def time_passes(self, seconds: float) -> None:
        self.seconds += seconds
        self.fleet.expire(self.moment())

    @invariant()
    def locked_is_confirmed_only_if_the_lock_said_so(self) -> None:
        for tracker in self.fleet.trackers.values():
            if tracker.attributes.confirmed(LOCK_STATE) and tracker.bolt.state == "locked":
                assert self.said == "locked"


class DoorsWithoutCache(Doors):
    """The same with `cache_state: false`."""

    cached = False


TestDoors = Doors.TestCase
TestDoors.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestDoorsWithoutCache = DoorsWithoutCache.TestCase
TestDoorsWithoutCache.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
