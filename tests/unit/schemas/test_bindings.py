"""An event says the same however it travels, and what is no event is refused."""

from __future__ import annotations

import base64
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.schemas import (
    ENVELOPE_LIMIT,
    CloudEvent,
    DeviceReachable,
    Envelope,
    EnvelopeInvalid,
    EnvelopeTooLarge,
    EventDraft,
    encode_data,
    http_binary,
    http_structured,
    mqtt_binary,
    parse_http,
    parse_mqtt_binary,
    parse_structured,
    structured,
)
from latchway.schemas.bindings import http, mqtt
from latchway.schemas.bindings import structured as json_format
from latchway.schemas.jsonschema import envelope_schema
from support.events import DEVICE, attributes_of, drafts

ATTRIBUTES = attributes_of(EventDraft(DeviceReachable(), device=DEVICE))
ENVELOPE_SCHEMA = jsonschema.Draft202012Validator(
    envelope_schema(), format_checker=jsonschema.FormatChecker()
)

names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda name: name not in {"data", "datacontenttype", "specversion"}
)
values = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=50)
content_types = st.sampled_from(["text/plain", "application/xml; charset=utf-8", "image/png"])


@st.composite
def foreign_events(draw: st.DrawFn) -> CloudEvent:
    """Any CloudEvent, ours or not."""
    attributes = {"specversion": "1.0", "id": "1", "source": "/x", "type": "com.example.x"}
    attributes |= draw(st.dictionaries(names, values.filter(bool), max_size=5))
    if draw(st.booleans()):
        data = json.dumps(draw(st.lists(values | st.integers() | st.booleans()))).encode()
        return CloudEvent(attributes | {"datacontenttype": "application/json"}, data)
    attributes["datacontenttype"] = draw(content_types)
    return CloudEvent(attributes, draw(st.none() | st.binary(min_size=1, max_size=50)))


@given(drafts, st.integers(1, 10**15), st.integers(1, 99))
def test_an_event_of_a_hub_says_the_same_through_each_binding(
    draft: EventDraft, position: int, epoch: int
) -> None:
    attributes = attributes_of(draft, position=position, epoch=epoch)
    data = encode_data(draft.data)
    binary, whole = http_binary(attributes, data), http_structured(attributes, data)
    envelopes = [
        parse_structured(structured(attributes, data)),
        parse_mqtt_binary(*mqtt_binary(attributes, data)),
        parse_http(tuple(binary.headers.items()), binary.body),
        parse_http(tuple(whole.headers.items()), whole.body),
    ]

    assert all(envelope == envelopes[0] for envelope in envelopes)
    assert envelopes[0].payload() == draft.data
    assert (envelopes[0].epoch, envelopes[0].position) == (epoch, position)


@given(drafts)
def test_every_event_of_a_hub_fits_the_exported_envelope_schema(draft: EventDraft) -> None:
    whole = json.loads(structured(attributes_of(draft), encode_data(draft.data)))

    ENVELOPE_SCHEMA.validate(whole)
    assert all(name.isalnum() and name.islower() for name in whole)
    assert all(isinstance(value, str) for name, value in whole.items() if name != "data")


@given(foreign_events())
def test_any_cloudevent_survives_binary_mode_byte_by_byte(event: CloudEvent) -> None:
    sent = http.encode_binary(event.attributes, event.data)

    assert mqtt.decode(*mqtt.encode(event.attributes, event.data)) == event
    assert http.decode(sent.headers.items(), sent.body) == event


@given(foreign_events())
def test_any_cloudevent_survives_structured_mode(event: CloudEvent) -> None:
    read = json_format.decode(json_format.encode(event.attributes, event.data))

    assert read.attributes == event.attributes
    if event.attributes["datacontenttype"] == "application/json":
        assert json.loads(read.data or b"") == json.loads(event.data or b"")
    else:
        assert read.data == event.data


def test_http_headers_hold_printable_ascii_only() -> None:
    sent = http_binary({**ATTRIBUTES, "note": 'Euro € 😀 100 % "yes"\n'}, b"{}")

    assert sent.headers["ce-note"] == "Euro%20%E2%82%AC%20%F0%9F%98%80%20100%20%25%20%22yes%22%0A"


def test_http_header_names_in_any_case_and_quoted_values_are_read() -> None:
    headers = [
        ("CE-Id", '"a\\"b"'),
        ("Ce-Source", "/x"),
        ("ce-type", "t"),
        ("Ce-SpecVersion", "1.0"),
    ]

    assert http.decode(headers, b"").attributes["id"] == 'a"b'


def test_integers_and_booleans_of_a_foreign_event_become_their_text() -> None:
    raw = (
        b'{"specversion":"1.0","id":"1","source":"/x","type":"t","count":-7,"sampled":true,'
        b'"subject":null,"data":null}'
    )
    event = json_format.decode(raw)

    assert event.attributes["count"] == "-7"
    assert event.attributes["sampled"] == "true"
    assert "subject" not in event.attributes
    assert event.data == b"null"


def test_data_without_a_content_type_is_json() -> None:
    raw = b'{"specversion":"1.0","id":"1","source":"/x","type":"t","data":"words"}'

    assert json_format.decode(raw).data == b'"words"'


def test_an_attribute_that_this_version_does_not_know_is_kept() -> None:
    envelope = parse_structured(structured({**ATTRIBUTES, "traceparent": "00-ab"}, b"{}"))

    assert envelope.model_extra == {"traceparent": "00-ab"}


