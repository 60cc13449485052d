"""The catalog as an AsyncAPI 3 document: what a consumer of the MQTT sink subscribes to."""

from __future__ import annotations

from typing import Any, Final

from latchway.schemas.catalog import CATALOG, EventData
from latchway.schemas.jsonschema import (
    Schema,
    envelope_example,
    envelope_schema,
    schema_of,
    summary_of,
)
from latchway.schemas.registry import dataschema, families, name_of

_SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"
_ADDRESS: Final = "latchway/{{hub}}/{{vendor}}/{{device}}/{family}/{fact}"
_NOT_HEADERS: Final = frozenset({"data", "datacontenttype"})

_PARAMETERS: Final = {
    "hub": {"description": "The hub's name."},
    "vendor": {"description": "The vendor; `hub` for facts about the hub itself."},
    "device": {"description": "The lock's hardware id; `_` for facts about a vendor or the hub."},
}


def asyncapi(version: str) -> Schema:
    """Build the document of one release of Latchway."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Latchway events",
            "version": version,
            "description": (
                "What a hub publishes through its MQTT sink with the default topic: MQTT 5, QoS 1, "
                "CloudEvents 1.0 in binary mode. Attributes are user properties."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_key(definition): _channel(definition) for definition in CATALOG},
        "operations": {
            f"publish_{_key(definition)}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{_key(definition)}"},
                "summary": summary_of(definition),
                "bindings": {"mqtt": {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}},
            }
            for definition in CATALOG
        },
        "components": {
            "messages": {_key(definition): _message(definition) for definition in CATALOG},
            "schemas": {"attributes": {"schemaFormat": _SCHEMA_FORMAT, "schema": _attributes()}},
            "tags": {family: {"name": family} for family in families()},
        },
    }


def _key(definition: type[EventData]) -> str:
    name = name_of(definition)
    return f"{name.family}_{name.fact}_v{name.major}"


def _channel(definition: type[EventData]) -> Schema:
    key = _key(definition)
    name = name_of(definition)
    return {
        "address": _ADDRESS.format(family=name.family, fact=name.fact),
        "description": summary_of(definition),
        "messages": {key: {"$ref": f"#/components/messages/{key}"}},
        "parameters": _PARAMETERS,
        "tags": [{"$ref": f"#/components/tags/{name.family}"}],
    }


def _message(definition: type[EventData]) -> Schema:
    example = envelope_example(definition)
    headers = {name: value for name, value in example.items() if name not in _NOT_HEADERS}
    return {
        "name": definition.event_type,
        "title": definition.__name__,
        "summary": summary_of(definition),
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/attributes"},
        "correlationId": {"location": "$message.header#/correlationid"},
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": schema_of(definition)},
        "x-dataschema": dataschema(definition),
        "examples": [{"headers": headers, "payload": data} for data in definition.examples],
    }


def _attributes() -> Schema:
    """Describe the user properties: the envelope but for what MQTT carries elsewhere."""
    envelope = envelope_schema()
    fields: dict[str, Any] = envelope["properties"]
    return {
        "type": "object",
        "properties": {name: fields[name] for name in fields if name not in _NOT_HEADERS},
        "required": [name for name in envelope["required"] if name not in _NOT_HEADERS],
        "additionalProperties": {"type": "string"},
    }
