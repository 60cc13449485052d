"""Turns what a worker sends, and what the gateway itself has to say, into batches for the writer.

Here each event is validated once, gets its id and attributes, and meets the routes. What does not
fit becomes a reject with its reason; the rest of its frame is stored all the same.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.drivers.contract import Rejection
from latchway.drivers.errors import FrameInvalid
from latchway.gateway.bucket import TokenBucket
from latchway.outbox import Batch, Match, NewEvent, NewReject, Redelivery
from latchway.schemas import (
    EVENT_TYPES,
    DraftInvalid,
    EventDraft,
    base_attributes,
    decode_draft_and_data,
    encode_data,
    log_event_id,
    new_event_id,
)
from latchway.schemas.identity import RANDOM_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from latchway.drivers import wire
    from latchway.drivers.contract import BrokerDelivery, Clock
    from latchway.gateway.delivery import LaneVoid
    from latchway.gateway.routing import RouteTable
    from latchway.schemas import ClockQuality, EventData

REJECTS_KEPT_PER_S = 10.0
REJECTS_KEPT_BURST = 100.0
"""Beyond this rate a vendor's rejects are counted, but not kept (design section 7)."""

RAW_LIMIT = 64 * 1024
"""Bytes of a rejected input that are kept."""

WORDS_LIMIT = 1024
"""Characters of a reject's reason and topic that are kept."""

STATE_LIMIT = 128 * 1024
"""Bytes of one device's state or of one cursor: the next worker gets them in a frame each."""

_DEVICE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_REASON = re.compile(r"([a-z][a-z0-9_]{0,31}): (.+)", re.DOTALL)
_NAME_LIMIT = 256
_POOL_BYTES = 4000

_OWN_TYPES = frozenset(
    name for name, model in EVENT_TYPES.items() if model.owner.startswith(("gateway", "outbox"))
)
"""Facts that only the gateway may state."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A worker's frame, ready to be stored, and what of it was rejected, by index."""

    batch: Batch
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class HubStamp:
    """What every event of this run carries."""

    hub: str
    boot_id: str


