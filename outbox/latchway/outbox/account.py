"""Both identities of the account: as the counters say, and counted again from the rows.

Pure reading, on one snapshot. That the two agree is what makes the identities a check and not a
tautology: counters and rows are changed by different code in the same transaction.
"""

from __future__ import annotations

import sqlite3

from latchway.outbox import statements
from latchway.outbox.ledger import Lane
from latchway.outbox.model import Account, IntakeAccount, LaneAccount
from latchway.outbox.rows import lane_from_row


def read_account(connection: sqlite3.Connection) -> Account:
    """The account as its counters say."""
    return Account(
        intake=tuple(IntakeAccount(*row) for row in connection.execute(statements.ACCOUNT)),
        lanes=tuple(lane.account() for lane in _lanes(connection)),
    )


def recount(connection: sqlite3.Connection) -> Account:
    """The account as the rows say; takes a pass over all of them."""
    return Account(
        intake=tuple(IntakeAccount(*row) for row in connection.execute(statements.RECOUNT_INTAKE)),
        lanes=tuple(_recount_lane(connection, lane) for lane in _lanes(connection)),
    )


def _lanes(connection: sqlite3.Connection) -> list[Lane]:
    lanes = [lane_from_row(row) for row in connection.execute(statements.ALL_LANES)]
    return sorted(lanes, key=lambda lane: (lane.key, lane.epoch))


def _recount_lane(connection: sqlite3.Connection, lane: Lane) -> LaneAccount:
    def rows_between(first: int, last: int) -> int:
        parameters = (lane.id, first, last)
        (count,) = connection.execute(statements.COUNT_DELIVERIES, parameters).fetchone()
        return int(count)

    rows = rows_between(1, lane.next_number - 1)
    rows_done = sum(rows_between(first, last) for first, last in lane.done.ranges)
    (parked,) = connection.execute(statements.COUNT_PARKED, (lane.id,)).fetchone()
    voided: dict[str, int] = dict(connection.execute(statements.COUNT_VOIDED, (lane.id,)))
    return LaneAccount(
        lane=lane.key,
        epoch=lane.epoch,
        routed=rows + lane.rows_removed,
        acknowledged=len(lane.done) - parked - sum(voided.values()),
        waiting=rows - rows_done,
        parked=parked,
        expired=voided.get("expired", 0),
        compacted=voided.get("compacted", 0),
        dropped=voided.get("dropped", 0),
        withdrawn=voided.get("withdrawn", 0),
    )
