"""Steps of the wall clock are found, slewing and suspend are not mistaken for one."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from latchway.gateway.clock import (
    ClockReading,
    ClockWatch,
    StepDetector,
    SystemClock,
    boot_id,
    clock_is_synchronised,
    read_clocks,
)
from latchway.schemas import ClockQuality, HubClockStepped, HubClockSynchronised
from support.delivery import HandClock

BOOT = "5f0c2c5e-2b1f-4f52-8a8e-0e0f6f7a9d11"


def reading(wall_ms: int, boot_ms: int, *, synchronised: bool = True) -> ClockReading:
    return ClockReading(wall_ms, boot_ms, synchronised)


def test_a_jump_back_by_an_hour_is_a_step():
    detector = StepDetector(reading(10_000_000, 1000), BOOT)

    assert detector.observe(reading(10_001_000 - 3_600_000, 2000)) == (
        HubClockStepped(step_ms=-3_600_000),
    )
    assert detector.observe(reading(10_002_000 - 3_600_000, 3000)) == ()


def test_a_clock_that_is_synchronised_later_gives_the_offset_of_this_boot():
    detector = StepDetector(reading(0, 0, synchronised=False), BOOT)

    found = detector.observe(reading(1_767_225_601_000, 1000))

    assert found == (
        HubClockStepped(step_ms=1_767_225_600_000),
        HubClockSynchronised(bootid=BOOT, offset_ms=1_767_225_600_000),
    )


def test_losing_the_time_service_is_no_event():
    detector = StepDetector(reading(0, 0), BOOT)

    assert detector.observe(reading(1000, 1000, synchronised=False)) == ()


@given(st.integers(0, 10**9), st.integers(-200, 200))
def test_time_that_passes_however_long_and_slewing_are_no_step(passed_ms, slewed_ms):
    detector = StepDetector(reading(5_000, 1_000), BOOT)

    assert detector.observe(reading(5_000 + passed_ms + slewed_ms, 1_000 + passed_ms)) == ()


async def test_the_watch_reports_and_stamps():
    clock, facts = HandClock(), []
    readings = iter([reading(0, 0, synchronised=False), reading(1000, 1000, synchronised=True)])
    watch = ClockWatch(clock, BOOT, facts.append, lambda: next(readings))
    assert watch.quality is ClockQuality.UNSYNCED

    task = asyncio.create_task(watch.run())
    await clock.advance(1.0)
    task.cancel()

    assert watch.quality is ClockQuality.SYNCED
    assert facts == [HubClockSynchronised(bootid=BOOT, offset_ms=0)]


def test_the_machine_has_the_clocks_that_we_need():
    first, second = read_clocks(), read_clocks()

    assert second.boot_ms >= first.boot_ms
    assert abs(second.offset_ms - first.offset_ms) < 250
    assert isinstance(clock_is_synchronised(), bool)
    assert len(boot_id()) == 36
    assert SystemClock().now().tzinfo is not None
    assert abs(SystemClock().monotonic() * 1000 - second.boot_ms) < 1000
