"""The meter of the event loop's lag, on a clock moved by hand."""

from __future__ import annotations

import asyncio

import pytest

from latchway.gateway.api.lag import INTERVAL_S, REMEMBERED, LoopLag


class LateLoop:
    """Wakes every sleeper as late as the test says, and ends after that."""

    def __init__(self, *late_s: float) -> None:
        self.now = 1000.0
        self._late_s = list(late_s)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if not self._late_s:
            raise asyncio.CancelledError
        self.now += seconds + self._late_s.pop(0)


async def measured(*late_s: float) -> float:
    loop = LateLoop(*late_s)
    lag = LoopLag(loop.monotonic, loop.sleep)
    with pytest.raises(asyncio.CancelledError):
        await lag.run()
    return lag.worst_s


async def test_the_worst_recent_lag_is_remembered():
    assert await measured(0.001, 0.4, 0.002) == pytest.approx(0.4)


async def test_a_lag_is_forgotten_after_fifteen_seconds():
    assert REMEMBERED * INTERVAL_S == 15
    assert await measured(0.4, *[0.001] * REMEMBERED) == pytest.approx(0.001)


async def test_waking_early_is_no_lag():
    assert await measured(-0.1) == 0


def test_before_the_first_sample_there_is_no_lag():
    assert LoopLag(lambda: 0.0).worst_s == 0
