"""The config's JSON Schema, so that editors complete and check while one writes.

`python -m latchway.gateway.config.schema` prints it; name the file in the first line of a config:
`#:schema ./latchway-config.schema.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from latchway.gateway.config.loader import sink_models
from latchway.gateway.config.models import (
    NAME_PATTERN,
    HubSection,
    LogSection,
    QuotasSection,
    RouteSection,
    StopSection,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

    from latchway.drivers.contract import Manifest

Schema = dict[str, object]


def config_schema(manifests: Mapping[str, Manifest]) -> Schema:
    """Build the schema for the given drivers, by the name that the config calls them."""
    definitions: Schema = {}
    sinks = [_reference(model, definitions) for model in sink_models().values()]
    vendors = {name: _vendor(manifest.config, definitions) for name, manifest in manifests.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Latchway configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "hub": _reference(HubSection, definitions),
            "vendors": {
                "type": "object",
                "propertyNames": {"pattern": NAME_PATTERN},
                "properties": vendors,
                "additionalProperties": {"type": "object", "required": ["driver"]},
            },
            "sinks": {
                "type": "object",
                "propertyNames": {"pattern": NAME_PATTERN},
                "additionalProperties": {"oneOf": sinks},
            },
            "routes": {"type": "array", "items": _reference(RouteSection, definitions)},
            "log": _reference(LogSection, definitions),
            "stop": _reference(StopSection, definitions),
        },
        "$defs": definitions,
    }


def _reference(model: type[BaseModel], definitions: Schema) -> Schema:
    definitions[model.__name__] = _definition(model, definitions)
    return {"$ref": f"#/$defs/{model.__name__}"}


def _definition(model: type[BaseModel], definitions: Schema) -> Schema:
    schema: Schema = model.model_json_schema()
    nested = schema.pop("$defs", {})
    if isinstance(nested, dict):
        definitions.update(nested)
    return schema


def _vendor(model: type[BaseModel], definitions: Schema) -> Schema:
    """Return a driver's own section with the keys that every vendor has beside it."""
    schema = _definition(model, definitions)
    properties = schema.get("properties", {})
    common: Schema = {
        "driver": {"type": "string", "description": "Driver to run; default: the vendor's name."},
        "quotas": {
            **_reference(QuotasSection, definitions),
            "description": "What its worker may use.",
        },
    }
    schema["properties"] = {**common, **properties} if isinstance(properties, dict) else common
    definitions[model.__name__] = schema
    return {"$ref": f"#/$defs/{model.__name__}"}


def _builtin_manifests() -> Iterable[tuple[str, Manifest]]:
    from latchway.drivers.catalogue import BUILTIN, load_vendor  # noqa: PLC0415 - imports drivers

    return [(name, load_vendor(name).manifest) for name in BUILTIN]


if __name__ == "__main__":
    json.dump(config_schema(dict(_builtin_manifests())), sys.stdout, indent=2)
    sys.stdout.write("\n")
