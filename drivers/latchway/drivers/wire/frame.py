"""Frames: 4-byte big-endian length of the rest, 1-byte kind, 4-byte header length, JSON, payload.

Pure. A kind that the receiver does not know is delivered all the same and ignored by it.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from latchway.drivers.errors import FrameInvalid, FrameTooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

GENERATION = 1
"""Of the wire as a whole. Another number in `hello` or `config` ends the connection."""

MAXIMUM_FRAME = 256 * 1024
"""Bytes that the length field may announce."""

_PREFIX = struct.Struct(">I")
_HEAD = struct.Struct(">BI")
_FULL_HEAD = struct.Struct(">IBI")

dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Kind(IntEnum):
    """What a frame is. Numbers are never reused."""

    HELLO = 1
    CONFIG = 2
    CREDIT = 3
    BATCH = 4
    STORED = 5
    REJECT = 6
    HEARTBEAT = 7
    LOG = 8
    STOP = 9
    COMMAND = 10
    PERMIT = 11
    RESULT = 12


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it travels. `kind` is a number that need not be a known `Kind`."""

    kind: int
    header: Mapping[str, JsonValue] = field(default_factory=dict)
    payload: bytes = b""


def encode(frame: Frame) -> bytes:
    """Encode a frame, its length included; raises `FrameTooLarge`."""
    try:
        header = dumps(frame.header).encode()
    except (ValueError, TypeError) as error:
        raise FrameInvalid(f"The header of a frame of kind {frame.kind}: {error}") from None
    length = _HEAD.size + len(header) + len(frame.payload)
    if length > MAXIMUM_FRAME:
        raise FrameTooLarge(
            f"A frame of kind {frame.kind} has {length} bytes; the limit is {MAXIMUM_FRAME}"
        )
    return b"".join((_FULL_HEAD.pack(length, frame.kind, len(header)), header, frame.payload))


class FrameDecoder:
    """Cuts a stream of bytes into frames. After an error the stream is of no more use."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes and return the frames that are now complete; raises `WireError`."""
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        start = 0
        available = len(buffer)
        while available - start >= _PREFIX.size:
            (length,) = _PREFIX.unpack_from(buffer, start)
            if not _HEAD.size <= length <= MAXIMUM_FRAME:
                raise FrameTooLarge(
                    f"A frame announces {length} bytes; {_HEAD.size} to {MAXIMUM_FRAME} are allowed"
                )
            end = start + _PREFIX.size + length
            if end > available:
                break
            frames.append(_decode(bytes(buffer[start + _PREFIX.size : end])))
            start = end
        del buffer[:start]
        return frames

    def pending(self) -> int:
        """Count the bytes of a frame that is not complete yet."""
        return len(self._buffer)


def _decode(body: bytes) -> Frame:
    kind, header_length = _HEAD.unpack_from(body)
    header_end = _HEAD.size + header_length
    if header_end > len(body):
        raise FrameInvalid(f"A frame of kind {kind} has a header longer than itself")
    raw = body[_HEAD.size : header_end]
    try:
        header = json.loads(raw)
        if b"\\u" in raw:  # half a surrogate pair would break whoever stores the text
            dumps(header).encode()
    except (ValueError, RecursionError):
        raise FrameInvalid(f"The header of a frame of kind {kind} is not JSON") from None
    if not isinstance(header, dict):
        raise FrameInvalid(f"The header of a frame of kind {kind} is not a JSON object")
    return Frame(kind, header, body[header_end:])
