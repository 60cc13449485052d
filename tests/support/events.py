"""Builders and hypothesis strategies of drafts and envelopes, for any test that needs events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from latchway.schemas import (
    ClockQuality,
    DeviceId,
    Envelope,
    EventDraft,
    LogKey,
    base_attributes,
    encode_data,
    parse_structured,
    structured,
)
from latchway.schemas.catalog import CATALOG, EventData
from latchway.schemas.jsonschema import schema_of

STORED_AT = datetime(2026, 3, 1, 8, 0, 0, 254000, tzinfo=UTC)
DEVICE = DeviceId("0x00158d0001a2b3c4")


def example_of(definition: type[EventData], index: int = 0) -> EventData:
    """Build the payload of a type's example."""
    return definition.model_validate(definition.examples[index])


def attributes_of(
    draft: EventDraft,
    *,
    event_id: str = "019cb05e-3c80-7a44-9d0b-1c5a6f0e2b11",
    lane: str = "zigbee2mqtt/cloud/main",
    epoch: int = 1,
    position: int = 1,
) -> dict[str, str]:
    """Build all attributes of a delivered event."""
    base = base_attributes(
        draft,
        id=event_id,
        hub="front-gate",
        vendor="zigbee2mqtt",
        stored_at=STORED_AT,
        clock=ClockQuality.SYNCED,
        boot_id="5f0c2c5e-2b1f-4f52-8a8e-0e0f6f7a9d11",
        boot_ms=86_400_250,
    )
    place = {"sequence": f"{epoch}-{position:016d}", "lane": lane, "lanepos": f"{position:016d}"}
    return base | place


def envelope_of(draft: EventDraft, **place: str | int) -> Envelope:
    """Build the envelope of a delivered event, through its structured form."""
    attributes = attributes_of(draft, **place)  # type: ignore[arg-type]  # keywords of one function
    return parse_structured(structured(attributes, encode_data(draft.data)))


_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - the strategy adds the timezone
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001 - the strategy adds the timezone
    timezones=_zones,
)
texts = st.text(st.characters(codec="utf-8"), max_size=40)
command_ids = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=128
)
device_ids = st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True).map(DeviceId)
log_keys = st.builds(
    LogKey,
    epoch=st.integers(0, 2**53 - 1),
    index=st.integers(0, 2**53 - 1),
    part=st.integers(0, 2**53 - 1),
)


def _field_values(field: Any) -> st.SearchStrategy[Any]:
    if "enum" in field:
        return st.sampled_from(field["enum"])
    return _BY_TYPE[field["type"]](field)


def _text_values(field: Any) -> st.SearchStrategy[str]:
    if field.get("format") == "date-time":
        return instants.map(lambda instant: instant.isoformat())
    return texts.filter(lambda text: len(text) >= field.get("minLength", 0))


def _list_values(field: Any) -> st.SearchStrategy[Any]:
    if "prefixItems" in field:
        return st.tuples(*[_field_values(place) for place in field["prefixItems"]])
    return st.lists(_field_values(field["items"]), min_size=field.get("minItems", 0), max_size=5)


def _object_values(schema: Any) -> st.SearchStrategy[dict[str, Any]]:
    required = set(schema.get("required", ()))
    values = {name: _field_values(field) for name, field in schema.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: value for name, value in values.items() if name in required},
        optional={name: value for name, value in values.items() if name not in required},
    )


_BY_TYPE: Mapping[str, Callable[[Any], st.SearchStrategy[Any]]] = {
    "boolean": lambda _: st.booleans(),
    "integer": lambda field: st.integers(field.get("minimum"), field.get("maximum")),
    "number": lambda field: st.floats(
        field.get("minimum"), field.get("maximum"), allow_nan=False, allow_infinity=False
    ),
    "string": _text_values,
    "array": _list_values,
    "object": _object_values,
}


def payloads(definition: type[EventData]) -> st.SearchStrategy[EventData]:
    """Generate every payload that a type's exported schema allows."""
    adapter = TypeAdapter(definition)
    return _object_values(schema_of(definition)).map(adapter.validate_python)


drafts = st.builds(
    EventDraft,
    data=st.one_of([payloads(definition) for definition in CATALOG]),
    device=st.none() | device_ids,
    time=st.none() | instants,
    lock_clock=st.booleans(),
    log_key=st.none() | log_keys,
    correlation_id=st.none() | command_ids,
    causation_id=st.none() | command_ids,
)
"""Every draft that the catalog allows."""
