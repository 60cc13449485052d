"""The compiled matcher agrees with a naive reading of the language, on generated patterns."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from latchway.gateway.routing import compile_pattern

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.sampled_from(["", "x", "xy", "y", "1", 0, 1, 1.0, 2.5, -3, True, False, None])
OPERATORS = st.sampled_from(
    [
        {"prefix": "x"},
        {"prefix": ""},
        {"anything-but": "x"},
        {"anything-but": ["x", "y"]},
        {"anything-but": 1},
        {"anything-but": {"prefix": "x"}},
        {"exists": True},
        {"exists": False},
        {"numeric": [">", 0]},
        {"numeric": ["=", 1]},
        {"numeric": [">=", 0, "<", 2.5]},
    ]
)
EVENTS = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)
PATTERNS = st.dictionaries(
    NAMES,
    st.recursive(
        st.lists(SCALARS | OPERATORS, min_size=1, max_size=3),
        lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        max_leaves=5,
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=600, deadline=None)
@given(pattern=PATTERNS, event=EVENTS)
def test_the_compiled_pattern_agrees_with_the_naive_one(pattern, event):
    assert compile_pattern(pattern).matches(event) is naive(pattern, event)


def naive(pattern: object, value: object) -> bool:
    """Read the language word by word; slow and plain. `...` stands for absence."""
    if isinstance(pattern, list):
        found = list(flat(value))
        if not found:
            return {"exists": False} in pattern
        return any(fits(one, scalar) for one in pattern for scalar in found)
    if isinstance(value, list) and value:
        return any(naive(pattern, element) for element in value)
    inside = value if isinstance(value, dict) else {}
    return all(naive(inner, inside.get(name, ...)) for name, inner in pattern.items())


def flat(value: object):
    if isinstance(value, list):
        for element in value:
            yield from flat(element)
    elif value is not ... and not isinstance(value, dict):
        yield value


def fits(alternative: object, value: object) -> bool:
    if not isinstance(alternative, dict):
        return same(alternative, value)
    [(name, argument)] = alternative.items()
    if name == "exists":
        return argument
    if name == "prefix":
        return isinstance(value, str) and value.startswith(argument)
    return excludes(argument, value) if name == "anything-but" else stands(argument, value)


def excludes(argument: object, value: object) -> bool:
    if isinstance(argument, dict):
        return not (isinstance(value, str) and value.startswith(argument["prefix"]))
    excluded = argument if isinstance(argument, list) else [argument]
    return not any(same(one, value) for one in excluded)


def stands(argument: list, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    pairs = zip(argument[0::2], argument[1::2], strict=True)
    return all(compares(comparison, value, bound) for comparison, bound in pairs)


def compares(comparison: str, value: float, bound: float) -> bool:
    difference = value - bound
    return {
        ">": difference > 0,
        ">=": difference >= 0,
        "<": difference < 0,
        "=": difference == 0,
    }[comparison]


def same(one: object, other: object) -> bool:
    kinds = [type(one), type(other)]
    numeric = all(kind in (int, float) for kind in kinds)
    return one == other and (numeric or kinds[0] is kinds[1])