@given(st.binary())
def test_any_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        parse_structured(raw)
    with pytest.raises(EnvelopeInvalid):
        parse_mqtt_binary(raw, "application/json", [])


MINIMAL = {"specversion": "1.0", "id": "1", "source": "/x", "type": "t"}


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"specversion": "0.3"}, "specversion"),
        ({"Upper": "x"}, "attribute name"),
        ({"with_underscore": "x"}, "attribute name"),
        ({"nested": {}}, "nested"),
        ({"fraction": 1.5}, "fraction"),
        ({"nul": "a\x00"}, "nul"),
        ({"data_base64": "%%"}, "base64"),
        ({"data_base64": 1}, "data_base64"),
        ({"data_base64": "AA==", "data": 1}, "data_base64"),
    ],
)
def test_what_is_no_cloudevent_is_refused_with_the_attribute_named(
    members: dict[str, object], named: str
) -> None:
    raw = json.dumps({**MINIMAL, **members}).encode()

    with pytest.raises(EnvelopeInvalid, match=named):
        json_format.decode(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id":"1","id":"2","specversion":"1.0","source":"/x","type":"t"}',
        b'{"specversion":"1.0","id":"1","source":"/x","type":"t","data":{"a":1,"a":2}}',
        b'{"specversion":"1.0","id":"1","source":"/x","type":"t","data":NaN}',
        b"[" * 60_000,
        b'["not an object"]',
    ],
)
def test_json_that_readers_disagree_about_is_refused(raw: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        json_format.decode(raw)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "com.example.x"),
        ("source", "/elsewhere"),
        ("sequence", "42"),
        ("lane", "cloud"),
        ("lanepos", "17"),
        ("clock", "sundial"),
        ("priority", "urgent"),
        ("time", "yesterday"),
        ("time", "2026-03-01T08:00:00"),
        ("bootms", "-1"),
        ("datacontenttype", "text/plain"),
    ],
)
def test_a_cloudevent_that_is_not_from_a_hub_is_refused(name: str, value: str) -> None:
    event = CloudEvent({**ATTRIBUTES, name: value}, b"{}")

    with pytest.raises(EnvelopeInvalid, match=name):
        Envelope.of(event)


def test_an_event_of_a_hub_has_an_object_as_data() -> None:
    for data in (None, b"[]", b"no JSON"):
        with pytest.raises(EnvelopeInvalid, match="data"):
            Envelope.of(CloudEvent(ATTRIBUTES, data))


def test_a_user_property_or_header_that_appears_twice_is_refused() -> None:
    payload, content_type, properties = mqtt_binary(ATTRIBUTES, b"{}")
    headers = list(http_binary(ATTRIBUTES, b"{}").headers.items())

    with pytest.raises(EnvelopeInvalid, match="twice"):
        parse_mqtt_binary(payload, content_type, [*properties, properties[0]])
    with pytest.raises(EnvelopeInvalid, match="twice"):
        parse_http([*headers, ("CE-ID", "2")], b"{}")


def test_http_batches_and_broken_headers_are_refused() -> None:
    with pytest.raises(EnvelopeInvalid, match="one event per request"):
        http.decode([("content-type", "application/cloudevents-batch+json")], b"[]")
    with pytest.raises(EnvelopeInvalid, match="UTF-8"):
        http.decode([("ce-id", "%FF")], b"")


def test_mqtt_in_structured_mode_is_read_too() -> None:
    raw = structured(ATTRIBUTES, b"{}")

    assert parse_mqtt_binary(raw, json_format.CONTENT_TYPE, []) == parse_structured(raw)


def test_nothing_above_64_kib_is_written_or_read() -> None:
    large = b'"' + b"x" * ENVELOPE_LIMIT + b'"'

    for write in (structured, mqtt_binary, http_binary, http_structured):
        with pytest.raises(EnvelopeTooLarge, match=str(ENVELOPE_LIMIT)):
            write(ATTRIBUTES, large)
    with pytest.raises(EnvelopeTooLarge):
        parse_structured(large)
    with pytest.raises(EnvelopeTooLarge):
        parse_mqtt_binary(large, "application/json", [])
    with pytest.raises(EnvelopeTooLarge):
        parse_http([], large)


def test_binary_data_travels_as_base64_in_structured_mode() -> None:
    attributes = {**MINIMAL, "datacontenttype": "image/png"}
    whole = json.loads(json_format.encode(attributes, b"\x89PNG"))

    assert base64.b64decode(whole["data_base64"]) == b"\x89PNG"


def test_data_of_a_type_or_minor_version_that_we_do_not_know_has_no_payload() -> None:
    unknown = {**ATTRIBUTES, "type": "io.latchway.window.opened.v1"}
    later = {**ATTRIBUTES, "dataschema": "urn:latchway:schema:io.latchway.device.reachable.v1:1.7"}

    assert parse_structured(structured(unknown, b'{"a":1}')).payload() is None
    assert parse_structured(structured(later, b'{"new":1}')).payload() is None


def test_data_that_does_not_fit_the_schema_it_claims_is_an_error() -> None:
    envelope = parse_structured(structured(ATTRIBUTES, b'{"new":1}'))

    with pytest.raises(EnvelopeInvalid, match="new"):
        envelope.payload()
