"""The catalog and the envelope as JSON Schemas (2020-12), in the form that is checked in.

Made for people and for consumers: references are written out, what may be absent is never null,
and unknown fields are allowed, because a later minor version may add some. The gateway itself
validates by the models, which allow none.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from latchway.schemas.catalog import CATALOG, EventData
from latchway.schemas.envelope import ENVELOPE_VERSION, Envelope
from latchway.schemas.registry import dataschema, name_of

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema, or a part of one: a document of another language, whose shape is not ours."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ENVELOPE_ID: Final = f"urn:latchway:schema:envelope:{ENVELOPE_VERSION}"
ENVELOPE_PATH: Final = f"envelope/{ENVELOPE_VERSION}.json"
ENVELOPE_HISTORY: Final = ("1.0: first version",)


def schema_of(definition: type[EventData]) -> Schema:
    """Export the `data` of one event type."""
    body = _plain(definition)
    return {
        "$schema": DIALECT,
        "$id": dataschema(definition),
        "title": definition.__name__,
        "description": body.pop("description"),
        "x-type": definition.event_type,
        "x-version": definition.schema_version,
        "x-priority": str(definition.priority),
        "x-owner": definition.owner,
        "x-experimental": definition.experimental,
        "x-history": list(definition.history),
        **body,
        "examples": list(definition.examples),
    }


def envelope_schema() -> Schema:
    """Export the envelope in its structured form; `data` is described by `dataschema`."""
    body = _plain(Envelope)
    return {
        "$schema": DIALECT,
        "$id": ENVELOPE_ID,
        "title": "Envelope",
        "description": body.pop("description"),
        "x-version": ENVELOPE_VERSION,
        "x-owner": "schemas",
        "x-history": list(ENVELOPE_HISTORY),
        **body,
        "examples": [envelope_example(CATALOG[0])],
    }


def catalog_index() -> Schema:
    """Export the list of everything there is, with where its schema lies."""
    return {
        "envelope": {"id": ENVELOPE_ID, "version": ENVELOPE_VERSION, "schema": ENVELOPE_PATH},
        "events": [
            {
                "type": definition.event_type,
                "version": definition.schema_version,
                "dataschema": dataschema(definition),
                "schema": schema_path(definition),
                "family": name_of(definition).family,
                "fact": name_of(definition).fact,
                "major": name_of(definition).major,
                "priority": str(definition.priority),
                "owner": definition.owner,
                "experimental": definition.experimental,
                "description": summary_of(definition),
            }
            for definition in CATALOG
        ],
    }


def schema_path(definition: type[EventData]) -> str:
    """Name the file of a type's current version, relative to the record's folder."""
    return f"{definition.event_type}/{definition.schema_version}.json"


def summary_of(model: type[BaseModel]) -> str:
    """Take the first sentence of a model's docstring."""
    return (model.__doc__ or "").strip().split("\n\n")[0]


def envelope_example(definition: type[EventData]) -> Schema:
    """Build a whole event around the first example of a type."""
    family = name_of(definition).family
    vendor, device = ("hub", None) if family == "hub" else ("zigbee2mqtt", "0x00158d0001a2b3c4")
    place = "/".join(part for part in ("/hubs/front-gate", vendor, device) if part)
    bulk = definition.priority == "telemetry"
    return {
        "specversion": "1.0",
        "id": "019cb05e-3c80-7a44-9d0b-1c5a6f0e2b11",
        "source": "/hubs/front-gate" if family == "hub" else place,
        "type": definition.event_type,
        "time": "2026-03-01T08:00:00.250Z",
        "datacontenttype": "application/json",
        "dataschema": dataschema(definition),
        "clock": "synced",
        "bootid": "5f0c2c5e-2b1f-4f52-8a8e-0e0f6f7a9d11",
        "bootms": "86400250",
        "recordedtime": "2026-03-01T08:00:00.254Z",
        "partitionkey": device or "front-gate",
        "priority": str(definition.priority),
        "sequence": "1-0000000000000042",
        "lane": f"{vendor}/cloud/{'bulk' if bulk else 'main'}",
        "lanepos": "0000000000000017",
        "data": definition.examples[0],
    }


def _plain(model: type[BaseModel]) -> Schema:
    raw = model.model_json_schema()
    body: Schema = _written_out(raw, raw.get("$defs", {}))
    body.pop("title", None)
    return body


def _written_out(node: Any, definitions: Schema) -> Any:
    if isinstance(node, list):
        return [_written_out(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    node = _without_null(node)
    if "$ref" in node:
        target = {**definitions[node["$ref"].removeprefix("#/$defs/")]}
        if "description" in node:
            target.pop("description", None)
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    plain: Schema = {}
    for key, value in node.items():
        if key in {"$defs", "title"} or (key == "additionalProperties" and value is False):
            continue
        if key == "properties":
            fields: Schema = value
            plain[key] = {name: _written_out(field, definitions) for name, field in fields.items()}
        else:
            plain[key] = _written_out(value, definitions)
    return plain


def _without_null(node: Schema) -> Schema:
    """Write an optional field as what it is when present: None is never sent."""
    kinds = [kind for kind in node.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return node
    kept = {key: value for key, value in node.items() if key != "anyOf"}
    if kept.get("default", ...) is None:
        del kept["default"]
    return {**kinds[0], **kept}
