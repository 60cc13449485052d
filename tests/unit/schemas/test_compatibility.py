"""A change within a major version adds, or is refused in words that name field and reason."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from latchway.schemas import AccessGranted, DeviceReachable, LaneVoided
from latchway.schemas.compatibility import breaking_changes, changes
from latchway.schemas.jsonschema import schema_of

Schema = dict[str, Any]


def edited(schema: Schema, edit: Callable[[Schema], object]) -> Schema:
    new = copy.deepcopy(schema)
    edit(new)
    return new


GRANTED = schema_of(AccessGranted)
VOIDED = schema_of(LaneVoided)


def fields(schema: Schema) -> Schema:
    found: Schema = schema["properties"]
    return found


def slot(schema: Schema) -> Schema:
    found: Schema = fields(schema)["actor"]["properties"]["slot"]
    return found


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda s: fields(s).update(door={"type": "string"}), id="optional field"),
        pytest.param(
            lambda s: fields(s)["method"]["enum"].append("voice"), id="word beside unknown"
        ),
        pytest.param(lambda s: fields(s)["raw"].update({"x-personal": True}), id="personal mark"),
        pytest.param(lambda s: slot(s).update(description="Other words."), id="description"),
        pytest.param(lambda s: s.update(examples=[]), id="examples"),
        pytest.param(lambda s: s.update({"x-owner": "somebody"}), id="owner"),
    ],
)
def test_additions_and_words_for_people_break_nobody(edit: Callable[[Schema], object]) -> None:
    assert breaking_changes(GRANTED, edited(GRANTED, edit)) == ()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            lambda s: fields(s).pop("raw"),
            "data.raw: was removed: consumers that read it find nothing",
        ),
        (
            lambda s: (fields(s).update(door={"type": "string"}), s["required"].append("door")),
            "data.door: was added as required: events stored before do not have it",
        ),
        (
            lambda s: s["required"].append("actor"),
            "data.actor: became required: events stored before may lack it",
        ),
        (
            lambda s: s["required"].remove("method"),
            "data.method: became optional: consumers rely on it",
        ),
        (
            lambda s: slot(s).update(type="integer"),
            (
                "data.actor.slot: changed its type from string to integer: "
                "consumers built on the old schema may get what they cannot hold"
            ),
        ),
        (
            lambda s: fields(s)["method"]["enum"].remove("fob"),
            "data.method: no longer allows `fob`: events stored before may not fit any more",
        ),
        (
            lambda s: fields(s)["method"].pop("enum"),
            (
                "data.method: lost its closed list of words: "
                "consumers built on the old schema may get what they cannot hold"
            ),
        ),
        (
            lambda s: fields(s)["raw"].update(enum=["x"]),
            (
                "data.raw: got a closed list of words: "
                "consumers built on the old schema may get what they cannot hold"
            ),
        ),
        (
            lambda s: slot(s).update(maxLength=128),
            (
                "data.actor.slot: changed maxLength from `64` to `128`: "
                "consumers built on the old schema may get what they cannot hold"
            ),
        ),
        (
            lambda s: slot(s).update(maxLength=32),
            (
                "data.actor.slot: changed maxLength from `64` to `32`: "
                "events stored before may not fit any more"
            ),
        ),
        (
            lambda s: slot(s).pop("minLength"),
            (
                "data.actor.slot: changed minLength from `1` to none: "
                "consumers built on the old schema may get what they cannot hold"
            ),
        ),
        (
            lambda s: slot(s).update(pattern="^[0-9]+$"),
            (
                "data.actor.slot: changed pattern from none to `^[0-9]+$`: "
                "consumers built on the old schema may get what they cannot hold, "
                "or events stored before may not fit any more"
            ),
        ),
        (
            lambda s: fields(s)["probable_repeat"].update(default=True),
            (
                "data.probable_repeat: changed default from `False` to `True`: "
                "events without the field mean something else than before"
            ),
        ),
        (
            lambda s: slot(s).pop("x-personal"),
            (
                "data.actor.slot: lost its x-personal mark: "
                "routes that leave people out would begin to send it"
            ),
        ),
    ],
)
def test_what_breaks_somebody_is_said_with_field_and_reason(
    edit: Callable[[Schema], object], words: str
) -> None:
    assert breaking_changes(GRANTED, edited(GRANTED, edit)) == (words,)


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (lambda s: fields(s)["reason"]["enum"].append("lost"), "data.reason: allows `lost`"),
        (lambda s: fields(s)["positions"].pop("items"), "data.positions: its items"),
        (lambda s: fields(s)["positions"].update(maxItems=9), "data.positions: changed maxItems"),
        (
            lambda s: fields(s)["positions"]["items"]["prefixItems"].pop(),
            "data.positions[]: has 1 places instead of 2",
        ),
        (
            lambda s: fields(s)["positions"]["items"]["prefixItems"][1].update(minimum=0),
            "data.positions[][1]: changed minimum",
        ),
    ],
)
def test_lists_tuples_and_closed_words_are_looked_into(
    edit: Callable[[Schema], object], place: str
) -> None:
    (words,) = breaking_changes(VOIDED, edited(VOIDED, edit))

    assert words.startswith(place)


def test_an_addition_is_a_change_that_breaks_nothing() -> None:
    old = schema_of(DeviceReachable)
    new = edited(old, lambda s: s.update(properties={"signal": {"type": "integer"}}))

    (change,) = changes(old, new)

    assert str(change) == "data.signal: was added as optional"
    assert not change.breaking
