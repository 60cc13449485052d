"""`python -m latchway.schemas.export`: writes the schemas' record and the documents of the catalog.

Run it in a checkout after changing the catalog. It writes nothing if the change would break a
recorded version, and says in words which field breaks and why. The only I/O of this package.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from latchway.schemas.catalog import CATALOG
from latchway.schemas.documents.asyncapi import asyncapi
from latchway.schemas.documents.page import events_page
from latchway.schemas.errors import SchemaRecordRefused
from latchway.schemas.jsonschema import Schema, catalog_index
from latchway.schemas.record import Subject, refusals, subjects

RECORD: Final = Path(__file__).parent / "json"
"""The record, inside the package, so that the wheel carries it."""

DOCUMENTS_VERSION: Final = "0.1.0"
"""The release that the documents describe; raised with the catalog, not with every release."""

_CATALOG_FILE: Final = "catalog.json"


def recorded(record: Path = RECORD) -> dict[str, dict[str, Schema]]:
    """Read the record: subject name, version, schema."""
    versions: dict[str, dict[str, Schema]] = {}
    for file in sorted(record.glob("*/*.json")):
        schema: Schema = json.loads(file.read_text(encoding="utf-8"))
        versions.setdefault(file.parent.name, {})[file.stem] = schema
    return versions


def record_files(now: Sequence[Subject]) -> Mapping[str, str]:
    """Build the record's current files, by path within it."""
    files = {f"{subject.name}/{subject.version}.json": _text(subject.schema) for subject in now}
    return {**files, _CATALOG_FILE: _text(catalog_index())}


def document_files() -> Mapping[str, str]:
    """Build the generated pages, by path within `docs/reference`."""
    return {"events.md": events_page(), "asyncapi.json": _text(asyncapi(DOCUMENTS_VERSION))}


def export(record: Path, documents: Path) -> tuple[Path, ...]:
    """Write what is not current; return what was written.

    Raises `SchemaRecordRefused` if the catalog breaks a recorded version.
    """
    now = subjects(CATALOG)
    problems = refusals(now, recorded(record))
    if problems:
        raise SchemaRecordRefused("\n".join(problems))
    wanted = {record / path: text for path, text in record_files(now).items()}
    wanted |= {documents / path: text for path, text in document_files().items()}
    stale = tuple(path for path, text in wanted.items() if _read(path) != text)
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    return stale


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if the change is refused."""
    parser = argparse.ArgumentParser(prog="latchway.schemas.export", description=__doc__)
    checkout = RECORD.parents[3]
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--documents", type=Path, default=checkout / "docs" / "reference")
    chosen = parser.parse_args(arguments)
    try:
        written = export(chosen.record, chosen.documents)
    except SchemaRecordRefused as error:
        sys.stderr.write(f"Refused, nothing was written:\n{error}\n")
        return 1
    for path in written:
        sys.stdout.write(f"wrote {path}\n")
    sys.stdout.write(f"{len(CATALOG)} event types are current\n")
    return 0


def _text(document: Schema) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
