"""Device states as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.drivers.contract import Attribute, DeviceState
from latchway.drivers.errors import StateInvalid
from latchway.drivers.states import decode_state, encode_state
from latchway.schemas import Source

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_state_comes_back_as_it_was() -> None:
    state = DeviceState(
        name="Haustür",
        model="X1",
        firmware="1.2",
        attributes={
            "lock_state": Attribute("locked", Source.REPORTED, NOON),
            "battery_percent": Attribute(80, Source.CACHED, NOON + timedelta(microseconds=1)),
            "more": Attribute({"a": [1, None]}, Source.READ, NOON),
        },
    )
    assert decode_state(encode_state(state)) == state


def test_times_are_kept_as_utc() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5)))
    state = DeviceState("x", attributes={"a": Attribute(1, Source.READ, there)})
    assert b"2026-01-01T12:00:00+00:00" in encode_state(state)


@pytest.mark.parametrize(
    "attribute",
    [
        Attribute(1, Source.READ, NOON.replace(tzinfo=None)),
        Attribute(float("nan"), Source.READ, NOON),
        Attribute(object(), Source.READ, NOON),
        Attribute("\ud800", Source.READ, NOON),
    ],
)
def test_what_is_no_json_is_refused_when_it_is_written(attribute: Attribute) -> None:
    with pytest.raises(StateInvalid):
        encode_state(DeviceState("x", attributes={"a": attribute}))


@given(st.binary(max_size=100))
def test_damage_is_found_when_it_is_read(raw: bytes) -> None:
    with pytest.raises(StateInvalid):
        decode_state(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b'{"name":1}',
        b'{"name":"x","attributes":[]}',
        b'{"name":"x","attributes":{"a":{"value":1}}}',
        b'{"name":"x","attributes":{"a":{"value":1,"source":"guess","at":"2026-01-01"}}}',
    ],
)
def test_another_shape_is_damage(raw: bytes) -> None:
    with pytest.raises(StateInvalid):
        decode_state(raw)
