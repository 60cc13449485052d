"""Which problems status finds, and that each says what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from latchway.gateway.api.problems import find_problems
from latchway.gateway.view import (
    OutboxSize,
    OutboxUnreadable,
    Readiness,
    SinkState,
    VendorState,
    take_snapshot,
)
from support.view import NOW, FakeView, hub, lane, sink, vendor


async def problems(view: FakeView):
    return find_problems(await take_snapshot(view))


async def only_problem(view: FakeView):
    (found,) = await problems(view)
    return found


async def test_a_gateway_at_work_has_no_problems():
    assert await problems(FakeView()) == ()


@pytest.mark.parametrize(
    ("changes", "name", "severity", "words"),
    [
        (
            {"state": VendorState.QUARANTINED, "last_error": "exit status 3"},
            "quarantined",
            "error",
            "exit status 3",
        ),
        ({"state": VendorState.RESTARTING}, "restarting", "error", "ended"),
        ({"state": VendorState.STOPPED}, "stopped", "error", "stopped"),
        ({"state": VendorState.STARTING}, "starting", "error", "not come up"),
        ({"heartbeat_age_s": 4.2}, "silent", "warning", "4 s"),
        ({"degraded": ("no persistent session; set it up",)}, "degraded.1", "warning", "session"),
    ],
)
async def test_a_vendor_that_is_not_well_is_a_problem(changes, name, severity, words):
    view = FakeView()
    view.vendor_statuses = (vendor(**changes),)
    problem = await only_problem(view)
    assert problem.id == f"vendor.zigbee2mqtt.{name}"
    assert problem.severity == severity
    assert words in problem.problem
    assert problem.fix


async def test_a_driver_that_names_a_fix_after_a_semicolon_has_it_shown_as_the_fix():
    view = FakeView()
    view.vendor_statuses = (vendor(degraded=("sessions end; set persistence true",)),)
    problem = await only_problem(view)
    assert (problem.problem, problem.fix) == ("zigbee2mqtt: sessions end", "set persistence true")


async def test_a_worker_or_a_connection_that_has_just_begun_is_no_problem():
    view = FakeView()
    just_now = NOW - timedelta(seconds=2)
    view.vendor_statuses = (vendor(state=VendorState.STARTING, since=just_now),)
    view.sink_statuses = (sink(state=SinkState.CONNECTING, since=just_now),)
    assert await problems(view) == ()


async def test_a_sink_that_is_tried_again_is_a_problem_from_the_first_failure_on():
    view = FakeView()
    just_now = NOW - timedelta(seconds=2)
    view.sink_statuses = (sink(state=SinkState.CONNECTING, since=just_now, detail="refused"),)
    assert "refused" in (await only_problem(view)).problem


@pytest.mark.parametrize("state", [SinkState.WAITING, SinkState.CONNECTING, SinkState.STOPPED])
async def test_a_sink_that_is_not_connected_is_a_problem_with_the_count_of_what_waits(state):
    view = FakeView()
    view.sink_statuses = (sink(state=state, detail="connection refused"), sink("archive"))
    view.lanes = (lane(acknowledged=5, waiting=7), lane(sink="archive", waiting=100))
    problem = await only_problem(view)
    assert problem.id == "sink.cloud.unreachable"
    assert "7 events wait" in problem.problem
    assert "connection refused" in problem.problem
    assert "[sinks.cloud] in /etc/latchway/config.toml" in problem.fix


async def test_an_account_that_does_not_close_is_an_error_of_ours():
    view = FakeView()
    view.lanes = (replace(lane(acknowledged=3), routed=4),)
    problem = await only_problem(view)
    assert (problem.id, problem.severity) == ("account.difference", "error")


async def test_parked_events_are_a_warning_per_lane_over_all_epochs():
    view = FakeView()
    view.lanes = (lane(parked=2, epoch=1), lane(parked=3, epoch=2))
    problem = await only_problem(view)
    assert problem.id == "lane.zigbee2mqtt/cloud/main.parked"
    assert problem.problem.startswith("5 events")


async def test_an_outbox_that_cannot_be_read_is_an_error_and_stops_no_other_answer():
    view = FakeView()
    view.failure = OutboxUnreadable("disk failed")
    view.ready = Readiness(outbox_open=False, writer_running=False)
    view.sink_statuses = (sink(state=SinkState.WAITING),)
    assert [each.id for each in await problems(view)] == [
        "outbox.unavailable",
        "sink.cloud.unreachable",
    ]


async def test_a_nearly_full_outbox_an_unsynchronised_clock_and_a_slow_loop_are_warnings():
    view = FakeView()
    view.size = OutboxSize(95, 0, 100)
    view.hub_status = hub(clock="unsynced", notices=("Memory limits are off; enable cgroups",))
    view.lag_s = 0.8
    found = await problems(view)
    assert {each.severity for each in found} == {"warning"}
    assert [each.id for each in found] == [
        "outbox.nearly_full",
        "hub.clock_unsynced",
        "hub.slow",
        "hub.notice.1",
    ]


async def test_errors_come_before_warnings():
    view = FakeView()
    view.hub_status = hub(clock="unsynced")
    view.vendor_statuses = (vendor(heartbeat_age_s=4.0), vendor("nuki", state=VendorState.STOPPED))
    assert [each.severity for each in await problems(view)] == ["error", "warning", "warning"]
