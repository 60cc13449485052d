"""The table of the API's endpoints: the server routes by it, the OpenAPI document is made of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from latchway.gateway.api import models

JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
TEXT: Final = "text/plain"


class Query(BaseModel):
    """Base of query parameters: an unknown one is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """An endpoint without parameters."""


class EventsQuery(Query):
    """Which events."""

    limit: Annotated[
        int, Field(ge=1, le=1000, description="Most events in the answer; not for `follow`.")
    ] = 20
    before: Annotated[
        str | None,
        Field(pattern=r"^\d{1,10}-\d{16}$", description="Only events older than this `sequence`."),
    ] = None
    pattern: Annotated[
        str | None,
        Field(max_length=8192, description="Only events that match this event pattern, in JSON."),
    ] = None
    follow: Annotated[
        bool,
        Field(
            description="Stream events as they are stored, one JSON object a line, until the "
            "client ends it. A client that is too slow is cut off: the last line is a `StreamEnd`."
        ),
    ] = False


class RejectedQuery(Query):
    """Which rejects."""

    limit: Annotated[int, Field(ge=1, le=200, description="Most rejects in the answer.")] = 20
    vendor: Annotated[
        str | None, Field(max_length=32, description="Only rejects of this vendor.")
    ] = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path that can be read (GET). `answer` None means text, not JSON."""

    path: str
    name: str
    summary: str
    answer: type[BaseModel] | None
    query: type[Query] = NoQuery
    line: type[BaseModel] | None = None
    """Model of a special line where the answer may be a stream of lines."""
    statuses: tuple[int, ...] = (200,)


ENDPOINTS: Final = (
    Endpoint("/v1/status", "status", "Whether all is well", models.StatusReport),
    Endpoint("/v1/devices", "devices", "All locks as last stored", models.DevicesReport),
    Endpoint(
        "/v1/events",
        "events",
        "Stored events, or a stream of them",
        models.EventsReport,
        EventsQuery,
        line=models.StreamEnd,
    ),
    Endpoint("/v1/outbox", "outbox", "The account and the size", models.OutboxReport),
    Endpoint(
        "/v1/outbox/rejected",
        "rejected",
        "Inputs that did not fit, with the reason",
        models.RejectedReport,
        RejectedQuery,
    ),
    Endpoint("/metrics", "metrics", "Metrics for Prometheus, read from the account", None),
    Endpoint("/healthz", "healthz", "Whether the main loop answers", models.HealthReport),
    Endpoint(
        "/readyz",
        "readyz",
        "Whether events can be stored now",
        models.ReadyReport,
        statuses=(200, 503),
    ),
    Endpoint("/openapi.json", "openapi", "This document", None),
)


def read_pattern(text: str) -> dict[str, object]:
    """Read an event pattern from JSON. Raises `ValueError` with the place in words."""
    try:
        pattern = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at character {error.pos + 1}: {error.msg}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(pattern, dict):
        raise ValueError("a pattern is a JSON object")  # noqa: TRY004 - one error for the caller
    return pattern
