"""Frames on the wire: what is encoded is decoded, and what breaks the rules ends the connection."""

from __future__ import annotations

import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.drivers.errors import FrameInvalid, FrameTooLarge, WireError
from latchway.drivers.wire import MAXIMUM_FRAME, Frame, FrameDecoder, Kind, encode

headers = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8), max_size=4)
frames = st.builds(Frame, st.integers(0, 255), headers, st.binary(max_size=300))


def raw(kind: int, header: bytes, payload: bytes = b"") -> bytes:
    body = struct.pack(">BI", kind, len(header)) + header + payload
    return struct.pack(">I", len(body)) + body


@given(st.lists(frames, max_size=5), st.data())
def test_frames_come_out_as_they_went_in_however_they_are_cut(sent, data) -> None:
    stream = b"".join(encode(frame) for frame in sent)
    decoder, received, start = FrameDecoder(), [], 0
    while start < len(stream):
        end = data.draw(st.integers(start + 1, len(stream)))
        received += decoder.feed(stream[start:end])
        start = end

    assert received == sent
    assert decoder.pending() == 0


def test_the_layout_is_the_documented_one() -> None:
    assert encode(Frame(Kind.STOP, {"grace_s": 3}, b"xy")) == raw(9, b'{"grace_s":3}', b"xy")


def test_a_frame_may_be_exactly_as_large_as_the_limit() -> None:
    overhead = len(encode(Frame(4))) - 4
    frame = Frame(4, {}, b"x" * (MAXIMUM_FRAME - overhead))
    assert FrameDecoder().feed(encode(frame)) == [frame]
    with pytest.raises(FrameTooLarge, match="kind 4"):
        encode(Frame(4, {}, b"x" * (MAXIMUM_FRAME - overhead + 1)))


@pytest.mark.parametrize("length", [0, 4, MAXIMUM_FRAME + 1, 2**30, 2**32 - 1])
def test_an_impossible_length_is_refused_before_anything_is_kept(length: int) -> None:
    with pytest.raises(FrameTooLarge):
        FrameDecoder().feed(struct.pack(">I", length) + b"x" * 10)


@pytest.mark.parametrize(
    "damaged",
    [
        struct.pack(">IBI", 5, 4, 1),  # header longer than the frame
        struct.pack(">IBI", 5, 4, 2**32 - 1),
        raw(4, b"[]"),
        raw(4, b"nonsense"),
        raw(4, b"\xff"),
        raw(4, b""),
        raw(4, b'{"a":"\\ud800"}'),
        raw(4, b"[" * 50_000),
    ],
)
def test_a_damaged_header_is_refused(damaged: bytes) -> None:
    with pytest.raises(FrameInvalid):
        FrameDecoder().feed(damaged)


def test_an_unknown_kind_is_delivered_for_the_receiver_to_ignore() -> None:
    (frame,) = FrameDecoder().feed(raw(200, b"{}"))
    assert frame.kind == 200


@given(st.binary(max_size=200))
def test_random_bytes_are_frames_or_a_wire_error_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(WireError):
        FrameDecoder().feed(data)


def test_a_header_that_is_no_json_is_not_sent() -> None:
    with pytest.raises(FrameInvalid):
        encode(Frame(4, {"x": float("nan")}))


def test_kinds_keep_their_numbers() -> None:
    assert json.dumps({kind.name: kind.value for kind in Kind}) == json.dumps(
        {
            "HELLO": 1,
            "CONFIG": 2,
            "CREDIT": 3,
            "BATCH": 4,
            "STORED": 5,
            "REJECT": 6,
            "HEARTBEAT": 7,
            "LOG": 8,
            "STOP": 9,
            "COMMAND": 10,
            "PERMIT": 11,
            "RESULT": 12,
        }
    )
