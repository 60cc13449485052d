"""Runs a gateway in which one task fails, or will not end: `broken_gateway.py CONFIG PLACE MARK`.

The moment of the fault is written to MARK, so that a test can tell how long the end took.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from pathlib import Path

from latchway.gateway import daemon
from latchway.gateway.api.lag import LoopLag
from latchway.gateway.clock import ClockWatch
from latchway.gateway.core import Core
from latchway.gateway.delivery import DeliveryEngine
from latchway.gateway.supervisor import Supervisor
from latchway.gateway.supervisor.keeper import Keeper
from latchway.gateway.writer import Writer
from latchway.outbox import Outbox

PLACES = {
    "writer": (Writer, "run"),
    "writer progress": (Writer, "_hurry_progress"),
    "commit": (Outbox, "commit"),
    "delivery": (DeliveryEngine, "run"),
    "supervisor": (Supervisor, "run"),
    "keeper": (Keeper, "run"),
    "prune": (Core, "_prune"),
    "clock watch": (ClockWatch, "run"),
    "loop lag": (LoopLag, "run"),
    "device names": (daemon.Daemon, "_note_names"),
}


def main(config: str, place: str, mark: str) -> None:
    async def fails(*_arguments: object) -> None:
        await asyncio.sleep(0.2)
        Path(mark).write_text(str(time.monotonic()))  # noqa: ASYNC240 - a test's mark
        raise RuntimeError("planted fault")

    async def will_not_end(*_arguments: object) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

    owner, name = PLACES[place.removesuffix(", others hang")]
    if place.endswith(", others hang"):
        Supervisor.run = will_not_end
    setattr(owner, name, fails)
    daemon.run(Path(config))


if __name__ == "__main__":
    main(*sys.argv[1:])
