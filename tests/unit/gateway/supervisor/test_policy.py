"""When a dead worker starts again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from latchway.gateway.supervisor.policy import (
    History,
    Quarantine,
    Restart,
    RestartPolicy,
    after_death,
)

POLICY = RestartPolicy()


def highest(_low: float, high: float) -> float:
    return high


def die(history: History, now: float, healthy_s: float = 0.0, uniform=highest):
    return after_death(POLICY, history, now=now, healthy_s=healthy_s, uniform=uniform)


def ceilings(times: list[float]) -> list[float]:
    history, found = History(), []
    for now in times:
        history, decision = die(history, now)
        found.append(decision.after_s if isinstance(decision, Restart) else -decision.for_s)
    return found


def test_the_ceiling_of_the_back_off_doubles_from_half_a_second_to_a_minute():
    assert ceilings([1000.0 * n for n in range(9)]) == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


def test_five_restarts_in_a_minute_are_allowed_and_the_next_death_is_quarantined():
    assert ceilings([0, 10, 20, 30, 40, 50]) == [0.5, 1, 2, 4, 8, -600]


def test_deaths_more_than_a_minute_ago_do_not_count():
    assert ceilings([0, 10, 20, 30, 40, 61])[-1] == 16


def test_quarantines_double_from_ten_minutes_to_six_hours():
    history, found = History(), []
    for round_ in range(8):
        for n in range(6):
            history, decision = die(history, round_ * 100_000 + n)
        assert isinstance(decision, Quarantine)
        found.append(decision.for_s)

    assert found == [600, 1200, 2400, 4800, 9600, 19200, 21600, 21600]


def test_a_healthy_minute_starts_the_back_off_anew():
    history = History(attempts=6)

    _, decision = die(history, 5000.0, healthy_s=60.0)

    assert decision == Restart(0.5)


def test_a_healthy_half_hour_pardons_earlier_quarantines():
    history = History(recent_deaths=(1.0, 2.0, 3.0, 4.0, 5.0), quarantines=4)

    assert die(history, 6.0, healthy_s=1799.0)[1] == Quarantine(9600)
    assert die(history, 6.0, healthy_s=1800.0)[1] == Quarantine(600)


lives = st.lists(
    st.tuples(st.floats(0.01, 5000), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60
)


@given(lives)
def test_whatever_happens_the_bounds_hold(steps):
    history, now = History(), 0.0
    restarts: list[float] = []
    for gap, healthy_part, chance in steps:
        now += gap
        history, decision = after_death(
            POLICY,
            history,
            now=now,
            healthy_s=gap * healthy_part,
            uniform=lambda low, high, chance=chance: low + (high - low) * chance,
        )
        if isinstance(decision, Restart):
            assert 0 <= decision.after_s <= 60
            restarts.append(now)
        else:
            assert 600 <= decision.for_s <= 21_600
        assert len(history.recent_deaths) <= POLICY.restarts
        assert sum(now - at < POLICY.within_s for at in restarts) <= POLICY.restarts
