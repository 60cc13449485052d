"""One transaction's batches as rows: sequence, lane positions, dedupe, states, intake account.

Runs inside the writing connection's thread. Rows are gathered while batches are added and go
out with one executemany per table, so that a commit of twenty frames costs little more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from latchway.outbox import statements
from latchway.outbox.model import (
    Batch,
    BatchOutcome,
    BatchResult,
    Delivery,
    LaneKey,
    NewEvent,
    Position,
    Redelivery,
)
from latchway.outbox.rows import Row, encode_json, milliseconds, rfc3339, sequence_text, storable

if TYPE_CHECKING:
    import sqlite3

    from latchway.outbox.ledger import Draft


@dataclass(slots=True)
class IntakeCounts:
    """By how much one vendor's line of the account grows."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    refused: int = 0
    events_removed: int = 0
    rejects_not_kept: int = 0

    def parameters(self, vendor: str) -> Row:
        """The parameters of `ADD_TO_ACCOUNT`."""
        return (
            vendor,
            self.received,
            self.stored,
            self.duplicate,
            self.rejected,
            self.refused,
            self.events_removed,
            self.rejects_not_kept,
        )


class RememberedPackets:
    """The digests under a broker's packet ids, with what this transaction changes of them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._new: dict[tuple[str, int], bytes] = {}
        self._forgotten: set[str] = set()

    def forget(self, vendor: str) -> None:
        """The broker lost the session: packet ids begin anew."""
        self._forgotten.add(vendor)
        self._new = {key: digest for key, digest in self._new.items() if key[0] != vendor}

    def is_repeat(self, vendor: str, redelivery: Redelivery) -> bool:
        """Tell whether that very message is stored; if not, remember it from now on."""
        key = (vendor, redelivery.packet_id)
        if redelivery.duplicate and self._digest(key) == redelivery.digest:
            return True
        self._new[key] = redelivery.digest
        return False

    def _digest(self, key: tuple[str, int]) -> bytes | None:
        if key in self._new or key[0] in self._forgotten:
            return self._new.get(key)
        row = self._connection.execute(statements.DIGEST_OF_PACKET, key).fetchone()
        return row[0] if row else None

    def flush(self) -> None:
        """Write the changes."""
        if self._forgotten:
            parameters = [(vendor,) for vendor in self._forgotten]
            self._connection.executemany(statements.FORGET_DIGESTS, parameters)
        rows = [(*key, digest) for key, digest in self._new.items()]
        self._connection.executemany(statements.PUT_DIGEST, rows)


class BatchWriter:
    """Takes the batches of one transaction in order, then writes all their rows."""

    def __init__(self, connection: sqlite3.Connection, draft: Draft, at: datetime) -> None:
        self._connection = connection
        self._draft = draft
        self._at_ms = milliseconds(at)
        self._at = rfc3339(at)
        self._packets = RememberedPackets(connection)
        self._counts: dict[str, IntakeCounts] = {}
        self._new_ids: dict[str, int] = {}
        self._events: list[Row] = []
        self._delivery_rows: list[Row] = []
        self._rejects: list[Row] = []
        self._cursors: dict[tuple[str, str], bytes] = {}
        self._states: dict[tuple[str, str], bytes | None] = {}
        self.deliveries: list[Delivery] = []

    def add(self, batch: Batch) -> BatchResult:
        """Apply one batch, as a whole or, if it is a repeat, not at all."""
        if batch.forget_deliveries:
            self._packets.forget(batch.vendor)
        if batch.redelivery and self._packets.is_repeat(batch.vendor, batch.redelivery):
            self._count_repeat(batch)
            return BatchResult(BatchOutcome.DUPLICATE)
        sequences = tuple(self._store(batch.vendor, event) for event in batch.events)
        duplicates = tuple(index for index, text in enumerate(sequences) if text is None)
        self._keep_rejects(batch)
        self._cursors.update(((batch.vendor, name), raw) for name, raw in batch.cursors.items())
        self._states.update(((batch.vendor, device), raw) for device, raw in batch.states.items())
        if batch.events or batch.rejects or batch.refused:
            counts = self._counts_of(batch.vendor)
            counts.received += len(batch.events) + len(batch.rejects) + batch.refused
            counts.stored += len(batch.events) - len(duplicates)
            counts.duplicate += len(duplicates)
            counts.rejected += len(batch.rejects)
            counts.refused += batch.refused
        return BatchResult(BatchOutcome.STORED, duplicates, sequences)

    def flush(self) -> None:
        """Write everything but the lanes' rows, which the progress of lanes changes too."""
        self._write(statements.INSERT_EVENT, self._events)
        self._write(statements.INSERT_DELIVERY, self._delivery_rows)
        routes = self._draft.new_routes.items()
        self._write(statements.INSERT_ROUTE, [(number, *key) for key, number in routes])
        self._write(statements.INSERT_ID, list(self._new_ids.items()))
        self._write(statements.INSERT_REJECT, self._rejects)
        self._write(statements.PUT_CURSOR, [(*key, raw) for key, raw in self._cursors.items()])
        states = self._states.items()
        self._write(statements.PUT_STATE, [(*key, raw) for key, raw in states if raw is not None])
        self._write(statements.FORGET_STATE, [key for key, raw in states if raw is None])
        self._packets.flush()
        lines = [counts.parameters(vendor) for vendor, counts in self._counts.items()]
        self._write(statements.ADD_TO_ACCOUNT, lines)

    def _write(self, statement: str, rows: Sequence[Row]) -> None:
        if rows:
            self._connection.executemany(statement, rows)

    def _counts_of(self, vendor: str) -> IntakeCounts:
        return self._counts.setdefault(vendor, IntakeCounts())

    def _count_repeat(self, batch: Batch) -> None:
        repeated = len(batch.events) + len(batch.rejects)
        if repeated:
            counts = self._counts_of(batch.vendor)
            counts.received += repeated
            counts.duplicate += repeated

    def _keep_rejects(self, batch: Batch) -> None:
        for reject in batch.rejects:
            if reject.keep:
                self._rejects.append(
                    (
                        batch.vendor,
                        reject.code,
                        storable(reject.reason),
                        reject.raw,
                        storable(reject.topic),
                        storable(reject.device),
                        self._at,
                    )
                )
            else:
                self._counts_of(batch.vendor).rejects_not_kept += 1

    def _store(self, vendor: str, event: NewEvent) -> str | None:
        if event.dedupe:
            if self._knows(event.id):
                return None
            self._new_ids[event.id] = self._at_ms
        attributes = encode_json(dict(event.attributes))
        size = len(attributes) + len(event.data)
        number = self._draft.take_sequence()
        sequence = sequence_text(self._draft.epoch, number)
        places = self._route(vendor, event, sequence, size)
        self._delivery_rows.extend(
            (lane_id, position, number, bytes_routed)
            for (lane_id, position, _), bytes_routed in places
        )
        self._events.append(
            (
                number,
                self._draft.epoch,
                vendor,
                event.id,
                event.type,
                event.device,
                event.priority.value,
                event.dedupe,
                self._at_ms,
                size,
                encode_json([place for place, _ in places]) if places else None,
                attributes,
                event.data,
            )
        )
        return sequence

    def _knows(self, event_id: str) -> bool:
        if event_id in self._new_ids:
            return True
        return self._connection.execute(statements.KNOWS_ID, (event_id,)).fetchone() is not None

    def _route(
        self, vendor: str, event: NewEvent, sequence: str, size: int
    ) -> list[tuple[tuple[int, int, int], int]]:
        placed: list[tuple[tuple[int, int, int], int]] = []
        for match in event.matches:
            key = LaneKey(vendor, match.sink, match.lane_class)
            lane = self._draft.current_lane(key)
            number = lane.route(size)
            placed.append(((lane.id, number, self._draft.route_id(match)), lane.bytes_routed))
            position = Position(lane.epoch, number)
            self.deliveries.append(Delivery(key, position, sequence, event, match))
        return placed
