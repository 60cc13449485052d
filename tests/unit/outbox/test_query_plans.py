"""No statement that runs often reads a whole table or sorts, however many events wait."""

import re
import sqlite3

import pytest

from latchway.outbox import statements
from latchway.outbox.migrations import migrations

MAY_READ_ALL = {
    # a handful of rows each
    "ALL_META": {"meta"},
    "ALL_LANES": {"lanes"},
    "ALL_ROUTES": {"routes"},
    "ACCOUNT": {"account"},
    # stops at the limit, in the order of the key
    "NEWEST_REJECTED": {"rejected"},
    "PARKED_POSITIONS": {"parked"},
    # the few places of one event
    "REMOVE_EVENT_WITHOUT_DELIVERIES": {"place"},
    # an audit is there to look at everything
    "RECOUNT_INTAKE": {"account", "events", "rejected", "kept", "rejects"},
}
MAY_SORT = {"RECOUNT_INTAKE", "COUNT_VOIDED"}

NAMED = {
    name: text
    for name, text in vars(statements).items()
    if isinstance(text, str) and re.match(r"\s*(SELECT|INSERT|DELETE|UPDATE|WITH)\b", text)
}


@pytest.fixture(scope="module")
def empty_outbox():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for script in migrations():
        connection.executescript(script)
    yield connection
    connection.close()


def plan(connection, statement):
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", (1,) * statement.count("?"))
    return [detail for *_, detail in rows]


@pytest.mark.parametrize("name", sorted(NAMED.keys() - {"COUNT_OBJECTS"}))
def test_it_searches_by_a_key(empty_outbox, name):
    steps = plan(empty_outbox, NAMED[name])

    scanned = {match[1] for step in steps if (match := re.match(r"SCAN (\w+)", step))}
    assert scanned <= MAY_READ_ALL.get(name, set()), steps
    assert name in MAY_SORT or not any("TEMP B-TREE" in step for step in steps), steps


def test_reading_a_lane_walks_its_own_key_and_looks_each_event_up(empty_outbox):
    assert plan(empty_outbox, statements.DELIVERIES_FROM) == [
        "SEARCH deliveries USING PRIMARY KEY (lane_id=? AND position>?)",
        "SEARCH events USING INTEGER PRIMARY KEY (rowid=?)",
    ]


def test_removing_events_without_a_match_touches_no_event_that_waits(empty_outbox):
    for statement in (statements.REMOVABLE_UNROUTED, statements.REMOVE_UNROUTED):
        (step,) = plan(empty_outbox, statement)
        assert "INDEX events_unrouted" in step
