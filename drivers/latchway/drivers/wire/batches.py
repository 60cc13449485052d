"""What a worker asks to be stored, and the gateway's word that it is.

`from_frame` raises `FrameInvalid`; unknown header keys are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from latchway.drivers.contract import BrokerDelivery, Rejection, StoredBatch
from latchway.drivers.errors import FrameInvalid, FrameTooLarge
from latchway.drivers.wire.fields import (
    Cutter,
    delivery_header,
    delivery_of,
    get,
    lengths,
    optional_text,
)
from latchway.drivers.wire.frame import MAXIMUM_FRAME, Frame, Kind, dumps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import JsonValue

MAXIMUM_DRAFTS = 1000
"""Drafts in one batch: what the gateway validates in one go, and can answer in one frame."""

_SPLIT_AT = MAXIMUM_FRAME // 2
_SHORT_REASON = 32


@dataclass(frozen=True, slots=True)
class Batch:
    """What one `submit` asks to be stored in one transaction.

    `number` counts up by one with each batch and reject of a connection. Drafts are as
    `encode_draft` made them; cursors and states are JSON, a state of None forgets the device.
    """

    number: int
    drafts: tuple[bytes, ...] = ()
    cursors: Mapping[str, bytes] = field(default_factory=dict)
    states: Mapping[str, bytes | None] = field(default_factory=dict)
    delivery: BrokerDelivery | None = None
    forget_deliveries: bool = False

    def to_frame(self) -> Frame:
        """Raises `FrameTooLarge` where there are too many drafts."""
        if len(self.drafts) > MAXIMUM_DRAFTS:
            raise FrameTooLarge(_too_many(len(self.drafts)))
        header: dict[str, JsonValue] = {"batch": self.number}
        parts: list[bytes] = []
        if self.drafts:
            header["drafts"] = [len(raw) for raw in self.drafts]
            parts.extend(self.drafts)
        if self.cursors:
            header["cursors"] = {name: len(raw) for name, raw in self.cursors.items()}
            parts.extend(self.cursors.values())
        if self.states:
            header["states"] = {d: None if s is None else len(s) for d, s in self.states.items()}
            parts.extend(raw for raw in self.states.values() if raw is not None)
        if self.delivery is not None:
            header["delivery"] = delivery_header(self.delivery)
        if self.forget_deliveries:
            header["forget_deliveries"] = True
        return Frame(Kind.BATCH, header, b"".join(parts))

    @classmethod
    def from_frame(cls, frame: Frame) -> Batch:
        header, cut = frame.header, Cutter(frame.payload)
        sizes = get(header, "drafts", list, [])
        if len(sizes) > MAXIMUM_DRAFTS:
            raise FrameInvalid(_too_many(len(sizes)))
        drafts = tuple([cut.take(n) for n in sizes])
        cursors = {c: cut.take(n) for c, n in lengths(header, "cursors").items() if n is not None}
        states = {
            device: None if n is None else cut.take(n)
            for device, n in lengths(header, "states").items()
        }
        cut.finish()
        return cls(
            number=get(header, "batch", int),
            drafts=drafts,
            cursors=cursors,
            states=states,
            delivery=delivery_of(header),
            forget_deliveries=get(header, "forget_deliveries", bool, default=False),
        )


@dataclass(frozen=True, slots=True)
class Reject:
    """An input that the driver could not decode; numbered and answered like a batch."""

    number: int
    raw: bytes
    reason: str
    topic: str | None = None
    device: str | None = None
    delivery: BrokerDelivery | None = None

    def to_frame(self) -> Frame:
        header: dict[str, JsonValue] = {"batch": self.number, "reason": self.reason}
        if self.topic is not None:
            header["topic"] = self.topic
        if self.device is not None:
            header["device"] = self.device
        if self.delivery is not None:
            header["delivery"] = delivery_header(self.delivery)
        return Frame(Kind.REJECT, header, self.raw)

    @classmethod
    def from_frame(cls, frame: Frame) -> Reject:
        header = frame.header
        return cls(
            number=get(header, "batch", int),
            raw=frame.payload,
            reason=get(header, "reason", str),
            topic=optional_text(header, "topic"),
            device=optional_text(header, "device"),
            delivery=delivery_of(header),
        )


@dataclass(frozen=True, slots=True)
class StoredNote:
    """What is to be said of one stored batch beyond that it is stored."""

    number: int
    duplicate: bool = False
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """Every batch and reject up to and including `through` is on disk.

    A batch without a note was stored as sent. Notes may only name numbers above the `through` of
    the frame before.
    """

    through: int
    notes: tuple[StoredNote, ...] = ()

    def to_frame(self) -> Frame:
        header: dict[str, JsonValue] = {"through": self.through}
        if self.notes:
            header["notes"] = [_written(note) for note in self.notes]
        return Frame(Kind.STORED, header)

    @classmethod
    def from_frame(cls, frame: Frame) -> Stored:
        through = get(frame.header, "through", int)
        notes = get(frame.header, "notes", list, [])
        try:
            return cls(through, tuple([_note(*note) for note in notes]))
        except (TypeError, ValueError):
            raise FrameInvalid("The notes of a stored frame are not lists of three") from None

    def answers(self, number: int) -> StoredBatch:
        """Say what became of one batch."""
        for note in self.notes:
            if note.number == number:
                return StoredBatch(duplicate=note.duplicate, rejections=note.rejections)
        return StoredBatch()


def stored_frames(through: int, notes: Sequence[StoredNote]) -> Iterator[Frame]:
    """Yield what is to be said of batches up to `through`, in as many frames as it needs.

    Reasons are cut short where a single batch would not fit otherwise.
    """
    part: list[StoredNote] = []
    size = 0
    for note in notes:
        fitting, cost = _fitting(note)
        if part and size + cost > _SPLIT_AT:
            yield Stored(part[-1].number, tuple(part)).to_frame()
            part, size = [], 0
        part.append(fitting)
        size += cost
    yield Stored(through, tuple(part)).to_frame()


def _fitting(note: StoredNote) -> tuple[StoredNote, int]:
    size = len(dumps(_written(note)).encode())
    if size <= _SPLIT_AT:
        return note, size
    short = tuple([Rejection(r.index, r.reason[:_SHORT_REASON]) for r in note.rejections])
    note = replace(note, rejections=short)
    return note, len(dumps(_written(note)).encode())


def _written(note: StoredNote) -> list[JsonValue]:
    return [note.number, note.duplicate, [[r.index, r.reason] for r in note.rejections]]


def _too_many(drafts: int) -> str:
    return f"A batch of {drafts} drafts: {MAXIMUM_DRAFTS} are allowed in one frame"


def _note(number: object, duplicate: object, rejections: list[tuple[int, str]]) -> StoredNote:
    return StoredNote(
        number=int(str(number)),
        duplicate=duplicate is True,
        rejections=tuple([Rejection(int(index), str(reason)) for index, reason in rejections]),
    )
