"""Judges the catalog against its checked-in record: what may be written, and what must be refused.

Pure: `export` reads and writes the files. The record holds every version ever published, one JSON
Schema each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from latchway.schemas.catalog import EventData
from latchway.schemas.compatibility import breaking_changes, changes
from latchway.schemas.envelope import ENVELOPE_VERSION
from latchway.schemas.jsonschema import (
    ENVELOPE_HISTORY,
    Schema,
    envelope_schema,
    schema_of,
)

ENVELOPE: Final = "envelope"
"""The name under which the record keeps the envelope."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the record keeps the versions of: one event type, or the envelope."""

    name: str
    version: str
    history: tuple[str, ...]
    schema: Schema
    may_change: bool = False


def subjects(catalog: Iterable[type[EventData]]) -> tuple[Subject, ...]:
    """List everything that the record keeps, as the code has it now."""
    envelope = Subject(ENVELOPE, ENVELOPE_VERSION, ENVELOPE_HISTORY, envelope_schema())
    types = (
        Subject(
            definition.event_type,
            definition.schema_version,
            definition.history,
            schema_of(definition),
            may_change=definition.experimental,
        )
        for definition in catalog
    )
    return (envelope, *types)


def refusals(
    now: Iterable[Subject], recorded: Mapping[str, Mapping[str, Schema]]
) -> tuple[str, ...]:
    """Say in words why the code may not replace the record; empty if it may.

    `recorded` maps a subject's name to its schemas by version.
    """
    known = {subject.name: subject for subject in now}
    found = [words for name in known for words in _judge(known[name], recorded.get(name, {}))]
    for name, versions in recorded.items():
        if name not in known and not all(s.get("x-experimental") for s in versions.values()):
            found.append(
                f"{name}: is recorded but gone from the catalog; consumers still expect it"
            )
    return tuple(found)


def _judge(subject: Subject, recorded: Mapping[str, Schema]) -> Iterable[str]:
    title = f"{subject.name} {subject.version}"
    if not subject.history[-1].startswith(f"{subject.version}: "):
        yield f"{title}: the last line of its history must begin with `{subject.version}: `"
    if subject.may_change and all(s.get("x-experimental") for s in recorded.values()):
        return
    latest = max(recorded, key=_order, default=None)
    if latest is None:
        return
    if _order(latest) > _order(subject.version):
        yield f"{title}: version {latest} is recorded already; a version never goes back"
        return
    for words in breaking_changes(recorded[latest], subject.schema):
        yield f"{title}: {words}. Make it a new major version."
    if latest == subject.version:
        for change in changes(recorded[latest], subject.schema):
            if not change.breaking:
                yield (
                    f"{title}: {change}. A recorded version never changes: raise the minor version "
                    "and add a line to the history."
                )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
