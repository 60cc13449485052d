"""Makes the OpenAPI document of the local API from its table of endpoints and models.

`python -m latchway.gateway.api.openapi > docs/reference/openapi.json` brings the checked-in copy
up to date; a test proves that it is.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import models_json_schema

from latchway.gateway.api import models
from latchway.gateway.api.endpoints import ENDPOINTS, JSON, LINES, TEXT, Endpoint

if TYPE_CHECKING:
    from pydantic import BaseModel

API_VERSION: Final = "1.0.0"
"""Grows in the middle when a field or an endpoint is added; the first number is `/v1`."""

_REF: Final = "#/components/schemas/{model}"


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    answers: set[type[BaseModel]] = {models.ErrorReport}
    for endpoint in ENDPOINTS:
        answers.update(each for each in (endpoint.answer, endpoint.line) if each is not None)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in sorted(answers, key=lambda each: each.__name__)],
        ref_template=_REF,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Latchway local API",
            "version": API_VERSION,
            "description": "HTTP over the Unix socket `<runtime_dir>/api.sock`. Within `/v1` "
            "fields may be added; none is removed, renamed or given another type.",
        },
        "servers": [{"url": "http://latchway", "description": "api.sock; any host name will do"}],
        "paths": {endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS},
        "components": {"schemas": schemas["$defs"]},
    }


@functools.cache
def text() -> str:
    """Return the document as it is checked in."""
    return json.dumps(document(), indent=2) + "\n"


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    responses: dict[str, Any] = {
        str(status): {"description": endpoint.summary, "content": _content(endpoint)}
        for status in endpoint.statuses
    }
    error = {"schema": {"$ref": _REF.format(model="ErrorReport")}}
    responses["default"] = {"description": "Why not", "content": {JSON: error}}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "responses": responses,
    }
    parameters = _parameters(endpoint)
    if parameters:
        operation["parameters"] = parameters
    return operation


def _content(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.answer is None:
        return {JSON if endpoint.path.endswith(".json") else TEXT: {}}
    content: dict[str, Any] = {
        JSON: {"schema": {"$ref": _REF.format(model=endpoint.answer.__name__)}}
    }
    if endpoint.line is not None:
        event: dict[str, Any] = {"type": "object", "description": "A CloudEvents 1.0 event."}
        end = {"$ref": _REF.format(model=endpoint.line.__name__)}
        content[LINES] = {"schema": {"anyOf": [event, end]}}
    return content


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    properties = endpoint.query.model_json_schema().get("properties", {})
    parameters = []
    for name, schema in properties.items():
        plain = {key: value for key, value in schema.items() if key not in {"title", "description"}}
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": schema["description"],
                "schema": plain,
            }
        )
    return parameters


if __name__ == "__main__":
    sys.stdout.write(text())
