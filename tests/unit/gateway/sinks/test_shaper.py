"""Token buckets: how long a message has to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.gateway.sinks.shaper import Shaper, ShapingProfile


def test_without_limits_nothing_waits():
    shaper = Shaper(ShapingProfile(), now=0.0)

    assert shaper.unlimited
    assert shaper.wait_s(1_000_000, now=0.0) == 0.0


def test_a_burst_of_one_second_goes_at_once_and_the_next_message_waits():
    shaper = Shaper(ShapingProfile(messages_per_s=10), now=0.0)

    waits = [shaper.wait_s(1, now=0.0) for _ in range(12)]

    assert waits[:10] == [0.0] * 10
    assert waits[10:] == pytest.approx([0.1, 0.2])


def test_bytes_count_too_and_the_slower_bucket_decides():
    shaper = Shaper(ShapingProfile(messages_per_s=100, bytes_per_s=1000), now=0.0)

    assert shaper.wait_s(1000, now=0.0) == 0.0
    assert shaper.wait_s(500, now=0.0) == pytest.approx(0.5)


def test_quiet_time_gives_back_no_more_than_one_burst():
    shaper = Shaper(ShapingProfile(messages_per_s=2), now=0.0)

    waits = [shaper.wait_s(1, now=1000.0) for _ in range(3)]

    assert waits == pytest.approx([0.0, 0.0, 0.5])


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=200))
def test_no_second_ever_sees_more_than_rate_and_burst(pauses):
    shaper = Shaper(ShapingProfile(messages_per_s=5), now=0.0)
    now, sent = 0.0, []
    for pause in pauses:
        now += pause
        now += shaper.wait_s(1, now)
        sent.append(now)

    for at in sent:
        within = [other for other in sent if at <= other < at + 1.0]
        assert len(within) <= 5 + 5 + 1
