"""The table of routes."""

from __future__ import annotations

import os
import subprocess
import sys

from latchway.gateway.routing import Route, RouteTable, compile_pattern
from latchway.outbox.model import Match
from latchway.schemas import LaneClass, Priority

LOCKED = {"type": "io.latchway.lock.state_changed.v1", "priority": "state"}
BATTERY = {"type": "io.latchway.battery.reported.v1", "priority": "telemetry"}
LOCKS_ONLY = compile_pattern({"type": [{"prefix": "io.latchway.lock."}]})
JAMMED_ONLY = compile_pattern(
    {"type": ["io.latchway.lock.state_changed.v1"], "data": {"state": ["jammed"]}}
)


def sinks(matches: tuple[Match, ...]) -> list[str]:
    return [match.sink for match in matches]


def test_a_route_without_pattern_takes_every_event():
    table = RouteTable([Route("all", "cloud")], version=1)

    assert sinks(table.match(BATTERY, {}, Priority.TELEMETRY)) == ["cloud"]


def test_each_sink_gets_the_event_once_by_its_first_route_that_matches():
    table = RouteTable(
        [
            Route("jammed", "cloud", JAMMED_ONLY),
            Route("locks", "cloud", LOCKS_ONLY),
            Route("all", "cloud"),
            Route("archive", "disk"),
        ],
        version=1,
    )

    matches = table.match(LOCKED, {"state": "locked"}, Priority.STATE)

    assert [(match.sink, match.route) for match in matches] == [
        ("cloud", "locks"),
        ("disk", "archive"),
    ]


def test_telemetry_goes_to_the_bulk_lane_and_all_else_to_the_main_lane():
    table = RouteTable([Route("all", "cloud")], version=1)

    [telemetry] = table.match(BATTERY, {}, Priority.TELEMETRY)
    [state] = table.match(LOCKED, {}, Priority.STATE)

    assert telemetry.lane_class is LaneClass.BULK
    assert state.lane_class is LaneClass.MAIN


def test_a_match_names_route_version_pin_and_projection():
    route = Route("r", "cloud", schema_pin="1.0", projection='{"include_people":false}')

    [match] = RouteTable([route], version=7).match(LOCKED, {}, Priority.STATE)

    assert match == Match(
        sink="cloud",
        lane_class=LaneClass.MAIN,
        route="r",
        route_version=7,
        schema_pin="1.0",
        projection='{"include_people":false}',
    )


PRINT_ROUTE = """
from latchway.gateway.routing import Route, compile_pattern
pattern = {"type": ["io.a", "io.b", {"prefix": "io.c."}], "data": {"percent": [1, 2.5, None]}}
print(repr(Route("some", "disk", compile_pattern(pattern))))
"""


def test_a_route_reads_the_same_in_every_run_so_that_its_version_does_too():
    """Sets of strings come in another order in each process."""
    runs = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ROUTE],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in (1, 2, 3)
    }

    assert len(runs) == 1


def test_the_payload_decides_where_the_pattern_looks_into_it():
    table = RouteTable([Route("jammed", "alarm", JAMMED_ONLY)], version=1)

    assert sinks(table.match(LOCKED, {"state": "jammed"}, Priority.STATE)) == ["alarm"]
    assert sinks(table.match(LOCKED, {"state": "locked"}, Priority.STATE)) == []
    assert sinks(table.match(BATTERY, {"state": "jammed"}, Priority.TELEMETRY)) == []


def test_the_table_says_whether_any_route_needs_the_payload():
    assert RouteTable([Route("jammed", "alarm", JAMMED_ONLY)], version=1).needs_data
    assert not RouteTable([Route("locks", "cloud", LOCKS_ONLY)], version=1).needs_data


def test_an_event_that_no_route_wants_goes_nowhere():
    table = RouteTable([Route("locks", "cloud", LOCKS_ONLY)], version=1)

    assert table.match(BATTERY, {}, Priority.TELEMETRY) == ()
