"""A draft survives its encoding, and nothing but a draft survives its decoding."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.schemas import (
    DRAFT_LIMIT,
    EVENT_TYPES,
    AccessGranted,
    AccessMethod,
    AccessOperation,
    Actor,
    BatteryReported,
    DeviceId,
    DeviceReachable,
    DraftFault,
    DraftInvalid,
    EventDraft,
    LogKey,
    decode_draft,
    decode_draft_and_data,
    encode_data,
    encode_draft,
)
from support.events import DEVICE, drafts

UNLOCKED = EventDraft(
    AccessGranted(
        operation=AccessOperation.UNLOCK, method=AccessMethod.KEYPAD, actor=Actor(slot="3")
    ),
    device=DEVICE,
    time=datetime(2026, 3, 1, 8, tzinfo=UTC),
)
RAW = encode_draft(UNLOCKED)
BATTERY = encode_draft(EventDraft(BatteryReported(percent=81.5, voltage_mv=5700), device=DEVICE))


def refusal(raw: bytes) -> DraftInvalid:
    with pytest.raises(DraftInvalid) as refused:
        decode_draft(raw)
    return refused.value


def changed(old: bytes, new: bytes, raw: bytes = RAW) -> bytes:
    assert old in raw
    return raw.replace(old, new, 1)


@given(drafts)
def test_a_draft_comes_back_as_it_was(draft: EventDraft) -> None:
    raw = encode_draft(draft)
    decoded, data = decode_draft_and_data(raw)

    assert decoded == draft
    assert data == encode_data(draft.data)
    assert encode_draft(decoded) == raw


def test_a_draft_is_compact_and_leaves_out_what_it_does_not_say() -> None:
    raw = encode_draft(EventDraft(DeviceReachable(), device=DEVICE))

    assert raw == (
        b'{"type":"io.latchway.device.reachable.v1","device":"0x00158d0001a2b3c4","data":{}}'
    )


def test_every_key_of_a_full_draft_has_its_name() -> None:
    draft = EventDraft(
        DeviceReachable(),
        device=DEVICE,
        time=datetime(2026, 3, 1, 8, tzinfo=UTC),
        lock_clock=True,
        log_key=LogKey(1, 2, 3),
        correlation_id="c-1",
        causation_id="c-2",
    )

    assert json.loads(encode_draft(draft)) == {
        "type": "io.latchway.device.reachable.v1",
        "device": DEVICE,
        "time": "2026-03-01T08:00:00Z",
        "lock_clock": True,
        "log": {"epoch": 1, "index": 2, "part": 3},
        "correlationid": "c-1",
        "causationid": "c-2",
        "data": {},
    }


def test_a_draft_written_by_another_encoder_is_read_too() -> None:
    other = json.dumps(dict(reversed(json.loads(RAW).items())), indent=2).encode()

    assert decode_draft(other) == UNLOCKED


@given(st.binary())
def test_any_bytes_are_refused_or_read_and_nothing_else(raw: bytes) -> None:
    assert refusal(raw).reason


@given(st.data())
def test_a_damaged_draft_is_refused_or_still_a_draft(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(RAW) - 1))
    damaged = RAW[:place] + data.draw(st.binary(max_size=3)) + RAW[place + 1 :]
    with suppress(DraftInvalid):
        draft = decode_draft(damaged)
        assert decode_draft(encode_draft(draft)) == draft


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(RAW[:-1], id="cut off"),
        pytest.param(RAW + b"{}", id="more behind it"),
        pytest.param(b"\xef\xbb\xbf" + RAW, id="byte order mark"),
        pytest.param(RAW.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(changed(b'"3"', b'"\xff"'), id="not UTF-8"),
        pytest.param(changed(b'"3"', b'"\xed\xa0\x80"'), id="surrogate as UTF-8"),
        pytest.param(changed(b'"3"', b'"\\ud800"'), id="lone surrogate"),
        pytest.param(changed(b'"3"', b'"\n"'), id="bare control character"),
        pytest.param(b"[" * 50_000, id="deep arrays"),
        pytest.param(b'{"data":' * 5_000, id="deep objects"),
        pytest.param(changed(b'"3"', b"[" * 300 + b"]" * 300), id="deep inside"),
        pytest.param(changed(b'"3"', b"9" * 5_000), id="number of 5,000 digits"),
        pytest.param(changed(b'"device"', b'"device":"0x1","device"'), id="key twice"),
        pytest.param(changed(b'"slot"', b'"slot":"4","slot"'), id="key twice inside"),
        pytest.param(changed(b'"slot"', b'"sl\\u006ft":"4","slot"'), id="key twice, escaped"),
        pytest.param(changed(b'"data"', b'"data":{"pin":"1234"},"data"'), id="data twice"),
        pytest.param(changed(b'"type"', b'"type":"x","type"'), id="type twice"),
    ],
)
def test_what_two_readers_would_read_differently_is_no_json(raw: bytes) -> None:
    assert refusal(raw).code is DraftFault.NOT_JSON


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_none_are_refused(word: bytes) -> None:
    refused = refusal(changed(b"81.5", word, BATTERY))

    assert refused.code in {DraftFault.NOT_JSON, DraftFault.SCHEMA}


def test_an_unknown_type_is_refused_as_such() -> None:
    refused = refusal(changed(b"access.granted.v1", b"access.granted.v9"))

    assert refused.code is DraftFault.UNKNOWN_TYPE


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        pytest.param(b"{}", "type: is missing", id="no type"),
        pytest.param(b"[]", "draft: ", id="not an object"),
        pytest.param(changed(b"io.latchway.access.granted.v1", b""), "type", id="empty type"),
        pytest.param(changed(b'"3"', b"3"), "data.actor.slot", id="number for text"),
        pytest.param(changed(b"false", b"0"), "data.probable_repeat", id="0 for false"),
        pytest.param(changed(b"false", b'"false"'), "data.probable_repeat", id="text for false"),
        pytest.param(changed(b"5700", b'"5700"', BATTERY), "data.voltage_mv", id="text for int"),
        pytest.param(changed(b"5700", b"57.5", BATTERY), "data.voltage_mv", id="fraction for int"),
        pytest.param(changed(b"5700", b"true", BATTERY), "data.voltage_mv", id="true for int"),
        pytest.param(
            changed(b"5700", b"9007199254740992", BATTERY), "data.voltage_mv", id="above 2**53"
        ),
        pytest.param(changed(b"5700", b"9" * 400, BATTERY), "data.voltage_mv", id="huge int"),
        pytest.param(changed(b"81.5", b"101", BATTERY), "data.percent", id="above 100 per cent"),
        pytest.param(changed(b'"keypad"', b'"telepathy"'), "data.method", id="unknown word"),
        pytest.param(changed(b'"data":{', b'"data":{"pin":1,'), "data.pin", id="unknown field"),
        pytest.param(changed(b'"data"', b'"pin":1,"data"'), "pin", id="unknown key"),
        pytest.param(changed(DEVICE.encode(), b"0x\\u0000"), "device", id="NUL in the device"),
        pytest.param(changed(DEVICE.encode(), b"0x1\\n"), "device", id="line end in the device"),
        pytest.param(changed(DEVICE.encode(), b"../hub"), "device", id="path in the device"),
        pytest.param(changed(DEVICE.encode(), b""), "device", id="empty device"),
        pytest.param(changed(DEVICE.encode(), b"x" * 129), "device", id="long device"),
        pytest.param(changed(b"08:00:00Z", b"08:00:00"), "time", id="no timezone"),
        pytest.param(
            changed(b'"2026-03-01T08:00:00Z"', b"1772352000"), "time", id="time as number"
        ),
        pytest.param(changed(b"2026-03-01T08:00:00Z", b"1969-12-31T23:59:59Z"), "time", id="1969"),
        pytest.param(
            changed(b"2026-03-01T08:00:00Z", b"0001-01-01T00:00:00+23:59"), "time", id="before 1"
        ),
        pytest.param(changed(b'"data"', b'"log":{"epoch":1},"data"'), "log.index", id="half a key"),
        pytest.param(
            changed(b'"data"', b'"log":{"epoch":-1,"index":1},"data"'), "log.epoch", id="minus"
        ),
        pytest.param(
            changed(b'"data"', b'"correlationid":"a\\nb","data"'), "correlationid", id="line end"
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field_named(raw: bytes, named: str) -> None:
    refused = refusal(raw)

    assert refused.code in {DraftFault.SCHEMA, DraftFault.UNKNOWN_TYPE}
    assert named in refused.reason


def test_a_draft_above_the_limit_is_refused_unread() -> None:
    refused = refusal(b" " * (DRAFT_LIMIT + 1))

    assert refused.code is DraftFault.TOO_LARGE
    assert str(DRAFT_LIMIT) in refused.reason


def test_a_reason_never_repeats_what_the_driver_sent() -> None:
    refused = refusal(changed(b'"keypad"', b'"code-4711"'))

    assert "4711" not in str(refused)


def test_a_reason_stays_short_and_printable() -> None:
    keys = b"".join(b'"\\u001b[2J%d":1,' % number for number in range(500))
    refused = refusal(changed(b'"data":{', b'"data":{' + keys))

    assert len(refused.reason) < 500
    assert refused.reason.isprintable()
    assert "more" in refused.reason


@given(st.text().filter(lambda text: text not in EVENT_TYPES))
def test_no_other_text_is_a_type(text: str) -> None:
    raw = json.dumps({"type": text, "data": {}}).encode()

    assert refusal(raw).code in {DraftFault.UNKNOWN_TYPE, DraftFault.NOT_JSON}


def test_a_naive_time_is_refused_where_it_is_made() -> None:
    naive = datetime(2026, 3, 1, 8)  # noqa: DTZ001 - the point of this test

    with pytest.raises(DraftInvalid, match="timezone"):
        encode_draft(EventDraft(DeviceReachable(), device=DEVICE, time=naive))


def test_a_device_that_no_text_can_hold_is_refused_where_it_is_made() -> None:
    with pytest.raises(DraftInvalid):
        encode_draft(EventDraft(DeviceReachable(), device=DeviceId("\ud800")))


def test_a_payload_cannot_be_built_with_a_number_that_is_none() -> None:
    with pytest.raises(ValueError, match="percent"):
        BatteryReported(percent=math.nan)
