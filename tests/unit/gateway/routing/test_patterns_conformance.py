"""The matcher against what the published suite of EventBridge's own matcher expects."""

from __future__ import annotations

import json

import pytest

from latchway.gateway.routing import PatternInvalid, compile_pattern
from support.shared import shared_path

OPERATORS_OF_OURS = {"prefix", "anything-but", "exists", "numeric"}
PAIRS = "conformance/event-patterns/event-ruler-suite-pairs.json"
VALIDITY = "conformance/event-patterns/event-ruler-pattern-validity.json"


@pytest.mark.shared
def test_every_pair_that_uses_only_our_operators_agrees():
    cases = json.loads(shared_path(PAIRS).read_text(encoding="utf-8"))["cases"]
    ours = [case for case in cases if set(case["operators"]) <= OPERATORS_OF_OURS]

    disagreeing = [case["id"] for case in ours if verdict(case) != case["expected"]]

    assert disagreeing == []
    assert len(ours) == 361, "the count of rows that really ran changed: look why"


@pytest.mark.shared
def test_patterns_that_the_published_compiler_refuses_are_refused():
    cases = json.loads(shared_path(VALIDITY).read_text(encoding="utf-8"))["cases"]
    refused = [case for case in cases if case["expected"] == "invalid"]

    accepted = [case["id"] for case in refused if compiles(case["pattern_raw"])]

    # erv-331 compares with 1E-325, which every JSON and TOML reader of ours rounds to 0 before.
    assert accepted == ["erv-331"]
    assert len(refused) == 94, "the count of rows that really ran changed: look why"


@pytest.mark.shared
def test_patterns_that_the_published_compiler_takes_are_taken_or_name_the_unknown_operator():
    cases = json.loads(shared_path(VALIDITY).read_text(encoding="utf-8"))["cases"]

    valid = [case for case in cases if case["expected"] == "valid"]

    wrongly_refused = [case["id"] for case in valid if not taken_or_unknown(case["pattern_raw"])]

    assert wrongly_refused == []


def taken_or_unknown(text: str) -> bool:
    try:
        compile_pattern(json.loads(text))
    except PatternInvalid as error:
        unknown = ("is not known", "does not know", "prefix takes a string")
        return any(words in error.problem for words in unknown)
    return True


def verdict(case: dict[str, str]) -> str:
    pattern = compile_pattern(json.loads(case["pattern_raw"]))
    return "match" if pattern.matches(json.loads(case["event_raw"])) else "no_match"


def compiles(text: str) -> bool:
    try:
        compile_pattern(json.loads(text))
    except (ValueError, PatternInvalid):
        return False
    return True
