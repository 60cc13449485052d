"""registry.db: who this hub is, which epoch it reached, and which devices it knows.

One connection, one owner. What is asked for often is kept in memory; what changes is committed
first. After each change a copy is taken, two generations of which are kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from latchway.drivers.errors import StateInvalid
from latchway.drivers.states import decode_state
from latchway.gateway.errors import RegistryUnusable
from latchway.gateway.logs import fields
from latchway.gateway.registry import queries
from latchway.gateway.registry.copies import make_private, make_usable, rotate_in
from latchway.outbox.connection import UnitConnection, write

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOG = logging.getLogger(__name__)

DeviceKey = tuple[str, str]
"""Vendor and hardware id."""


@dataclass(frozen=True, slots=True)
class HubIdentity:
    """Who this hub is: a random UUID, made once."""

    id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """A lock as the registry knows it; its state is in the outbox."""

    vendor: str
    device: str
    name: str
    model: str | None
    manufacturer: str | None
    firmware: str | None
    first_seen: datetime
    changed_at: datetime


class Registry:
    """The open registry."""

    def __init__(self, connection: UnitConnection, path: Path, now: Callable[[], datetime]) -> None:
        self._connection = connection
        self._path = path
        self._now = now
        self._devices: dict[DeviceKey, Device] = {}
        self.hub: HubIdentity
        self.epoch = 0
        """The highest epoch that this hub is known to have used; 0: none yet."""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, path: Path, *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> AsyncIterator[Registry]:
        """Open or create the file, after repair from a copy where it needs that.

        Raises `RegistryUnusable`.
        """
        repaired = await asyncio.to_thread(make_usable, path, now())
        if repaired:
            _LOG.warning("registry restored", extra=fields(what=repaired))
        async with _connection(path) as connection:
            registry = cls(connection, path, now)
            await registry._prepare(new_id)
            yield registry

    def devices(self) -> tuple[Device, ...]:
        """Every known device, by vendor and hardware id."""
        return tuple(self._devices[key] for key in sorted(self._devices))

    async def note_epoch(self, epoch: int) -> None:
        """Remember that this epoch is in use, so that no other file begins it again.

        Raises `RegistryUnusable`.
        """
        if epoch > self.epoch:
            await self._change([(queries.SET_EPOCH, (epoch, epoch))])
            self.epoch = epoch

    async def note_states(self, vendor: str, states: Mapping[str, bytes | None]) -> None:
        """Take names and models from states that are on disk; None forgets the device.

        They are for people only: a disk that does not take them costs nothing else.
        """
        changes: dict[DeviceKey, Device | None] = {}
        for device, raw in states.items():
            known = self._devices.get((vendor, device))
            found = None if raw is None else self._read_state(vendor, device, raw, known)
            if found != known:
                changes[vendor, device] = found
        if changes:
            try:
                await self._change([_statement(key, device) for key, device in changes.items()])
            except RegistryUnusable as error:
                _LOG.warning("names of devices not kept", extra=fields(vendor=vendor, error=error))
                return
            for key, device_or_none in changes.items():
                if device_or_none is None:
                    del self._devices[key]
                else:
                    self._devices[key] = device_or_none

    def _read_state(
        self, vendor: str, device: str, raw: bytes, known: Device | None
    ) -> Device | None:
        try:
            names = decode_state(raw)
        except StateInvalid:
            return known
        now = self._now()
        found = Device(
            vendor=vendor,
            device=device,
            name=names.name,
            model=names.model,
            manufacturer=names.manufacturer,
            firmware=names.firmware,
            first_seen=known.first_seen if known else now,
            changed_at=now,
        )
        if known and replace(found, changed_at=known.changed_at) == known:
            return known
        return found

    async def _prepare(self, new_id: Callable[[], str]) -> None:
        await self._connection.execute(queries.DURABLE)
        await self._migrate()
        rows = list(await self._connection.execute_fetchall(queries.HUB))
        if not rows:
            await self._change([(queries.ADD_HUB, (new_id(), self._now().isoformat()))])
            rows = list(await self._connection.execute_fetchall(queries.HUB))
        hub_id, created_at, self.epoch = rows[0]
        self.hub = HubIdentity(hub_id, datetime.fromisoformat(created_at))
        for row in await self._connection.execute_fetchall(queries.DEVICES):
            vendor, hardware_id, name, model, manufacturer, firmware, first_seen, changed_at = row
            device = Device(
                vendor=vendor,
                device=hardware_id,
                name=name,
                model=model,
                manufacturer=manufacturer,
                firmware=firmware,
                first_seen=datetime.fromisoformat(first_seen),
                changed_at=datetime.fromisoformat(changed_at),
            )
            self._devices[device.vendor, device.device] = device

    async def _migrate(self) -> None:
        steps = sorted(
            (entry for entry in resources.files(__package__).joinpath("sql").iterdir()),
            key=lambda entry: entry.name,
        )
        [(generation,)] = await self._connection.execute_fetchall(queries.GENERATION)
        if generation > len(steps):
            raise RegistryUnusable(
                f"{self._path} was written by a newer Latchway (generation {generation}, this one "
                f"knows {len(steps)}): install that version again"
            )
        for number, step in enumerate(steps[generation:], start=generation + 1):
            script = step.read_text(encoding="utf-8")
            await self._connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
            )

    async def _change(self, statements: Sequence[tuple[str, tuple[object, ...]]]) -> None:
        def work(raw: sqlite3.Connection) -> None:
            for statement, values in statements:
                raw.execute(statement, values)

        try:
            await self._connection.run(lambda raw: write(raw, work))
        except sqlite3.Error as error:
            raise RegistryUnusable(
                f"{self._path} cannot be written ({error}): free some space, or check the disk"
            ) from error
        await self._copy()

    async def _copy(self) -> None:
        """Take a copy. One that fails costs only itself: the change is on disk already."""
        fresh = self._path.with_name(f"{self._path.name}.copy-new")
        try:
            await asyncio.to_thread(fresh.unlink, missing_ok=True)
            await asyncio.to_thread(make_private, fresh)
            await self._connection.execute(queries.COPY_INTO, (str(fresh),))
            await asyncio.to_thread(rotate_in, self._path, fresh)
        except (OSError, sqlite3.Error) as error:
            _LOG.warning("registry copy failed", extra=fields(error=error, path=fresh))


def _connection(path: Path) -> UnitConnection:
    def connect() -> sqlite3.Connection:
        make_private(path)
        return sqlite3.connect(path, isolation_level=None)

    return UnitConnection(connect, iter_chunk_size=64)


def _statement(key: DeviceKey, device: Device | None) -> tuple[str, tuple[object, ...]]:
    if device is None:
        return queries.FORGET_DEVICE, key
    names = (device.name, device.model, device.manufacturer, device.firmware)
    times = (device.first_seen.isoformat(), device.changed_at.isoformat())
    return queries.PUT_DEVICE, (*key, *names, *times)
