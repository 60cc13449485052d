"""Metrics are one snapshot: they add up to the account, and name nobody."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from latchway.gateway.metrics import exposition
from latchway.gateway.view import OutboxUnreadable, SinkState, VendorState, take_snapshot
from latchway.schemas import LaneClass
from support.view import FakeView, intake, lane, sink, vendor

ALLOWED_LABELS = {"vendor", "sink", "class", "state", "outcome", "file", "version", "python"}


async def samples(view: FakeView):
    text = exposition(await take_snapshot(view)).decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


async def value(view: FakeView, name: str, **labels: str) -> float:
    (found,) = [
        each.value for each in await samples(view) if each.name == name and each.labels == labels
    ]
    return found


async def test_intake_outcomes_add_up_to_what_was_received():
    view = FakeView()
    view.intake = (intake(stored=10, duplicate=2, rejected=3, refused=1), intake("nuki", stored=4))
    outcomes = [
        each.value
        for each in await samples(view)
        if each.name == "latchway_intake_outcomes_total" and each.labels["vendor"] == "zigbee2mqtt"
    ]
    received = await value(view, "latchway_intake_received_total", vendor="zigbee2mqtt")
    assert sum(outcomes) == received == 16


async def test_the_states_of_a_lanes_deliveries_add_up_to_what_was_routed_over_all_epochs():
    view = FakeView()
    view.lanes = (
        lane(acknowledged=10, waiting=1, parked=2, expired=3, epoch=1),
        lane(acknowledged=20, dropped=4, epoch=2),
        lane(acknowledged=7, lane_class=LaneClass.BULK),
    )
    key = {"vendor": "zigbee2mqtt", "sink": "cloud", "class": "main"}
    states = {
        each.labels["state"]: each.value
        for each in await samples(view)
        if each.name == "latchway_lane_deliveries" and key.items() <= each.labels.items()
    }
    assert states["acknowledged"] == 30
    assert sum(states.values()) == await value(view, "latchway_lane_routed_total", **key) == 40


async def test_the_difference_of_the_account_is_a_metric_of_its_own():
    assert await value(FakeView(), "latchway_account_difference") == 0


async def test_exactly_the_current_state_of_a_vendor_and_of_a_sink_is_one():
    view = FakeView()
    view.vendor_statuses = (vendor(state=VendorState.QUARANTINED, restarts=5),)
    view.sink_statuses = (sink(state=SinkState.WAITING),)
    on = [
        (each.name, each.labels["state"])
        for each in await samples(view)
        if each.name.endswith("_state") and each.value == 1
    ]
    assert on == [("latchway_vendor_state", "quarantined"), ("latchway_sink_state", "waiting")]
    assert await value(view, "latchway_vendor_restarts_total", vendor="zigbee2mqtt") == 5


async def test_the_gateway_says_version_readiness_lag_bytes_and_what_is_in_flight():
    view = FakeView()
    assert await value(view, "latchway_ready") == 1
    assert await value(view, "latchway_event_loop_lag_seconds") == 0.002
    assert await value(view, "latchway_outbox_bytes", file="wal") == 65_536
    assert await value(view, "latchway_sink_in_flight", sink="cloud") == 3
    (build,) = [each for each in await samples(view) if each.name == "latchway_build_info"]
    assert build.labels["version"] == "0.1.0"


async def test_an_outbox_that_cannot_be_read_leaves_the_other_metrics_standing():
    view = FakeView()
    view.failure = OutboxUnreadable("disk failed")
    names = {each.name for each in await samples(view)}
    assert "latchway_vendor_state" in names
    assert not any(name.startswith(("latchway_intake", "latchway_lane")) for name in names)


async def test_no_label_can_hold_a_device_a_person_or_a_topic():
    labels = {label for each in await samples(FakeView()) for label in each.labels}
    assert labels - {"implementation"} <= ALLOWED_LABELS


async def test_scraping_again_counts_nothing_twice():
    view = FakeView()
    first = await value(view, "latchway_intake_received_total", vendor="zigbee2mqtt")
    assert await value(view, "latchway_intake_received_total", vendor="zigbee2mqtt") == first
