"""Latchway's own envelope: what a consumer may count on in every event of a hub.

A CloudEvents 1.0 event with the extensions of design section 5. Consumers read; the gateway writes
by `attributes.base_attributes` and the bindings, without building one of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from latchway.schemas import jsontext
from latchway.schemas.bindings import http, mqtt, structured
from latchway.schemas.catalog.base import EventData, Instant
from latchway.schemas.cloudevent import CloudEvent
from latchway.schemas.errors import EnvelopeInvalid
from latchway.schemas.registry import dataschema, lookup
from latchway.schemas.vocabulary import ClockQuality, Priority

ENVELOPE_VERSION: Final = "1.0"
_POSITION_DIGITS: Final = 16

_Word = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=256)]


class Envelope(BaseModel):
    """One event of a hub, as every sink gets it.

    Only `lane` and `lanepos` differ between the copies that two sinks get. Attributes that this
    version does not know are kept as text.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, str] = Field(init=False)

    specversion: Literal["1.0"] = Field(description="Version of CloudEvents.")
    id: _Word = Field(
        description="UUIDv5 of its place in the lock's log where there is one, else UUIDv7."
    )
    source: Annotated[str, Field(pattern=r"^/hubs/[!-~]+$", max_length=256)] = Field(
        description="`/hubs/{hub}/{vendor}/{device}`; shorter for facts about a vendor or the hub."
    )
    type: Annotated[str, Field(pattern=r"^io\.latchway\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*$")] = Field(
        description="`io.latchway.<family>.<fact>.v<major>`."
    )
    time: Instant = Field(
        description="When it happened, as well as was known at storing; never changes."
    )
    datacontenttype: Literal["application/json"] = Field(description="`data` is always JSON.")
    dataschema: _Word = Field(description="Names the type and its full version.")
    sequence: Annotated[str, Field(pattern=r"^[1-9][0-9]*-[0-9]{16}$")] = Field(
        description="`<epoch>-<16 digits>`: orders all events of a hub."
    )
    lane: Annotated[str, Field(pattern=r"^[!-.0-~]+/[!-.0-~]+/(main|bulk)$")] = Field(
        description="`{vendor}/{sink}/{class}`: the stream that `lanepos` counts in."
    )
    lanepos: Annotated[str, Field(pattern=r"^[0-9]{16}$")] = Field(
        description="Position in the lane, from 1 without gaps per epoch of `sequence`."
    )
    clock: ClockQuality = Field(description="Who vouches for `time`.")
    bootid: _Word = Field(description="The hub's boot in which the event was stored.")
    bootms: Annotated[str, Field(pattern=r"^[0-9]{1,16}$")] = Field(
        description="Milliseconds of that boot when the event was stored."
    )
    recordedtime: Instant = Field(description="The hub's clock when the event was stored.")
    partitionkey: _Word = Field(
        description="The device; for facts about a vendor or the hub, its name."
    )
    priority: Priority = Field(description="How much it matters when space runs short.")
    correlationid: _Word | None = Field(
        default=None, description="The command that this event is a result of."
    )
    causationid: _Word | None = Field(
        default=None, description="The event or command that directly caused this one."
    )
    data: dict[str, JsonValue] = Field(description="The payload, as `dataschema` describes it.")

    @property
    def epoch(self) -> int:
        """The epoch that `sequence` and `lanepos` belong to."""
        return int(self.sequence[: -_POSITION_DIGITS - 1])

    @property
    def position(self) -> int:
        """`lanepos` as a number."""
        return int(self.lanepos)

    def payload(self) -> EventData | None:
        """Read `data` by the catalog.

        None if this catalog does not know the type, or not what a later minor version added.
        Raises `EnvelopeInvalid` if `data` does not fit the schema that it claims.
        """
        definition = lookup(self.type)
        if definition is None:
            return None
        try:
            return definition.model_validate(self.data)
        except ValidationError as error:
            if self.dataschema != dataschema(definition):
                return None
            raise EnvelopeInvalid(f"data does not fit {self.dataschema}: {_words(error)}") from None

    @classmethod
    def of(cls, event: CloudEvent) -> Envelope:
        """Read a CloudEvent as an event of a hub. Raises `EnvelopeInvalid`."""
        try:
            data = jsontext.read(event.data or b"null")
            return _ENVELOPE.validate_python({**event.attributes, "data": data})
        except jsontext.NotJson as error:
            raise EnvelopeInvalid(f"data is not JSON: {error}") from None
        except ValidationError as error:
            raise EnvelopeInvalid(f"not an event of a hub: {_words(error)}") from None


_ENVELOPE: Final = TypeAdapter(Envelope)


def parse_structured(raw: bytes) -> Envelope:
    """Read `application/cloudevents+json`. Raises `EnvelopeInvalid` or `EnvelopeTooLarge`."""
    return Envelope.of(structured.decode(raw))


def parse_mqtt_binary(
    payload: bytes, content_type: str | None, user_properties: Sequence[tuple[str, str]]
) -> Envelope:
    """Read an MQTT 5 message. Raises `EnvelopeInvalid` or `EnvelopeTooLarge`."""
    return Envelope.of(mqtt.decode(payload, content_type, user_properties))


def parse_http(headers: Sequence[tuple[str, str]], body: bytes) -> Envelope:
    """Read an HTTP request. Raises `EnvelopeInvalid` or `EnvelopeTooLarge`."""
    return Envelope.of(http.decode(headers, body))


def _words(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems[:3])
