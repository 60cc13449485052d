"""The two kinds of SQLite connection: the one that writes, and read-only ones.

Both are aiosqlite connections with one addition, `run`; see docs/decisions/0010.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

import aiosqlite

from latchway.outbox import statements
from latchway.outbox.errors import OutboxBusy, OutboxError, OutboxFailed, OutboxFull
from latchway.outbox.migrations import check_version

T = TypeVar("T")

_CLOSED = "The connection is closed: ask again once the file is open"

BUSY_TIMEOUT_S = 5.0
"""How long the writer waits for a foreign program that holds the file."""

WAL_PAGES = 1000
"""Pages in the WAL at which a commit also checkpoints: about 4 MB."""

WAL_LIMIT_BYTES = 16 * 1024 * 1024
"""To what size SQLite cuts the WAL file after a checkpoint that emptied it."""

SPARE_PAGES = 4096
"""Free pages (16 MB) that the file keeps for the next backlog; what is above goes back."""

# Takes effect only before anything is in the file; on an older file it would write for nothing.
_NEW_FILE_SETTINGS = "PRAGMA auto_vacuum = INCREMENTAL;"

_WRITER_SETTINGS = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = OFF;
PRAGMA wal_autocheckpoint = {WAL_PAGES};
PRAGMA journal_size_limit = {WAL_LIMIT_BYTES};
PRAGMA cache_size = -4096;
PRAGMA temp_store = MEMORY;
"""

# A reader that does not let go within 0.2 s is not waited for: the next call tries again.
_EMPTY_WAL = f"""
PRAGMA busy_timeout = 200;
PRAGMA wal_checkpoint(TRUNCATE);
PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)};
"""

_READER_SETTINGS = """
PRAGMA query_only = ON;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -2048;
"""


class UnitConnection(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole unit of work in its thread, in one hop.

    A group commit is a dozen statements; awaiting each would cost a dozen thread switches.
    Use it in `async with` only: an open connection keeps the process from ending.
    """

    _stopped: asyncio.Future[object] | None = None

    async def __aenter__(self) -> Self:
        try:
            await super().__aenter__()
        except BaseException:
            # aiosqlite does not wait for its thread if connecting fails; the loop might end first.
            if self._stopped is not None:
                await self._stopped
            raise
        return self

    def stop(self) -> asyncio.Future[object] | None:
        """End the thread; prefer `async with`."""
        self._stopped = super().stop()
        return self._stopped

    async def run(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """Call the unit with the sqlite3 connection, in the connection's thread.

        Cancelled means unknown: the unit may still run, whole. Raises `OutboxFailed` once closed,
        also for a unit that was still waiting for its turn then.
        """
        if not self._running or self._connection is None:
            raise OutboxFailed(_CLOSED)
        try:
            result: T = await self._execute(unit, self._conn)  # type: ignore[no-untyped-call]  # untyped upstream
        except sqlite3.ProgrammingError as error:
            if self._running and self._connection is not None:
                raise
            raise OutboxFailed(_CLOSED) from error
        return result


def writer(path: Path) -> UnitConnection:
    """The connection that writes; enter it with `async with`."""

    def connect() -> sqlite3.Connection:
        # Created here so that nobody but the owner can read it; SQLite gives the WAL its mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        new = path.stat().st_size == 0
        return _connect(path, str(path), (_NEW_FILE_SETTINGS * new) + _WRITER_SETTINGS)

    return UnitConnection(lambda: explained(path, connect), iter_chunk_size=64)


def reader(path: Path) -> UnitConnection:
    """A connection that can neither write nor checkpoint; enter it with `async with`."""

    def connect() -> sqlite3.Connection:
        return _connect(path, f"{path.absolute().as_uri()}?mode=ro", _READER_SETTINGS)

    return UnitConnection(lambda: explained(path, connect), iter_chunk_size=64)


def _connect(path: Path, address: str, settings: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        cached_statements=128,
        uri=address.startswith("file:"),
    )
    try:
        check_version(connection, path)  # first: a file that is not ours is left as it is
        connection.executescript(settings)
    except BaseException:
        connection.close()
        raise
    return connection


def transact(
    connection: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T]
) -> T:
    """Run the work inside one transaction: committed if it returns, rolled back if it raises."""
    connection.execute(begin)
    try:
        result = work(connection)
        connection.execute(statements.COMMIT)
    except BaseException:
        if connection.in_transaction:
            connection.execute(statements.ROLLBACK)
        raise
    return result


def write(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run the work in a transaction that takes the write lock first."""
    return transact(connection, statements.BEGIN_WRITE, work)


def read(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run the work on one snapshot."""
    return transact(connection, statements.BEGIN, work)


def wal_path(path: Path) -> Path:
    """Where SQLite keeps the WAL of that file."""
    return path.with_name(path.name + "-wal")


def bound_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Empty the WAL if it has outgrown its limit: readers can keep commits from reusing it."""
    if wal_path(path).stat().st_size > WAL_LIMIT_BYTES:
        connection.executescript(_EMPTY_WAL)


def give_back_pages(connection: sqlite3.Connection) -> None:
    """Shrink the file a little if a backlog left many free pages."""
    (free,) = connection.execute(statements.FREE_PAGES).fetchone()
    if free > SPARE_PAGES:
        connection.executescript(statements.GIVE_BACK_PAGES)  # one step per page: not `execute`


def explained(path: Path, unit: Callable[[], T]) -> T:
    """Call the unit; raise a failure of SQLite or of the disk as one of our own errors."""
    try:
        return unit()
    except sqlite3.ProgrammingError:
        raise
    except (sqlite3.Error, OSError) as error:
        raise _explanation(error, path) from error


def _explanation(error: sqlite3.Error | OSError, path: Path) -> OutboxError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OutboxBusy(
            f"{path} was locked by another program for {BUSY_TIMEOUT_S:.0f} s. Nothing was "
            f"stored. Find it with `fuser {path}` and end it: no other program may write here"
        )
    if primary == sqlite3.SQLITE_FULL:
        return OutboxFull(
            f"{path} cannot grow: the disk is full. Nothing of this transaction was stored; "
            "free some space, then the outbox goes on by itself"
        )
    return OutboxFailed(
        f"{path} could not be read or written ({error}). What the last transaction left is "
        "known only after opening it again; if that fails too, check the disk and its kernel log"
    )
