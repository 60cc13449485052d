"""What happens when an outbox file is opened: migrations, epoch, and what memory keeps of it.

Reads headers and a few rows, however many events wait.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from latchway.outbox import statements
from latchway.outbox.connection import write
from latchway.outbox.ledger import Ledger
from latchway.outbox.migrations import migrate
from latchway.outbox.removal import first_mark
from latchway.outbox.rows import lane_from_row
from latchway.outbox.window import Mark


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found; `clean` is False if the last run did not end by itself."""

    ledger: Ledger
    clean: bool
    first_mark: Mark


def prepare(connection: sqlite3.Connection, minimum_epoch: int) -> Opened:
    """Bring the file up to date and begin a run on it."""
    migrate(connection)
    return write(connection, lambda connection: _begin_run(connection, minimum_epoch))


def _begin_run(connection: sqlite3.Connection, minimum_epoch: int) -> Opened:
    meta: dict[str, int] = dict(connection.execute(statements.ALL_META))
    epoch = max(1, minimum_epoch, meta.get("epoch", 1))
    connection.executemany(statements.SET_META, [("epoch", epoch), ("clean", 0)])
    ledger = _load(connection, epoch, meta)
    return Opened(ledger, bool(meta.get("clean", 1)), first_mark(connection, ledger))


def _load(connection: sqlite3.Connection, epoch: int, meta: dict[str, int]) -> Ledger:
    (last,) = connection.execute(statements.LAST_SEQUENCE).fetchone()
    lanes = [lane_from_row(row) for row in connection.execute(statements.ALL_LANES)]
    routes = connection.execute(statements.ALL_ROUTES)
    return Ledger(
        epoch=epoch,
        next_sequence=max((last or 0) + 1, meta.get("next_sequence", 1)),
        marked_clean=False,
        lanes={(lane.key, lane.epoch): lane for lane in lanes},
        routes={
            (route, version, pin, shape): number for number, route, version, pin, shape in routes
        },
    )
