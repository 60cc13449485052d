"""One group commit: a `Transaction` becomes rows, inside the writing connection's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from latchway.outbox import statements
from latchway.outbox.batches import BatchWriter
from latchway.outbox.ledger import Draft
from latchway.outbox.model import Committed, Transaction
from latchway.outbox.progress import ProgressWriter
from latchway.outbox.rows import lane_to_row, milliseconds


@dataclass(frozen=True, slots=True)
class Applied:
    """What the transaction will have done once it is committed."""

    committed: Committed
    lowest_replayed: Mapping[int, int]
    """By lane id."""


def apply(
    connection: sqlite3.Connection, draft: Draft, transaction: Transaction, at: datetime
) -> Applied:
    """Write all rows of the transaction and bring the draft to what will then be on disk."""
    batches = BatchWriter(connection, draft, at)
    results = tuple(batches.add(batch) for batch in transaction.batches)
    batches.flush()
    progress = ProgressWriter(connection, draft, milliseconds(at))
    for part in transaction.progress:
        progress.add(part)
    connection.executemany(statements.PUT_LANE, map(lane_to_row, draft.touched.values()))
    if transaction.clean_stop is not draft.marked_clean:
        draft.marked_clean = transaction.clean_stop
        connection.execute(statements.SET_META, ("clean", int(transaction.clean_stop)))
    committed = Committed(results, tuple(batches.deliveries), tuple(progress.not_replayable))
    return Applied(committed, progress.lowest_replayed)
