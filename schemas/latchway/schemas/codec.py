"""Drafts and payloads as compact JSON: written by the worker, read once and for all by the gateway.

A draft is an object with the keys `type`, `device`, `time`, `lock_clock`, `log` (`epoch`, `index`,
`part`), `correlationid`, `causationid` and `data`; absent where there is nothing to say.
`decode_draft` takes any bytes whatever and lets nothing through that the catalog does not describe.
"""

from __future__ import annotations

from datetime import UTC
from functools import cache
from typing import Annotated, Any, Final, Literal, Union

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model
from pydantic_core import PydanticSerializationError, to_json

from latchway.schemas import jsontext
from latchway.schemas.catalog import CATALOG
from latchway.schemas.catalog.base import PAYLOAD, Count, EventData, Instant
from latchway.schemas.draft import DEVICE_ID_PATTERN, DeviceId, EventDraft, LogKey
from latchway.schemas.errors import DraftFault, DraftInvalid

DRAFT_LIMIT: Final = 60 * 1024
"""Largest draft in bytes: an envelope of 64 KiB keeps 4 KiB for its attributes."""

_REASONS_SHOWN: Final = 3
_NAME_SHOWN: Final = 64

_DeviceText = Annotated[str, Field(pattern=DEVICE_ID_PATTERN)]
_CommandText = Annotated[str, Field(pattern=r"^[!-~]{1,128}$")]


class _Log(BaseModel):
    model_config = PAYLOAD

    epoch: Count
    index: Count
    part: Count = 0


class _Draft(BaseModel):
    model_config = PAYLOAD

    type: str
    device: _DeviceText | None = None
    time: Instant | None = None
    lock_clock: bool = False
    log: _Log | None = None
    correlationid: _CommandText | None = None
    causationid: _CommandText | None = None
    data: EventData


def encode_data(data: EventData) -> bytes:
    """Encode a payload as compact JSON; fields that are None are left out."""
    return type(data).__pydantic_serializer__.to_json(data, exclude_none=True)


def encode_draft(draft: EventDraft) -> bytes:
    """Encode a draft. A naive `time` raises `DraftInvalid`, as the gateway would refuse it."""
    return _encode(draft, encode_data(draft.data))


def decode_draft(raw: bytes) -> EventDraft:
    """Validate a draft against the catalog. Raises `DraftInvalid`, whatever the bytes are."""
    return decode_draft_and_data(raw)[0]


def decode_draft_and_data(raw: bytes) -> tuple[EventDraft, bytes]:
    """As `decode_draft`, and give the payload as `encode_data` would write it, at no extra cost."""
    if len(raw) > DRAFT_LIMIT:
        raise DraftInvalid(
            DraftFault.TOO_LARGE, f"a draft has at most {DRAFT_LIMIT} bytes, this one {len(raw)}"
        )
    try:
        read = _adapter().validate_json(raw, strict=True)
    except ValidationError as error:
        raise _explained(error) from None
    log = read.log
    draft = EventDraft(
        data=read.data,
        device=None if read.device is None else DeviceId(read.device),
        time=read.time,
        lock_clock=read.lock_clock,
        log_key=None if log is None else LogKey(log.epoch, log.index, log.part),
        correlation_id=read.correlationid,
        causation_id=read.causationid,
    )
    data = encode_data(draft.data)
    # The JSON reader keeps the last of two equal keys without a word. What our own encoder wrote
    # has none, and is recognised by its bytes; only what differs is read again, slowly.
    if _encode(draft, data) != raw:
        try:
            jsontext.refuse_repeated_keys(raw)
        except jsontext.NotJson as error:
            raise DraftInvalid(DraftFault.NOT_JSON, str(error)) from None
    return draft, data


@cache
def _adapter() -> TypeAdapter[_Draft]:
    """Build the validator on first use: workers only encode, and need not pay for it."""
    kinds = tuple(_draft_of(definition) for definition in CATALOG)
    union: Any = Annotated[Union[kinds], Field(discriminator="type")]  # noqa: UP007 - built at run time
    return TypeAdapter(union)


def _draft_of(definition: type[EventData]) -> type[_Draft]:
    name: Any = Literal[
        definition.event_type
    ]  # built at run time, which type checkers cannot follow
    return create_model(
        f"Draft_{definition.__name__}", __base__=_Draft, type=(name, ...), data=(definition, ...)
    )


def _encode(draft: EventDraft, data: bytes) -> bytes:
    head: dict[str, object] = {"type": draft.data.event_type}
    if draft.device is not None:
        head["device"] = draft.device
    if draft.time is not None:
        offset = draft.time.utcoffset()
        if offset is None:
            raise DraftInvalid(DraftFault.SCHEMA, "time: must carry a timezone, it has none")
        head["time"] = draft.time.astimezone(UTC) if offset else draft.time
    if draft.lock_clock:
        head["lock_clock"] = True
    key = draft.log_key
    if key is not None:
        head["log"] = {"epoch": key.epoch, "index": key.index, "part": key.part}
    if draft.correlation_id is not None:
        head["correlationid"] = draft.correlation_id
    if draft.causation_id is not None:
        head["causationid"] = draft.causation_id
    try:
        return b"".join((to_json(head)[:-1], b',"data":', data, b"}"))
    except PydanticSerializationError as error:
        raise DraftInvalid(DraftFault.SCHEMA, f"the draft's head is no text: {error}") from None


def _explained(error: ValidationError) -> DraftInvalid:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = problems[0]
    if first["type"] == "json_invalid":
        return DraftInvalid(DraftFault.NOT_JSON, first["msg"])
    if first["type"] == "union_tag_invalid":
        return DraftInvalid(DraftFault.UNKNOWN_TYPE, "type: the catalog has no such event type")
    if first["type"] == "union_tag_not_found":
        return DraftInvalid(DraftFault.SCHEMA, "type: is missing, so nothing says what this is")
    words = [f"{_place(problem['loc'])}: {problem['msg']}" for problem in problems[:_REASONS_SHOWN]]
    if len(problems) > _REASONS_SHOWN:
        words.append(f"and {len(problems) - _REASONS_SHOWN} more")
    return DraftInvalid(DraftFault.SCHEMA, "; ".join(words))


def _place(location: tuple[int | str, ...]) -> str:
    """Name a field as its path; the first step is the event type, which the reason's owner has."""
    steps = [_shown(step) if isinstance(step, str) else str(step) for step in location[1:]]
    return ".".join(steps) or "draft"


def _shown(name: str) -> str:
    """Make a key that a driver invented safe to print."""
    plain = name.isascii() and name.replace("_", "").isalnum()
    return name[:_NAME_SHOWN] if plain else ascii(name[:_NAME_SHOWN])
