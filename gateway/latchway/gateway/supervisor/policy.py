"""When a dead worker is started again: back-off, quarantine and forgiveness. Pure.

Design section 7. Times are seconds of CLOCK_BOOTTIME, given by the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """The figures of the policy."""

    first_ceiling_s: float = 0.5
    highest_ceiling_s: float = 60.0
    restarts: int = 5
    within_s: float = 60.0
    first_quarantine_s: float = 600.0
    longest_quarantine_s: float = 21_600.0
    forgiven_after_s: float = 60.0
    """A worker that was healthy for that long starts the back-off anew."""
    pardoned_after_s: float = 1_800.0
    """A worker that was healthy for that long starts the doubling of quarantines anew."""


@dataclass(frozen=True, slots=True)
class History:
    """What the policy remembers of one vendor's worker."""

    recent_deaths: tuple[float, ...] = ()
    attempts: int = 0
    quarantines: int = 0


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after that long."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Leave it stopped for that long."""

    for_s: float


Decision: TypeAlias = Restart | Quarantine


def after_death(
    policy: RestartPolicy,
    history: History,
    *,
    now: float,
    healthy_s: float,
    uniform: Callable[[float, float], float],
) -> tuple[History, Decision]:
    """Decide what to do with a worker that died after having been healthy for `healthy_s`.

    More than `restarts` of them within the window lead to quarantine. The back-off has full
    jitter: a random part of a ceiling that doubles with each attempt.
    """
    if healthy_s >= policy.pardoned_after_s:
        history = replace(history, quarantines=0)
    if healthy_s >= policy.forgiven_after_s:
        history = replace(history, attempts=0)
    deaths = (*(at for at in history.recent_deaths if now - at < policy.within_s), now)
    if len(deaths) > policy.restarts:
        return _quarantined(policy, history)
    ceiling = _doubled(policy.first_ceiling_s, history.attempts, policy.highest_ceiling_s)
    later = replace(history, recent_deaths=deaths, attempts=history.attempts + 1)
    return later, Restart(uniform(0.0, ceiling))


def _quarantined(policy: RestartPolicy, history: History) -> tuple[History, Quarantine]:
    for_s = _doubled(policy.first_quarantine_s, history.quarantines, policy.longest_quarantine_s)
    return History(quarantines=history.quarantines + 1), Quarantine(for_s)


def _doubled(first: float, times: int, highest: float) -> float:
    return min(highest, first * 2.0 ** min(times, 64))
