"""The hub's clocks: wall time as data, CLOCK_BOOTTIME for everything that waits, and who vouches.

`StepDetector` is pure; `ClockWatch` feeds it once a second and tells the daemon what it found.
"""

from __future__ import annotations

import asyncio
import ctypes
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from latchway.schemas import ClockQuality, HubClockStepped, HubClockSynchronised

if TYPE_CHECKING:
    from latchway.drivers.contract import Clock
    from latchway.schemas import EventData

STEP_MS = 250
"""A difference above this is a step: NTP slews at 0.5 ms per second at most (adjtimex(2))."""

_TIME_ERROR = 5
"""Return value of adjtimex(2) when the clock is not synchronised."""
_STA_UNSYNC = 0x0040
_READ_WITHIN_NS = 5_000_000
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIMESYNC_MARK = Path("/run/systemd/timesync/synchronized")


class SystemClock:
    """The machine's clocks, as the `Clock` of the driver contract."""

    def now(self) -> datetime:
        """Wall time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of CLOCK_BOOTTIME."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds."""
        await asyncio.sleep(seconds)


def boot_id() -> str:
    """Return the kernel's id of this boot; a random one where the kernel tells none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return str(uuid.uuid4())


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)); the rest is padding that the kernel may write."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 48),
    )


def clock_is_synchronised() -> bool:
    """Ask the kernel whether a time service vouches for the wall clock."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        state = -1
    if state < 0:  # a system call filter may forbid even reading
        return _TIMESYNC_MARK.exists()
    return state != _TIME_ERROR and not timex.status & _STA_UNSYNC


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Both clocks at one instant, in milliseconds, and whether somebody vouches for the wall."""

    wall_ms: int
    boot_ms: int
    synchronised: bool

    @property
    def offset_ms(self) -> int:
        """Wall time of the boot."""
        return self.wall_ms - self.boot_ms


def read_clocks() -> ClockReading:
    """Read both clocks so close together that a pause between them cannot look like a step."""
    synchronised = clock_is_synchronised()
    while True:
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        wall = time.time_ns()
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if after - before < _READ_WITHIN_NS:
            return ClockReading(wall // 1_000_000, before // 1_000_000, synchronised)


class StepDetector:
    """Finds steps of the wall clock, and the moment it becomes synchronised. Pure."""

    def __init__(self, first: ClockReading, boot: str) -> None:
        self._last = first
        self._boot = boot

    def observe(self, reading: ClockReading) -> tuple[EventData, ...]:
        """Compare with the reading before; return the events that the difference makes."""
        last, self._last = self._last, reading
        found: list[EventData] = []
        step_ms = reading.offset_ms - last.offset_ms
        if abs(step_ms) > STEP_MS:
            found.append(HubClockStepped(step_ms=step_ms))
        if reading.synchronised and not last.synchronised:
            found.append(HubClockSynchronised(bootid=self._boot, offset_ms=reading.offset_ms))
        return tuple(found)


class ClockWatch:
    """Looks at the clocks once a second. `quality` is what intake stamps on events."""

    def __init__(
        self,
        clock: Clock,
        boot: str,
        report: Callable[[EventData], None],
        read: Callable[[], ClockReading] = read_clocks,
    ) -> None:
        self._clock = clock
        self._report = report
        self._read = read
        first = read()
        self._detector = StepDetector(first, boot)
        self.quality = _quality(first)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._clock.sleep(1.0)
            reading = self._read()
            self.quality = _quality(reading)
            for data in self._detector.observe(reading):
                self._report(data)


def _quality(reading: ClockReading) -> ClockQuality:
    return ClockQuality.SYNCED if reading.synchronised else ClockQuality.UNSYNCED
