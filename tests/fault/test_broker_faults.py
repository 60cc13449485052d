"""Brokers that stop, freeze and come back, on either side of the hub (rows 22 and 23)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from support.bridge import Load
from support.event_path import EventPath

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)
OUTAGE_S = 3.0
FROZEN_S = 9.0
"""Longer than one and a half keep-alive intervals of 5 s."""


def test_events_wait_while_the_cloud_broker_is_away(tmp_path: Path) -> None:
    with EventPath(tmp_path) as path:
        with Load(path.bridge, per_s=300):
            for _ in range(2):
                time.sleep(0.5)
                path.far.stop()
                time.sleep(OUTAGE_S)
                path.far.start()
        path.judge()


def test_a_frozen_cloud_broker_is_given_up_and_nothing_is_lost(tmp_path: Path) -> None:
    with EventPath(tmp_path) as path:
        with Load(path.bridge, per_s=200):
            time.sleep(0.5)
            path.far.freeze()
            time.sleep(FROZEN_S)
            path.far.thaw()
            time.sleep(0.5)
        path.judge()


def test_what_the_local_broker_accepted_survives_its_restart(tmp_path: Path) -> None:
    with EventPath(tmp_path) as path:
        for _ in range(2):
            with Load(path.bridge, per_s=500):
                time.sleep(1.0)
            path.bridge.idle()
            path.local.stop()
            time.sleep(OUTAGE_S)
            path.local.start()
        path.judge()


def test_a_frozen_local_broker_loses_nothing(tmp_path: Path) -> None:
    with EventPath(tmp_path) as path:
        with Load(path.bridge, per_s=200):
            time.sleep(0.5)
            path.local.freeze()
            time.sleep(FROZEN_S)
            path.local.thaw()
            time.sleep(0.5)
        path.judge()
