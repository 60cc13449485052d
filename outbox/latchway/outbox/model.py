"""The typed boundary of the outbox: what goes into one transaction, and what comes out.

Pure data, used by the gateway's intake, writer and delivery. One `Transaction` is one group
commit: everything in it becomes durable together or not at all. Design section 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from latchway.outbox.positions import PositionSet
from latchway.schemas import LaneClass, Priority, VoidReason


@dataclass(frozen=True, slots=True, order=True)
class LaneKey:
    """A lane: vendor x sink x class. `str()` is the CloudEvents `lane` attribute."""

    vendor: str
    sink: str
    lane_class: LaneClass

    def __str__(self) -> str:
        return f"{self.vendor}/{self.sink}/{self.lane_class}"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a lane. Positions count from 1, without gaps, per lane and epoch."""

    epoch: int
    number: int


@dataclass(frozen=True, slots=True)
class Match:
    """A route that matched an event: where it goes and under which version of which route."""

    sink: str
    lane_class: LaneClass
    route: str
    route_version: int
    schema_pin: str | None = None
    projection: str | None = None
    """Canonical JSON of the route's projection and `include_people`, None for the whole event."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A valid event that has its id and its matches, but no place in any order yet.

    `attributes` holds the CloudEvents attributes and extensions that are fixed at storing, but
    for `sequence`, `lane` and `lanepos`; `data` is the payload as compact JSON. `dedupe` is True
    where the id is deterministic: an id stored before makes the event a duplicate.
    """

    id: str
    type: str
    device: str | None
    priority: Priority
    attributes: Mapping[str, str]
    data: bytes
    matches: tuple[Match, ...] = ()
    dedupe: bool = False


@dataclass(frozen=True, slots=True)
class NewReject:
    """An input that did not fit, kept with its reason; `stored` False is counted, not kept."""

    code: str
    """Short machine-readable reason, such as `not_utf8`, `schema`, `unknown_type`."""
    reason: str
    raw: bytes
    topic: str | None = None
    device: str | None = None
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Redelivery:
    """What makes a redelivery recognisable; see `BrokerDelivery` of the driver contract."""

    packet_id: int
    digest: bytes
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one worker frame asks to be stored, with its rejected parts. All or nothing.

    `received` in the account grows by len(events) + len(rejects) + refused. `states` maps device
    id to the JSON of its state, None to forget it; `cursors` maps cursor name to JSON.
    """

    vendor: str
    events: tuple[NewEvent, ...] = ()
    rejects: tuple[NewReject, ...] = ()
    refused: int = 0
    cursors: Mapping[str, bytes] = field(default_factory=dict)
    states: Mapping[str, bytes | None] = field(default_factory=dict)
    redelivery: Redelivery | None = None
    forget_deliveries: bool = False


@dataclass(frozen=True, slots=True)
class LaneProgress:
    """What became of positions of one lane. Positions are numbers within `epoch`.

    `acknowledged` in any order; `voided` maps a position to why it will never be sent: parked
    positions keep their event and can be replayed, the others give it up.
    """

    lane: LaneKey
    epoch: int
    acknowledged: tuple[int, ...] = ()
    voided: Mapping[int, Voiding] = field(default_factory=dict)
    replayed: tuple[int, ...] = ()
    """Acknowledged or parked positions that wait again, still with the same position."""


@dataclass(frozen=True, slots=True)
class Voiding:
    """Why a position will not arrive, and what the sink said."""

    reason: VoidReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One group commit. Batches are applied in the order given, then the progress of lanes."""

    batches: tuple[Batch, ...] = ()
    progress: tuple[LaneProgress, ...] = ()
    clean_stop: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one sink: everything a sink needs to build the envelope."""

    lane: LaneKey
    position: Position
    sequence: str
    """`<epoch>-<16 digits>`: orders all events of a hub."""
    event: NewEvent
    match: Match


class BatchOutcome(StrEnum):
    """What became of a batch."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    """A redelivery that is on disk already; nothing was changed but the count."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one batch: which of its events (by index) were duplicates by id."""

    outcome: BatchOutcome
    duplicates: tuple[int, ...] = ()
    sequences: tuple[str | None, ...] = ()
    """The sequence of each event, None for a duplicate."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The outcome of a transaction that is on disk."""

    results: tuple[BatchResult, ...]
    deliveries: tuple[Delivery, ...]
    """New deliveries, in order of sequence, for the lanes' memory tails."""
    not_replayable: tuple[tuple[LaneKey, Position], ...] = ()
    """Replays asked for in vain: the event was given up, or its replay window has passed."""


@dataclass(frozen=True, slots=True)
class IntakeAccount:
    """Intake identity of one vendor: received = stored + duplicate + rejected + refused."""

    vendor: str
    received: int
    stored: int
    duplicate: int
    rejected: int
    refused: int

    @property
    def difference(self) -> int:
        return self.received - (self.stored + self.duplicate + self.rejected + self.refused)


@dataclass(frozen=True, slots=True)
class LaneAccount:
    """Delivery identity of one lane: routed equals the sum of everything after it."""

    lane: LaneKey
    epoch: int
    routed: int
    acknowledged: int
    waiting: int
    parked: int
    expired: int
    compacted: int
    dropped: int
    withdrawn: int

    @property
    def difference(self) -> int:
        gone = self.expired + self.compacted + self.dropped + self.withdrawn
        return self.routed - (self.acknowledged + self.waiting + self.parked + gone)


@dataclass(frozen=True, slots=True)
class Account:
    """Both identities of every vendor and lane, read in one snapshot."""

    intake: tuple[IntakeAccount, ...]
    lanes: tuple[LaneAccount, ...]

    @property
    def difference(self) -> int:
        """Sum of all absolute differences: 0 when the account closes."""
        intake = sum(abs(line.difference) for line in self.intake)
        return intake + sum(abs(line.difference) for line in self.lanes)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as history shows it: with its sequence and the lanes it went to."""

    sequence: str
    event: NewEvent


@dataclass(frozen=True, slots=True)
class StoredReject:
    """A kept reject as operators see it."""

    id: int
    vendor: str
    code: str
    reason: str
    raw: bytes
    topic: str | None
    device: str | None
    at: str
    """RFC 3339 time of storing."""


@dataclass(frozen=True, slots=True)
class ReplayWindow:
    """How long done events stay, so that a sink which lost them can have them again.

    Whichever passes first counts: seconds of CLOCK_BOOTTIME since the event was done with, or
    bytes of done events, summed over all lanes.
    """

    seconds: float = 600.0
    size_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """Where a lane of one epoch stands; `done` is a copy."""

    lane: LaneKey
    epoch: int
    next_number: int
    """The position that the next delivery will get."""
    done: PositionSet
    """Positions that do not wait: acknowledged, parked, or given up."""
    waiting: int


@dataclass(frozen=True, slots=True)
class Parked:
    """A position that its sink refused for good, and what the sink said; it can be replayed."""

    lane: LaneKey
    position: Position
    detail: str
    at: str
    """RFC 3339 time of parking."""
    sequence: str
    event: NewEvent


@dataclass(frozen=True, slots=True)
class OutboxSize:
    """What the outbox takes on disk, in bytes; `free` is the unused part of the file."""

    file: int
    wal: int
    free: int
