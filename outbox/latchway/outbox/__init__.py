"""The durable store between intake and sinks: events, deliveries, lanes, account. Design section 8.

`Outbox` is the only writer, `Reader` looks on; `model` says what goes in and comes out.
"""

from latchway.outbox.errors import (
    OutboxBusy,
    OutboxError,
    OutboxFailed,
    OutboxForeign,
    OutboxFull,
    OutboxTooNew,
    UnknownPosition,
)
from latchway.outbox.model import (
    Account,
    Batch,
    BatchOutcome,
    BatchResult,
    Committed,
    Delivery,
    IntakeAccount,
    LaneAccount,
    LaneKey,
    LaneProgress,
    LaneStatus,
    Match,
    NewEvent,
    NewReject,
    OutboxSize,
    Parked,
    Position,
    Redelivery,
    ReplayWindow,
    StoredEvent,
    StoredReject,
    Transaction,
    Voiding,
)
from latchway.outbox.positions import PositionSet
from latchway.outbox.reader import Reader
from latchway.outbox.rows import sequence_number, sequence_text
from latchway.outbox.store import Outbox

__all__ = [
    "Account",
    "Batch",
    "BatchOutcome",
    "BatchResult",
    "Committed",
    "Delivery",
    "IntakeAccount",
    "LaneAccount",
    "LaneKey",
    "LaneProgress",
    "LaneStatus",
    "Match",
    "NewEvent",
    "NewReject",
    "Outbox",
    "OutboxBusy",
    "OutboxError",
    "OutboxFailed",
    "OutboxForeign",
    "OutboxFull",
    "OutboxSize",
    "OutboxTooNew",
    "Parked",
    "Position",
    "PositionSet",
    "Reader",
    "Redelivery",
    "ReplayWindow",
    "StoredEvent",
    "StoredReject",
    "Transaction",
    "UnknownPosition",
    "Voiding",
    "sequence_number",
    "sequence_text",
]
