"""A rate is held over time, bursts included."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from latchway.gateway.bucket import TokenBucket


def test_a_burst_is_let_through_and_then_the_rate():
    bucket = TokenBucket(2.0, 3.0, 0.0)

    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(0.5)
    assert not bucket.take(0.5)


def test_debt_is_paid_off_at_the_rate():
    bucket = TokenBucket(200.0, 1000.0, 0.0)

    bucket.spend(1000, 0.0)
    assert bucket.wait_s(0.0) == 0
    bucket.spend(100, 0.0)
    assert bucket.wait_s(0.0) == 0.5
    assert bucket.wait_s(0.5) == 0


def test_time_that_goes_back_gives_nothing():
    bucket = TokenBucket(1.0, 1.0, 100.0)
    bucket.take(100.0)

    assert not bucket.take(0.0)
    assert bucket.take(101.0)


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_never_more_than_burst_and_rate_together(gaps):
    bucket, now, taken = TokenBucket(5.0, 10.0, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now)
        assert taken <= 10 + 5 * now + 1e-6
