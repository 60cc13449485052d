"""A position set behaves as a plain set of integers, in little space."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.outbox import PositionSet

numbers = st.integers(1, 40)
changes = st.lists(st.tuples(st.sampled_from(["add", "discard", "range"]), numbers, numbers))


def apply(positions, plain, change):
    kind, first, other = change
    if kind == "range":
        first, other = sorted((first, other))
        positions.add_range(first, other)
        plain.update(range(first, other + 1))
    elif kind == "add":
        assert positions.add(first) is (first not in plain)
        plain.add(first)
    else:
        assert positions.discard(first) is (first in plain)
        plain.discard(first)


@given(changes)
def test_it_says_what_a_plain_set_would_say(steps):
    positions, plain = PositionSet(), set()
    for change in steps:
        apply(positions, plain, change)

        assert list(positions) == sorted(plain)
        assert len(positions) == len(plain)
        assert all((number in positions) is (number in plain) for number in range(42))
        for after in range(42):
            assert positions.next_missing(after) == min(
                number for number in range(after + 1, 90) if number not in plain
            )
        assert positions.lowest_missing == positions.next_missing(0)


@given(changes)
def test_its_ranges_are_ascending_and_never_touch(steps):
    positions = PositionSet()
    for change in steps:
        apply(positions, set(), change) if change[0] == "range" else positions.add(change[1])
    ends = [number for pair in positions.ranges for number in pair]

    assert ends == sorted(ends)
    assert all(
        later[0] - earlier[1] > 1
        for earlier, later in zip(positions.ranges, positions.ranges[1:], strict=False)
    )


@given(st.sets(numbers))
def test_its_text_can_be_read_back(plain):
    positions = PositionSet((number, number) for number in plain)

    assert PositionSet.from_text(positions.to_text()) == positions


def test_its_text_is_short_and_readable():
    assert PositionSet([(1, 41), (43, 43)]).to_text() == "1-41,43"


@pytest.mark.parametrize("text", ["0-3", "5-4", "1-3,4", "4,1", "a", "1,", "1--2", "-1"])
def test_damaged_text_is_refused(text):
    with pytest.raises(ValueError):
        PositionSet.from_text(text)


@pytest.mark.parametrize("wrong", [0, -1])
def test_positions_count_from_one(wrong):
    with pytest.raises(ValueError, match="from 1"):
        PositionSet().add(wrong)


def test_a_copy_goes_its_own_way():
    positions = PositionSet([(1, 3)])
    twin = positions.copy()
    twin.add(4)

    assert 4 not in positions
