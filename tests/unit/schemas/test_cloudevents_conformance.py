"""Our events are CloudEvents by the specification's own schema and conformance cases."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from latchway.schemas import CloudEvent, EventData, EventDraft, encode_data, structured
from latchway.schemas.bindings import http, mqtt
from latchway.schemas.catalog import CATALOG
from support.events import attributes_of, drafts, example_of
from support.shared import shared_json

every_type = pytest.mark.parametrize("definition", CATALOG, ids=lambda each: each.__name__)


def whole_event(draft: EventDraft) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(structured(attributes_of(draft), encode_data(draft.data)))
    return event


@every_type
def test_every_envelope_has_what_the_specification_asks_for(definition: type[EventData]) -> None:
    """Required attributes are there and not empty; each has the form of its type (section 3)."""
    event = whole_event(EventDraft(example_of(definition)))

    assert event["specversion"] == "1.0"
    assert all(event[name] for name in ("id", "source", "type"))
    assert datetime.fromisoformat(event["time"]).tzinfo is not None
    assert event["dataschema"].startswith("urn:")
    assert "data_base64" not in event
    assert all(name == name.lower() and name.isalnum() and len(name) <= 20 for name in event)


def round_trips(event: CloudEvent) -> None:
    binary = http.encode_binary(event.attributes, event.data)
    whole = http.encode_structured(event.attributes, event.data)

    assert mqtt.decode(*mqtt.encode(event.attributes, event.data)) == event
    assert http.decode(binary.headers.items(), binary.body) == event
    read = http.decode(whole.headers.items(), whole.body)
    assert read.attributes == event.attributes
    assert (read.data or b"").strip() == (event.data or b"").strip()


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("text/plain; charset=us-ascii", b"Good morning\n"),
        ("text/plain; charset=utf-8", "Grüße 🔑\n".encode()),
        ("application/json; charset=utf-8", '"Grüße 🔑"'.encode()),
        ("application/json; charset=utf-8", '{"words":"Grüße 🔑"}'.encode()),
        ("application/vnd.example+json", b'["a",1,true,null]'),
        ("application/xml; charset=utf-8", "<words>Grüße 🔑</words>".encode()),
    ],
)
def test_foreign_events_of_each_media_type_round_trip(content_type: str, data: bytes) -> None:
    attributes = {
        "specversion": "1.0",
        "type": "org.example.words",
        "id": "words-1",
        "source": "//example.org/words",
        "datacontenttype": content_type,
        "structure": '{"value": 5}\n',
    }
    round_trips(CloudEvent(attributes, data))


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", ";charset=UTF-8"])
def test_http_requests_in_both_modes_say_the_same(charset: str) -> None:
    attributes = {
        "specversion": "1.0",
        "type": "org.example.words",
        "time": "2026-03-01T08:00:00Z",
        "id": "words-1",
        "source": "/example/words",
        "datacontenttype": "application/json",
    }
    headers = {f"Ce-{name.title()}": value for name, value in attributes.items()}
    headers["Content-Type"] = f"application/json{charset}"
    del headers["Ce-Datacontenttype"]
    binary = http.decode(headers.items(), b'{"words":1}')
    body = json.dumps({**attributes, "data": {"words": 1}}).encode()
    whole = http.decode([("Content-Type", f"application/cloudevents+json{charset}")], body)

    assert binary.attributes == {**attributes, "datacontenttype": f"application/json{charset}"}
    assert whole.attributes == attributes
    assert whole.data == binary.data


@pytest.mark.shared
def test_every_envelope_fits_the_official_schema() -> None:
    schema = shared_json("conformance", "cloudevents", "cloudevents-json-schema.json")["cases"]
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())

    for definition in CATALOG:
        for index in range(len(definition.examples)):
            validator.validate(whole_event(EventDraft(example_of(definition, index))))

    @given(drafts)
    def any_draft(draft: EventDraft) -> None:
        validator.validate(whole_event(draft))

    any_draft()


@pytest.mark.shared
def test_the_official_events_round_trip() -> None:
    cases = shared_json("conformance", "cloudevents", "conformance-events.json")["cases"]
    assert cases
    for case in cases:
        context = dict(case["ContextAttributes"])
        attributes = {**context.pop("Extensions", {}), **context}
        attributes["specversion"] = str(attributes["specversion"])
        if "time" in attributes:
            attributes["time"] = attributes["time"].replace(" ", "T")
        round_trips(CloudEvent(attributes, case["Data"].encode()))


@pytest.mark.shared
def test_the_official_http_requests_are_read_as_expected() -> None:
    cases = shared_json("conformance", "cloudevents", "conformance-http.json")["cases"]
    assert cases
    for case in cases:
        body = json.dumps(case["body"]).encode()
        event = http.decode(case["headers"].items(), body)

        assert event.attributes == case["expected_attributes"]
        assert json.loads(event.data or b"") == case["expected_data"]
