"""Workers: one process per vendor, watched by one task each. Design section 7."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from latchway.gateway.supervisor.conversation import Station
from latchway.gateway.supervisor.keeper import Household, Keeper, Timing
from latchway.gateway.supervisor.policy import RestartPolicy
from latchway.gateway.supervisor.process import Spawn, spawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from latchway.gateway.config import VendorConfig
    from latchway.gateway.view import VendorStatus

__all__ = ["Household", "RestartPolicy", "Spawn", "Station", "Supervisor", "Timing", "spawn"]


class Supervisor:
    """All keepers, in the order of the config."""

    def __init__(self, vendors: Iterable[VendorConfig], household: Household) -> None:
        self._keepers = tuple(Keeper(vendor, household) for vendor in vendors)

    async def run(self) -> None:
        """Keep every vendor's worker alive until `stop`. Raises `OutboxFailed` (in a group)."""
        async with asyncio.TaskGroup() as tasks:
            for keeper in self._keepers:
                tasks.create_task(keeper.run(), name=f"keeper {keeper.status().vendor}")

    def stop(self) -> None:
        """End all workers with grace, at the same time; `run` returns when they are gone."""
        for keeper in self._keepers:
            keeper.stop()

    def status(self) -> tuple[VendorStatus, ...]:
        """Return how every vendor stands now."""
        return tuple(keeper.status() for keeper in self._keepers)
