"""What becomes of a worker's frames before they are stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from latchway.drivers import wire
from latchway.drivers.contract import BrokerDelivery, Rejection
from latchway.drivers.errors import FrameInvalid
from latchway.gateway import intake as intake_module
from latchway.gateway.delivery import LaneVoid
from latchway.gateway.intake import HubStamp, Intake
from latchway.gateway.routing import Route, RouteTable, compile_pattern
from latchway.outbox import LaneKey, Match, Redelivery
from latchway.schemas import (
    BatteryReported,
    ClockQuality,
    DeviceId,
    EventDraft,
    HubStarted,
    LaneClass,
    LockState,
    LockStateChanged,
    LogKey,
    Source,
    VendorDegraded,
    VoidReason,
    encode_draft,
)
from support.delivery import HandClock

HUB = "6a1d9e0c-52c5-4bd0-9a0e-3f7c0a4be6d1"
LOCK = DeviceId("0x00158d0001a2b3c4")
LOCKED = LockStateChanged(
    state=LockState.LOCKED, previous=LockState.UNKNOWN, source=Source.REPORTED
)


class Bench:
    def __init__(self, *routes: Route) -> None:
        self.clock = HandClock()
        self.quality = ClockQuality.SYNCED
        self.intake = Intake(
            HubStamp(HUB, "boot-1"),
            RouteTable(routes or (Route("all", "disk"),), 7),
            self.clock,
            lambda: self.quality,
            lambda count: b"\x01" * count,
        )

    def take(self, *drafts: bytes, **more):
        return self.intake.take("test", wire.Batch(1, tuple(drafts), **more))


def draft(data=LOCKED, **more) -> bytes:
    return encode_draft(EventDraft(data=data, device=LOCK, **more))


def test_a_valid_draft_becomes_an_event_with_identity_and_routes():
    [event] = Bench().take(draft()).batch.events

    assert event.attributes["source"] == f"/hubs/{HUB}/test/{LOCK}"
    assert event.attributes["id"] == event.id
    assert event.attributes["clock"] == "synced"
    assert event.attributes["bootid"] == "boot-1"
    assert event.attributes["bootms"] == "1000000"
    assert json.loads(event.data)["state"] == "locked"
    assert [(m.sink, m.lane_class, m.route_version) for m in event.matches] == [
        ("disk", LaneClass.MAIN, 7)
    ]
    assert not event.dedupe


def test_an_entry_of_a_log_gets_the_same_id_each_time():
    raw = draft(log_key=LogKey(1, 17))

    first, second = (Bench().take(raw).batch.events[0] for _ in range(2))

    assert first.id == second.id
    assert first.dedupe


def test_an_unsynchronised_clock_is_said_and_a_locks_own_clock_too():
    bench = Bench()
    bench.quality = ClockQuality.UNSYNCED
    of_lock = draft(time=datetime(2026, 3, 1, tzinfo=UTC), lock_clock=True)

    events = bench.take(draft(), of_lock).batch.events

    assert [event.attributes["clock"] for event in events] == ["unsynced", "lock"]


def test_what_does_not_fit_is_rejected_and_the_rest_of_the_frame_is_stored():
    bad = b'{"type":"io.latchway.lock.state_changed.v1","data":{"state":7}}'

    taken = bench_take = Bench().take(draft(), bad, b"garbage", draft())

    assert len(bench_take.batch.events) == 2
    assert [(r.code, r.raw) for r in taken.batch.rejects] == [
        ("schema", bad),
        ("not_json", b"garbage"),
    ]
    assert [rejection.index for rejection in taken.rejections] == [1, 2]
    assert isinstance(taken.rejections[0], Rejection)
    assert taken.rejections[0].reason.startswith("schema: ")


def test_a_driver_cannot_speak_for_the_hub():
    taken = Bench().take(encode_draft(EventDraft(data=VendorDegraded(reason="x"))))

    assert taken.batch.events == ()
    assert taken.batch.rejects[0].code == "not_allowed"


def test_a_patterns_data_is_what_the_event_carries():
    pattern = compile_pattern({"data": {"state": ["unlocked"]}})
    bench = Bench(Route("open", "disk", pattern))

    unlocked = LockStateChanged(
        state=LockState.UNLOCKED, previous=LockState.LOCKED, source=Source.REPORTED
    )
    events = bench.take(draft(), draft(unlocked)).batch.events

    assert [len(event.matches) for event in events] == [0, 1]


def test_telemetry_goes_to_the_bulk_lane():
    [event] = Bench().take(draft(BatteryReported(percent=80))).batch.events

    assert event.matches[0].lane_class is LaneClass.BULK


def test_cursors_states_and_the_brokers_delivery_go_along():
    batch = (
        Bench()
        .take(
            cursors={"log": b"17"},
            states={LOCK: b"{}", "0x02": None},
            delivery=BrokerDelivery(9, b"12345678", duplicate=True),
            forget_deliveries=True,
        )
        .batch
    )

    assert batch.cursors == {"log": b"17"}
    assert batch.states == {LOCK: b"{}", "0x02": None}
    assert batch.redelivery == Redelivery(9, b"12345678", duplicate=True)
    assert batch.forget_deliveries


@pytest.mark.parametrize(
    "more",
    [
        {"states": {"no id\n": b"{}"}},
        {"cursors": {"x" * 300: b"1"}},
        {"states": {LOCK: b"1" * 200_000}},
        {"cursors": {"log": b"1" * 200_000}},
    ],
)
def test_names_that_make_no_sense_and_states_that_fit_no_frame_are_the_workers_fault(more):
    with pytest.raises(FrameInvalid):
        Bench().take(**more)


def test_a_drivers_reject_keeps_code_reason_topic_and_input():
    reject = wire.Reject(1, b"\xff", "not_utf8: byte 0 is no UTF-8", topic="zigbee2mqtt/x")

    [kept] = Bench().intake.take_reject("test", reject).batch.rejects

    assert (kept.code, kept.reason) == ("not_utf8", "byte 0 is no UTF-8")
    assert (kept.raw, kept.topic, kept.keep) == (b"\xff", "zigbee2mqtt/x", True)


def test_a_rejects_words_are_kept_up_to_a_bound():
    reject = wire.Reject(1, b"", "odd: " + "y" * 50_000, topic="t" * 50_000)

    [kept] = Bench().intake.take_reject("test", reject).batch.rejects

    assert len(kept.reason) == len(kept.topic) == intake_module.WORDS_LIMIT


def test_a_flood_of_rejects_is_counted_but_not_kept():
    bench = Bench()
    burst = int(intake_module.REJECTS_KEPT_BURST)

    kept = [r.keep for r in bench.take(*[b"x"] * (burst + 50)).batch.rejects]
    other = bench.intake.take("other", wire.Batch(1, (b"x",))).batch.rejects[0].keep

    assert kept == [True] * burst + [False] * 50
    assert other


def test_the_hubs_own_facts_have_its_source():
    intake = Bench().intake
    started = HubStarted(version="1", epoch=1, clean=True, waiting=0)

    hub = intake.own("hub", started)
    vendor = intake.own("test", VendorDegraded(reason="x"))

    assert hub.events[0].attributes["source"] == f"/hubs/{HUB}"
    assert vendor.vendor == "test"
    assert vendor.events[0].attributes["source"] == f"/hubs/{HUB}/test"


def test_a_void_goes_to_its_own_lane_and_nowhere_else():
    bench = Bench(Route("all", "disk"), Route("all_too", "cloud"))
    lane = LaneKey("test", "cloud", LaneClass.BULK)
    match = Match("cloud", LaneClass.BULK, "all_too", 7)
    void = LaneVoid(lane, 2, (4, 5, 9), VoidReason.PARKED, "too large", match)

    [batch] = bench.intake.voids([void])

    assert batch.vendor == "test"
    [event] = batch.events
    assert event.matches == (match,)
    assert json.loads(event.data)["positions"] == [[4, 5], [9, 9]]