class Intake:
    """Makes batches. One for the whole gateway; each vendor has its own budget of rejects."""

    def __init__(
        self,
        stamp: HubStamp,
        routes: RouteTable,
        clock: Clock,
        quality: Callable[[], ClockQuality],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._stamp = stamp
        self._routes = routes
        self._clock = clock
        self._quality = quality
        self._chance = _ChancePool(random_bytes)
        self._kept: dict[str, TokenBucket] = {}

    def warm_up(self) -> None:
        """Build the validators now, so that the first event need not wait for them."""
        with contextlib.suppress(DraftInvalid):
            decode_draft_and_data(b"")

    def take(self, vendor: str, message: wire.Batch) -> Taken:
        """Validate a worker's batch. Raises `FrameInvalid` where its names make no sense."""
        events: list[NewEvent] = []
        rejects: list[NewReject] = []
        rejections: list[Rejection] = []
        for index, raw in enumerate(message.drafts):
            try:
                draft, data = decode_draft_and_data(raw)
            except DraftInvalid as error:
                code, reason = str(error.code), error.reason
            else:
                if draft.data.event_type not in _OWN_TYPES:
                    events.append(self._event(vendor, draft, data))
                    continue
                code, reason = "not_allowed", "type: only the hub itself states this"
            rejects.append(self._reject(vendor, code, reason, raw))
            rejections.append(Rejection(index, f"{code}: {reason}"))
        _check_names(message)
        batch = Batch(
            vendor=vendor,
            events=tuple(events),
            rejects=tuple(rejects),
            cursors=message.cursors,
            states=message.states,
            redelivery=_redelivery(message.delivery),
            forget_deliveries=message.forget_deliveries,
        )
        return Taken(batch, tuple(rejections))

    def take_reject(self, vendor: str, message: wire.Reject) -> Taken:
        """Keep an input that the driver could not decode."""
        found = _REASON.fullmatch(message.reason)
        code, reason = (found[1], found[2]) if found else ("undecodable", message.reason)
        reject = self._reject(
            vendor, code, reason, message.raw, topic=message.topic, device=message.device
        )
        redelivery = _redelivery(message.delivery)
        return Taken(Batch(vendor=vendor, rejects=(reject,), redelivery=redelivery))

    def own(self, vendor: str, *facts: EventData) -> Batch:
        """Make a batch of facts that the gateway states, about a vendor or about the hub."""
        events = [self._event(vendor, EventDraft(data=fact), encode_data(fact)) for fact in facts]
        return Batch(vendor=vendor, events=tuple(events))

    def voids(self, owed: Iterable[LaneVoid]) -> tuple[Batch, ...]:
        """Make the `lane.voided` events that delivery owes, each for its own lane only."""
        batches: list[Batch] = []
        for void in owed:
            vendor, fact = void.lane.vendor, void.data()
            event = self._event(vendor, EventDraft(data=fact), encode_data(fact), void.match)
            batches.append(Batch(vendor=vendor, events=(event,)))
        return tuple(batches)

    def _event(
        self, vendor: str, draft: EventDraft, encoded: bytes, only: Match | None = None
    ) -> NewEvent:
        data, device, log_key = draft.data, draft.device, draft.log_key
        now = self._clock.now()
        if log_key is not None and device is not None:
            event_id = log_event_id(self._stamp.hub, vendor, device, log_key)
        else:
            event_id = new_event_id(int(now.timestamp() * 1000), self._chance.take(RANDOM_BYTES))
        attributes = base_attributes(
            draft,
            id=event_id,
            hub=self._stamp.hub,
            vendor=vendor,
            stored_at=now,
            clock=self._quality(),
            boot_id=self._stamp.boot_id,
            boot_ms=int(self._clock.monotonic() * 1000),
        )
        if only is not None:
            matches: tuple[Match, ...] = (only,)
        else:
            routes = self._routes
            seen = data.model_dump(mode="json", exclude_none=True) if routes.needs_data else {}
            matches = routes.match(attributes, seen, data.priority)
        return NewEvent(
            id=event_id,
            type=data.event_type,
            device=device,
            priority=data.priority,
            attributes=attributes,
            data=encoded,
            matches=matches,
            dedupe=log_key is not None and device is not None,
        )

    def _reject(
        self,
        vendor: str,
        code: str,
        reason: str,
        raw: bytes,
        *,
        topic: str | None = None,
        device: str | None = None,
    ) -> NewReject:
        now = self._clock.monotonic()
        kept = self._kept.get(vendor)
        if kept is None:
            kept = self._kept[vendor] = TokenBucket(REJECTS_KEPT_PER_S, REJECTS_KEPT_BURST, now)
        keep = kept.take(now)
        return NewReject(
            code,
            reason[:WORDS_LIMIT],
            raw[:RAW_LIMIT],
            topic=None if topic is None else topic[:WORDS_LIMIT],
            device=device,
            keep=keep,
        )


class _ChancePool:
    """Draws random bytes in bulk: a system call for each event would cost more than its id."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._pool = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._pool):
            self._pool = self._random_bytes(_POOL_BYTES)
            self._at = 0
        self._at += count
        return self._pool[self._at - count : self._at]


def _redelivery(delivery: BrokerDelivery | None) -> Redelivery | None:
    if delivery is None:
        return None
    return Redelivery(delivery.packet_id, delivery.digest, delivery.duplicate)


def _check_names(message: wire.Batch) -> None:
    for device, state in message.states.items():
        if state is not None and len(state) > STATE_LIMIT:
            raise FrameInvalid(f"The state of {device!r} has {len(state)} bytes: keep less in it")
        if not _DEVICE.fullmatch(device):
            raise FrameInvalid(f"{device!r} is no device id: use 1 to 128 of A-Z a-z 0-9 . _ : -")
    for name, cursor in message.cursors.items():
        if len(cursor) > STATE_LIMIT:
            raise FrameInvalid(f"The cursor {name[:40]!r} has {len(cursor)} bytes: keep less in it")
        if len(name) > _NAME_LIMIT:
            raise FrameInvalid(f"A cursor's name has {len(name)} characters: 256 are allowed")
