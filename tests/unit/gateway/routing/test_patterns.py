"""The pattern language, by cases of our own."""

from __future__ import annotations

import pytest

from latchway.gateway.routing import PatternInvalid, compile_pattern

EVENT = {
    "type": "io.latchway.lock.state_changed.v1",
    "priority": "state",
    "partitionkey": "0x00158d0001a2b3c4",
    "data": {
        "state": "locked",
        "percent": 80,
        "voltage": 2.9,
        "confirmed": True,
        "note": None,
        "actor": {"slot": 3, "kind": "code"},
        "tags": ["front", "ground floor", 7],
        "history": [{"state": "locked", "by": "knob"}, {"state": "jammed", "by": "key"}],
        "empty": [],
    },
}


def matches(data_pattern: dict[str, object]) -> bool:
    return compile_pattern({"data": data_pattern}).matches(EVENT)


@pytest.mark.parametrize(
    "data_pattern",
    [
        {"state": ["locked"]},
        {"state": ["unlocked", "locked"]},
        {"percent": [80]},
        {"percent": [80.0]},
        {"confirmed": [True]},
        {"note": [None]},
        {"note": [{"exists": True}]},
        {"actor": {"slot": [3], "kind": ["code"]}},
        {"tags": ["front"]},
        {"tags": [7]},
        {"state": [{"prefix": "lo"}]},
        {"state": [{"prefix": ""}]},
        {"tags": [{"prefix": "ground"}]},
        {"state": [{"anything-but": "jammed"}]},
        {"state": [{"anything-but": ["jammed", "unknown"]}]},
        {"state": [{"anything-but": 3}]},
        {"percent": [{"anything-but": [1, 2]}]},
        {"state": [{"anything-but": {"prefix": "un"}}]},
        {"state": [{"anything-but": {"prefix": ["un", "ja"]}}]},
        {"percent": [{"anything-but": {"prefix": "8"}}]},
        {"tags": [{"anything-but": "front"}]},
        {"state": [{"exists": True}]},
        {"battery": [{"exists": False}]},
        {"battery": {"percent": [{"exists": False}]}},
        {"actor": [{"exists": False}]},
        {"empty": [{"exists": False}]},
        {"state": {"deeper": [{"exists": False}]}},
        {"percent": [{"numeric": [">", 79.5]}]},
        {"percent": [{"numeric": ["=", 80.0]}]},
        {"percent": [{"numeric": [">=", 80, "<", 81]}]},
        {"voltage": [{"numeric": ["<=", 2.9]}]},
        {"percent": [{"numeric": ["<", 5]}, 80]},
        {"history": {"state": ["jammed"], "by": ["key"]}},
        {"history": {"state": ["locked"], "battery": [{"exists": False}]}},
    ],
)
def test_a_pattern_that_fits_the_event_matches(data_pattern):
    assert matches(data_pattern)


@pytest.mark.parametrize(
    "data_pattern",
    [
        {"state": ["unlocked"]},
        {"percent": ["80"]},
        {"confirmed": [1]},
        {"confirmed": ["true"]},
        {"percent": [True]},
        {"note": [False]},
        {"actor": {"slot": [3], "kind": ["card"]}},
        {"state": [{"prefix": "Lo"}]},
        {"percent": [{"prefix": "8"}]},
        {"state": [{"anything-but": "locked"}]},
        {"battery": [{"anything-but": "low"}]},
        {"state": [{"anything-but": {"prefix": ["un", "lo"]}}]},
        {"state": [{"exists": False}]},
        {"battery": [{"exists": True}]},
        {"actor": [{"exists": True}]},
        {"percent": [{"numeric": [">", 80]}]},
        {"confirmed": [{"numeric": ["=", 1]}]},
        {"state": [{"numeric": ["=", 80]}]},
        {"history": {"state": ["jammed"], "by": ["knob"]}},
        {"state": {"deeper": ["locked"]}},
    ],
)
def test_a_pattern_that_does_not_fit_does_not_match(data_pattern):
    assert not matches(data_pattern)


def test_every_named_field_must_match():
    pattern = compile_pattern({"priority": ["state"], "data": {"state": ["jammed"]}})

    assert not pattern.matches(EVENT)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ({}, "pattern: an empty object matches nothing; name a field, or leave the pattern out"),
        ({"data": {"state": []}}, "data.state: an empty list matches nothing"),
        ({"type": "x"}, 'type: alternatives stand in a list; write type = ["x"]'),
        ({"data": {"percent": 3}}, "data.percent: alternatives stand in a list"),
        ({"type": [["x"]]}, "type[0]: an alternative is a plain value or an operator"),
        ({"$or": [{"a": [1]}]}, "$or: $or is not known; write one route for each alternative"),
        (
            {"type": [{"sufix": "x"}]},
            "operator 'sufix' is not known; use one of anything-but, exists, numeric, prefix",
        ),
        ({"type": ["y", {"prefix": "x", "exists": True}]}, "type[1]: an operator stands alone"),
        ({"type": [{}]}, "type[0]: an operator stands alone in its object, found 0 keys"),
        ({"type": [{"prefix": 3}]}, "type[0].prefix: prefix takes a string; write { prefix ="),
        ({"a": [{"exists": "yes"}]}, "a[0].exists: exists takes true or false"),
        ({"a": [{"anything-but": ["x", 1]}]}, "a[0].anything-but: anything-but takes strings or"),
        ({"a": [{"anything-but": []}]}, "a[0].anything-but: anything-but takes strings or"),
        ({"a": [{"anything-but": True}]}, "a[0].anything-but: anything-but takes strings or"),
        ({"a": [{"anything-but": {"suffix": "x"}}]}, "anything-but does not know suffix"),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "takes strings that are not empty"),
        ({"a": [{"anything-but": {"prefix": ["x", 1]}}]}, "takes strings that are not empty"),
        ({"a": [{"numeric": [">"]}]}, "numeric takes one comparison, or a range of two"),
        ({"a": [{"numeric": 3}]}, "numeric takes one comparison, or a range of two"),
        ({"a": [{"numeric": ["<>", 1]}]}, "numeric does not know the comparison '<>'"),
        ({"a": [{"numeric": ["=", True]}]}, "numeric compares = with True, no number"),
        ({"a": [{"numeric": ["=", float("inf")]}]}, "numeric compares = with inf, no number"),
        ({"a": [{"numeric": ["<", 1, ">", 0]}]}, "a numeric range begins with its lower bound"),
        ({"a": [{"numeric": [">", 1, "<", 1]}]}, "is not below the upper"),
    ],
)
def test_an_invalid_pattern_names_the_place_and_the_fix(pattern, message):
    with pytest.raises(PatternInvalid) as raised:
        compile_pattern(pattern)

    assert message in str(raised.value)
    assert raised.value.fix


def test_a_bottomless_pattern_is_refused():
    pattern: dict[str, object] = {"leaf": ["x"]}
    for _ in range(50):
        pattern = {"deeper": pattern}

    with pytest.raises(PatternInvalid, match="nested deeper than 32 levels"):
        compile_pattern(pattern)
