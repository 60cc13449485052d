"""Kill -9 of the gateway and of a worker under load (fault matrix rows 1 and 3)."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from support.bridge import Load
from support.event_path import EventPath

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 50
WORKER_KILLS = 4
"""One fewer than the restarts that bring a vendor into quarantine."""


@pytest.mark.timeout(600)
def test_killing_the_gateway_fifty_times_under_load_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - replays a failure
    moments = random.Random(seed)
    with EventPath(tmp_path) as path:
        with Load(path.bridge, per_s=150):
            for _ in range(KILLS):
                time.sleep(moments.uniform(0.0, 0.6))
                path.hub.kill()
                path.hub.start()
                path.hub.wait_ready()
        arrivals = path.judge()
        assert path.hub.starts == KILLS + 1
        assert len(arrivals) > KILLS


@pytest.mark.timeout(180)
def test_killing_the_worker_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with EventPath(tmp_path) as path:
        with Load(path.bridge, per_s=300):
            for _ in range(WORKER_KILLS):
                before = path.hub.workers()
                assert before
                time.sleep(0.5)
                os.kill(before[0], signal.SIGKILL)
                path.hub.wait_until(
                    lambda before=before: set(path.hub.workers()) - set(before),
                    "the worker is started again",
                )
        path.judge()
