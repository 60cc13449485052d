"""The catalog holds what design asks for, and each type says all that it must about itself."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from latchway.schemas import (
    EVENT_TYPES,
    DoorState,
    DoorStateChanged,
    EventData,
    LaneClass,
    LockState,
    LockStateChanged,
    Priority,
    Source,
    TypeName,
    encode_data,
    families,
    find,
    lookup,
)
from latchway.schemas.catalog import CATALOG
from latchway.schemas.catalog.base import PAYLOAD
from latchway.schemas.jsonschema import schema_of
from latchway.schemas.registry import name_of
from support.events import payloads

every_type = pytest.mark.parametrize("definition", CATALOG, ids=lambda each: each.__name__)

FACTS = """
lock.state_changed lock.opened_late door.state_changed access.granted access.denied
credential.added credential.changed credential.removed battery.reported battery.critical
tamper.detected device.paired device.removed device.reachable device.unreachable device.faulted
device.clock_set device.log_restarted device.log_gap device.coverage_gap device.firmware_changed
hub.started hub.stopping hub.clock_synchronised hub.clock_stepped hub.outbox_full vendor.degraded
vendor.quarantined vendor.recovered lane.voided command.completed
"""


def test_the_catalog_holds_every_fact_of_the_design() -> None:
    assert {f"{name_of(each).family}.{name_of(each).fact}" for each in CATALOG} == set(
        FACTS.split()
    )


def test_no_two_types_share_a_name() -> None:
    assert len(EVENT_TYPES) == len(CATALOG)


@every_type
def test_a_type_is_found_by_its_name_and_by_its_parts(definition: type[EventData]) -> None:
    name = name_of(definition)

    assert lookup(definition.event_type) is definition
    assert find(name.family, name.fact, name.major) is definition
    assert definition in families()[name.family]


@pytest.mark.parametrize(
    "foreign", ["", "com.example.x.v1", "io.latchway.lock.v1", "io.latchway.lock.opened.v0"]
)
def test_a_name_that_is_not_ours_has_no_parts(foreign: str) -> None:
    assert TypeName.parse(foreign) is None
    assert lookup(foreign) is None


@every_type
def test_a_type_has_owner_description_examples_and_history(definition: type[EventData]) -> None:
    major = name_of(definition).major

    assert definition.owner
    assert definition.examples
    assert (definition.__doc__ or "").strip().endswith(".")
    assert definition.schema_version.split(".")[0] == str(major)
    assert definition.history[-1].startswith(f"{definition.schema_version}: ")


@every_type
def test_every_field_is_described(definition: type[EventData]) -> None:
    assert all(field.description for field in definition.model_fields.values())


@every_type
def test_the_examples_are_valid_by_model_and_by_exported_schema(
    definition: type[EventData],
) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(definition))
    for example in definition.examples:
        validator.validate(example)
        read = definition.model_validate_json(json.dumps(example), strict=True)
        assert definition.model_validate_json(encode_data(read), strict=True) == read


@every_type
def test_every_payload_that_leaves_fits_the_exported_schema(definition: type[EventData]) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(definition))

    @given(payloads(definition))
    def every_payload(payload: EventData) -> None:
        validator.validate(json.loads(encode_data(payload)))

    every_payload()


@every_type
def test_unknown_fields_are_refused(definition: type[EventData]) -> None:
    assert definition.model_config == PAYLOAD
    with pytest.raises(ValidationError, match="pin_code"):
        definition.model_validate({**definition.examples[0], "pin_code": "1234"})


def test_what_is_cached_or_wished_for_confirms_no_state() -> None:
    for source in Source:
        if source.confirms:
            LockStateChanged(state=LockState.LOCKED, previous=LockState.UNKNOWN, source=source)
            continue
        with pytest.raises(ValidationError, match="confirms no state"):
            LockStateChanged(state=LockState.LOCKED, previous=LockState.UNKNOWN, source=source)
        with pytest.raises(ValidationError, match="confirms no state"):
            DoorStateChanged(state=DoorState.OPEN, previous=DoorState.UNKNOWN, source=source)


def test_fields_about_people_are_marked() -> None:
    marked = {
        f"{definition.__name__}.{name}"
        for definition in CATALOG
        for name, field in _fields(schema_of(definition))
        if field.get("x-personal")
    }

    assert marked == {
        "AccessGranted.actor.slot",
        "AccessGranted.actor.person",
        "AccessDenied.actor.slot",
        "AccessDenied.actor.person",
        "CredentialAdded.slot",
        "CredentialChanged.slot",
        "CredentialRemoved.slot",
    }


@given(st.sampled_from(Priority))
def test_only_telemetry_goes_the_bulk_way(priority: Priority) -> None:
    bulk = LaneClass.of(priority) is LaneClass.BULK
    assert bulk == (priority is Priority.TELEMETRY)


def _fields(schema: dict, prefix: str = "") -> list[tuple[str, dict]]:
    found = []
    for name, field in schema.get("properties", {}).items():
        found += [(prefix + name, field), *_fields(field, f"{prefix}{name}.")]
    return found
