"""Typed messages survive the wire, and nonsense in their place is named."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.drivers.contract import (
    BrokerDelivery,
    DeliveryClass,
    Quotas,
    Rejection,
    StoredBatch,
)
from latchway.drivers.errors import FrameInvalid, FrameTooLarge, GenerationRefused
from latchway.drivers.wire import (
    GENERATION,
    MAXIMUM_DRAFTS,
    MAXIMUM_FRAME,
    Batch,
    Config,
    Credit,
    Frame,
    FrameDecoder,
    Heartbeat,
    Hello,
    Kind,
    Log,
    Reject,
    Stop,
    Stored,
    StoredNote,
    config_frames,
    encode,
    merge_config,
    stored_frames,
)

MESSAGES = [
    Hello(
        vendor="v",
        title="Vendor",
        delivery_class=DeliveryClass.QUEUED,
        pid=7,
        event_types=("a.v1", "b.v1"),
        quotas=Quotas(1, 2, 3),
        versions={"latchway": "1"},
    ),
    Config("hub", "v", b'{"a":1}', {"d": b"{}"}, {"": b"1", "log": b"[1]"}, 0.5, more=True),
    Credit(64),
    Batch(1),
    Batch(
        2,
        drafts=(b"{}", b'{"a":1}'),
        cursors={"": b"3", "é": b"null"},
        states={"d": b'{"name":"x"}', "gone": None},
        delivery=BrokerDelivery(65535, b"12345678", duplicate=True),
        forget_deliveries=True,
    ),
    Reject(3, b"\xff\x00", "not_utf8: byte 0"),
    Reject(4, b"", "x: y", "topic/ü", "dev", BrokerDelivery(1, b"12345678", duplicate=False)),
    Stored(9),
    Stored(9, (StoredNote(8, duplicate=True), StoredNote(9, False, (Rejection(0, "no"),)))),
    Heartbeat(DeliveryClass.LIVE, "why", ("a", "b"), 3, 1.5, {"events": 9}),
    Log(30, "name", "text\n✓", "Traceback", 4),
    Log(20, "name", "text"),
    Stop(2.5),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_each_message_survives_the_wire(message) -> None:
    (frame,) = FrameDecoder().feed(encode(message.to_frame()))
    assert type(message).from_frame(frame) == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_unknown_header_fields_are_ignored(message) -> None:
    frame = message.to_frame()
    more = Frame(frame.kind, {**frame.header, "of_a_later_version": 1}, frame.payload)
    assert type(message).from_frame(more) == message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
FIELDS = sorted({key for message in MESSAGES for key in message.to_frame().header})


@given(
    st.sampled_from([type(message) for message in MESSAGES]),
    st.dictionaries(st.sampled_from(FIELDS), json_values),
    st.binary(max_size=20),
)
def test_nonsense_is_refused_as_such_and_nothing_else(kind, header, payload) -> None:
    with contextlib.suppress(FrameInvalid, GenerationRefused):
        kind.from_frame(Frame(0, header, payload))


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        ({"batch": 1, "drafts": [3]}, b"{}"),
        ({"batch": 1, "drafts": [1]}, b"{}"),
        ({"batch": 1, "drafts": [-1]}, b""),
        ({"batch": 1, "cursors": {"": 2**40}}, b""),
        ({"batch": True}, b""),
        ({}, b""),
        ({"batch": 1, "delivery": [1, "zz", True]}, b""),
        ({"batch": 1, "delivery": [70000, "3132333435363738", True]}, b""),
        ({"batch": 1, "delivery": [1, "31", True]}, b""),
    ],
)
def test_lengths_that_do_not_fit_the_payload_are_refused(header, payload) -> None:
    with pytest.raises(FrameInvalid):
        Batch.from_frame(Frame(Kind.BATCH, header, payload))


def test_a_config_too_large_for_one_frame_is_split_and_put_together_again() -> None:
    states = {f"lock-{number}": b'{"name":"' + b"x" * 9000 + b'"}' for number in range(100)}
    cursors = {f"log-{number}": b"[" + b"1," * 4000 + b"1]" for number in range(20)}
    config = Config("hub", "v", b'{"a":1}', states, cursors)

    frames = list(config_frames(config))

    assert len(frames) > 4
    assert all(len(encode(frame)) <= MAXIMUM_FRAME for frame in frames)
    parts = [Config.from_frame(frame) for frame in frames]
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert merge_config(parts) == config


def test_a_small_config_is_one_frame() -> None:
    assert len(list(config_frames(Config("hub", "v", b"{}", {"d": b"{}"})))) == 1


def test_a_config_of_another_generation_is_refused() -> None:
    frame = Config("hub", "v", b"{}", generation=GENERATION + 1).to_frame()
    with pytest.raises(GenerationRefused, match="same version"):
        Config.from_frame(frame)


def test_a_batch_of_too_many_drafts_is_neither_sent_nor_taken() -> None:
    header = {"batch": 1, "drafts": [1] * (MAXIMUM_DRAFTS + 1)}
    with pytest.raises(FrameInvalid, match="1001 drafts"):
        Batch.from_frame(Frame(Kind.BATCH, header, b"x" * (MAXIMUM_DRAFTS + 1)))
    with pytest.raises(FrameTooLarge, match="1001 drafts"):
        Batch(1, (b"x",) * (MAXIMUM_DRAFTS + 1)).to_frame()


@pytest.mark.parametrize("reason", ["schema: short", "schema: " + "\x01" * 400])
def test_all_that_is_rejected_is_said_in_as_many_frames_as_it_needs(reason) -> None:
    rejections = tuple(Rejection(index, reason) for index in range(MAXIMUM_DRAFTS))
    notes = [StoredNote(number, rejections=rejections) for number in range(2, 22)]

    frames = [Stored.from_frame(frame) for frame in stored_frames(23, notes)]

    sizes = [len(encode(frame.to_frame())) for frame in frames]
    assert max(sizes) <= MAXIMUM_FRAME
    assert [note.number for frame in frames for note in frame.notes] == list(range(2, 22))
    assert all(frame.notes[-1].number <= frame.through for frame in frames if frame.notes)
    assert frames[-1].through == 23
    answer = next(frame for frame in frames if frame.notes).answers(2)
    assert [rejection.index for rejection in answer.rejections] == list(range(MAXIMUM_DRAFTS))
    assert all(rejection.reason.startswith("schema: ") for rejection in answer.rejections)


def test_a_stored_frame_answers_for_each_batch() -> None:
    stored = Stored(9, (StoredNote(8, duplicate=True),))
    assert stored.answers(7) == StoredBatch()
    assert stored.answers(8) == StoredBatch(duplicate=True)
