"""Ids: equal where the fact is equal, fresh everywhere else."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.schemas import RANDOM_BYTES, LogKey, log_event_id, new_event_id
from support.events import DEVICE, device_ids, log_keys

PLACES = st.tuples(st.sampled_from(["front", "back"]), st.sampled_from(["a", "b"]), device_ids)


def test_the_id_of_a_log_entry_never_changes() -> None:
    """Stored and sent ids depend on it: if this fails, repeated entries become new events."""
    event_id = log_event_id("front-gate", "nuki", DEVICE, LogKey(epoch=1, index=120, part=0))

    assert event_id == "a41cb4b7-1f90-5623-9c8e-fb306c745419"


@given(PLACES, log_keys)
def test_the_same_entry_read_twice_has_the_same_id(place: tuple, key: LogKey) -> None:
    assert log_event_id(*place, key) == log_event_id(*place, key)
    assert uuid.UUID(log_event_id(*place, key)).version == 5


@given(PLACES, log_keys, PLACES, log_keys)
def test_two_entries_never_share_an_id(
    place: tuple, key: LogKey, other_place: tuple, other: LogKey
) -> None:
    same = (place, key) == (other_place, other)
    assert (log_event_id(*place, key) == log_event_id(*other_place, other)) == same


@given(st.integers(0, 2**48 - 1), st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_a_fresh_id_is_a_uuid_of_version_7_that_carries_its_time(
    now_ms: int, chance: bytes
) -> None:
    event_id = uuid.UUID(new_event_id(now_ms, chance))

    assert event_id.variant == uuid.RFC_4122
    assert event_id.version == 7
    assert event_id.int >> 80 == now_ms


def test_fresh_ids_of_one_instant_differ_by_all_but_six_bits_of_chance() -> None:
    chances = [(1 << bit).to_bytes(RANDOM_BYTES, "big") for bit in range(74)]

    assert len({new_event_id(1, chance) for chance in chances}) == 74


@pytest.mark.parametrize(("now_ms", "chance"), [(-1, b"0" * 10), (2**48, b"0" * 10), (0, b"0" * 9)])
def test_what_no_id_can_hold_is_an_error(now_ms: int, chance: bytes) -> None:
    with pytest.raises(ValueError, match=r"48 bits|random bytes"):
        new_event_id(now_ms, chance)
