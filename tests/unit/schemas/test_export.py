"""The checked-in record and documents are current, and refuse what would break somebody."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest

from latchway.schemas import AccessGranted, BatteryCritical, DeviceClockSet, EventData, Priority
from latchway.schemas.catalog import CATALOG
from latchway.schemas.export import (
    RECORD,
    document_files,
    export,
    main,
    record_files,
    recorded,
)
from latchway.schemas.record import refusals, subjects

DOCUMENTS = Path(__file__).resolve().parents[3] / "docs" / "reference"
REFRESH = "run `python -m latchway.schemas.export` and commit what it writes"


class Seen(EventData):
    """Something was seen."""

    event_type: ClassVar[str] = "io.latchway.test.seen.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "tests"
    examples: ClassVar[tuple[dict[str, object], ...]] = ({"what": "x"},)

    what: str


class SeenWithMore(Seen):
    """Something was seen."""

    schema_version: ClassVar[str] = "1.1"
    history: ClassVar[tuple[str, ...]] = ("1.0: first version", "1.1: `where` was added")

    where: str | None = None


def record_of(*definitions: type[EventData]) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = {}
    for subject in subjects(definitions):
        kept.setdefault(subject.name, {})[subject.version] = json.loads(json.dumps(subject.schema))
    return kept


def changed(base: type[EventData], **members: object) -> type[EventData]:
    return type(
        base.__name__, (base,), {"__doc__": base.__doc__, "__module__": __name__, **members}
    )


def test_the_record_is_current_and_the_catalog_keeps_to_it() -> None:
    now = subjects(CATALOG)

    assert refusals(now, recorded()) == ()
    stale = [
        path
        for path, text in record_files(now).items()
        if not (RECORD / path).exists() or (RECORD / path).read_text(encoding="utf-8") != text
    ]
    assert not stale, REFRESH


@pytest.mark.parametrize("name", sorted(document_files()))
def test_the_generated_documents_are_current(name: str) -> None:
    assert (DOCUMENTS / name).read_text(encoding="utf-8") == document_files()[name], REFRESH


def test_every_recorded_schema_is_a_valid_schema_named_by_its_place() -> None:
    for name, versions in recorded().items():
        for version, schema in versions.items():
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["$id"] == f"urn:latchway:schema:{name}:{version}"
            assert schema["description"]
            assert schema["examples"]
            assert schema["x-owner"]
            assert schema["x-history"]


def test_the_schemas_lie_inside_the_package() -> None:
    catalog = json.loads(files("latchway.schemas").joinpath("json/catalog.json").read_text("utf-8"))

    assert [entry["type"] for entry in catalog["events"]] == [each.event_type for each in CATALOG]
    for entry in [*catalog["events"], catalog["envelope"]]:
        assert files("latchway.schemas").joinpath("json", *entry["schema"].split("/")).is_file()


def test_a_first_version_and_an_addition_with_a_new_minor_version_may_be_written() -> None:
    assert refusals(subjects([Seen]), {}) == ()
    assert refusals(subjects([SeenWithMore]), record_of(Seen)) == ()


def test_an_addition_without_a_new_minor_version_is_refused() -> None:
    sneaky = changed(SeenWithMore, schema_version="1.0", history=("1.0: first version",))

    (words,) = refusals(subjects([sneaky]), record_of(Seen))

    assert words == (
        "io.latchway.test.seen.v1 1.0: data.where: was added as optional. A recorded version never "
        "changes: raise the minor version and add a line to the history."
    )


def test_a_breaking_change_is_refused_whatever_the_minor_version_says() -> None:
    with_more = record_of(SeenWithMore)
    without = changed(
        Seen, schema_version="1.2", history=("1.0: x", "1.1: y", "1.2: `where` is gone")
    )

    (words,) = refusals(subjects([without]), with_more)

    assert words == (
        "io.latchway.test.seen.v1 1.2: data.where: was removed: consumers that read it find "
        "nothing. Make it a new major version."
    )


def test_a_version_never_goes_back_and_has_its_line_of_history() -> None:
    (back,) = refusals(subjects([Seen]), record_of(SeenWithMore))
    (line,) = refusals(subjects([changed(Seen, schema_version="1.1")]), record_of(Seen))

    assert "version 1.1 is recorded already" in back
    assert "history must begin with `1.1: `" in line


def test_a_type_may_not_vanish_unless_nobody_ever_emitted_it() -> None:
    assert refusals(subjects([]), record_of(DeviceClockSet)) == ()
    (words,) = refusals(subjects([]), record_of(AccessGranted))

    assert "gone from the catalog" in words


def test_an_experimental_type_may_still_change() -> None:
    assert DeviceClockSet.experimental
    record = record_of(DeviceClockSet)
    record[DeviceClockSet.event_type]["1.0"]["properties"] = {"gone": {"type": "string"}}

    assert refusals(subjects([DeviceClockSet]), record) == ()


def test_the_command_writes_what_is_missing_and_then_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--record", str(tmp_path / "json"), "--documents", str(tmp_path / "docs")]

    assert main(arguments) == 0
    assert (tmp_path / "docs" / "events.md").exists()
    assert recorded(tmp_path / "json") == recorded()
    capsys.readouterr()
    assert main(arguments) == 0
    assert "wrote" not in capsys.readouterr().out


def test_the_command_refuses_a_break_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "json"
    shutil.copytree(RECORD, record)
    file = record / BatteryCritical.event_type / "1.0.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    schema["properties"]["voltage_mv"] = {"type": "integer"}
    file.write_text(json.dumps(schema), encoding="utf-8")

    assert main(["--record", str(record), "--documents", str(tmp_path / "docs")]) == 1
    assert "data.voltage_mv: was removed" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()
    assert export(RECORD, DOCUMENTS) == ()


def test_the_page_names_every_type_and_marks_what_is_personal() -> None:
    page = document_files()["events.md"]

    assert all(f"### {definition.event_type}" in page for definition in CATALOG)
    assert (
        "| `actor.slot` | string, at least 1 characters, at most 64 characters | *personal* |"
        in page
    )


def test_the_asyncapi_document_has_a_channel_and_valid_examples_for_every_type() -> None:
    document = json.loads(document_files()["asyncapi.json"])
    attributes = jsonschema.Draft202012Validator(
        document["components"]["schemas"]["attributes"]["schema"]
    )

    assert document["asyncapi"] == "3.0.0"
    assert len(document["channels"]) == len(document["operations"]) == len(CATALOG)
    for key, channel in document["channels"].items():
        message = document["components"]["messages"][key]
        assert channel["messages"][key] == {"$ref": f"#/components/messages/{key}"}
        payload = jsonschema.Draft202012Validator(message["payload"]["schema"])
        for example in message["examples"]:
            payload.validate(example["payload"])
            attributes.validate(example["headers"])
