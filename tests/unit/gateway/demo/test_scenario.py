"""The day that the demo plays: the same each time, and possible in a real house."""

from __future__ import annotations

from itertools import groupby
from random import Random

import pytest

from latchway.gateway.demo.scenario import HOURS, HOUSE, Happening, Means, day


def by_door(moments):
    key = lambda moment: moment.door.address  # noqa: E731 - for both calls below
    return {address: list(group) for address, group in groupby(sorted(moments, key=key), key)}


def test_the_same_seed_gives_the_same_day_and_another_another():
    assert day(Random(1)) == day(Random(1))
    assert day(Random(1)) != day(Random(2))


@pytest.mark.parametrize("seed", range(20))
def test_moments_are_in_order_and_within_the_day(seed):
    hours = [moment.hour for moment in day(Random(seed))]
    assert hours == sorted(hours)
    assert hours[0] >= 0
    assert hours[-1] < HOURS


@pytest.mark.parametrize("seed", range(20))
def test_every_door_ends_the_day_closed_and_locked(seed):
    for moments in by_door(day(Random(seed))).values():
        bolts = [m.what for m in moments if m.what.is_access and m.what is not Happening.REFUSED]
        doors = [
            m.what for m in moments if m.what in (Happening.DOOR_OPENED, Happening.DOOR_CLOSED)
        ]
        assert bolts[::2] == [Happening.UNLOCKED] * (len(bolts) // 2)
        assert Happening.UNLOCKED not in bolts[1::2]
        assert doors == [Happening.DOOR_OPENED, Happening.DOOR_CLOSED] * (len(doors) // 2)


def test_everybody_comes_as_often_as_the_house_says():
    counts = {
        address: sum(moment.what is Happening.UNLOCKED for moment in moments)
        for address, moments in by_door(day(Random(3))).items()
    }
    assert counts == {door.address: door.visits for door in HOUSE}


def test_a_door_without_keypad_is_opened_by_hand_and_refuses_nobody():
    for moment in day(Random(4)):
        if not moment.door.keypad:
            assert moment.means is Means.BY_HAND
            assert moment.what is not Happening.REFUSED


def test_there_is_something_garbled_for_the_gateway_to_keep():
    assert any(moment.what is Happening.GARBLED for moment in day(Random(20)))
