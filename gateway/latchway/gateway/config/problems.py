"""What is wrong with a config, in words for the person who wrote it: place, cause, fix.

Turns pydantic's errors into `Problem`s. The value found is never repeated: it may be a password.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

from latchway.gateway.errors import OperatorError

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from latchway.gateway.config.places import KeyPath

_FIXES = {
    "string_type": 'write text in quotes: key = "text"',
    "int_type": "write a whole number without quotes",
    "int_from_float": "write a whole number without a fraction",
    "float_type": "write a number without quotes",
    "bool_type": "write true or false, without quotes",
    "model_type": "write a table: [section] or { key = value }",
    "model_attributes_type": "write a table: [section] or { key = value }",
    "dict_type": "write a table: [section] or { key = value }",
    "list_type": "write a list: [value, value]",
    "tuple_type": "write a list: [value, value]",
    "path_type": 'write a path in quotes: key = "/path/to/file"',
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at a key path, before it has a line."""

    path: KeyPath
    problem: str
    fix: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right in a config file. Line and column count from 1; 0: no place."""

    source: str
    line: int
    column: int
    key: str
    problem: str
    fix: str
    nearest: str | None = None
    """The valid key or name that was probably meant."""

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}:{self.column}" if self.line else self.source
        subject = f"{self.key}: " if self.key else ""
        return f"{place}: {subject}{self.problem}; {self.fix}"


class ConfigInvalid(OperatorError):
    """The config cannot be used. `problems` lists all that was found, in order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def dotted(path: KeyPath) -> str:
    """Write a key path as people do: `routes[1].sink`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def nearest_of(word: str, words: Iterable[str]) -> str | None:
    """Return the one of `words` that was probably meant, if any comes close."""
    matches = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown_key(path: KeyPath, valid: Iterable[str]) -> Finding:
    """Say that a key does not exist, and which one was probably meant."""
    names = sorted(valid)
    nearest = nearest_of(str(path[-1]), names)
    known = ", ".join(names) or "none"
    fix = f"did you mean `{nearest}`?" if nearest else f"remove it; valid keys here: {known}"
    return Finding(path, "unknown key", fix, nearest)


def findings_of(
    error: ValidationError, model: type[BaseModel], base: KeyPath, data: object
) -> list[Finding]:
    """Translate all errors of one section that was validated against `model`."""
    return [_finding(details, model, base, data) for details in error.errors(include_url=False)]


def _finding(details: ErrorDetails, model: type[BaseModel], base: KeyPath, data: object) -> Finding:
    path = _path_in_document(details["loc"], data)
    kind = details["type"]
    if kind == "extra_forbidden":
        owner = _model_at(model, path[:-1])
        return unknown_key((*base, *path), owner.model_fields if owner else ())
    if kind == "missing":
        name = str(details["loc"][-1])
        return Finding((*base, *path, name), "required key is missing", f"add `{name} = ...`")
    problem = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return Finding((*base, *path), _lower_first(problem), _fix(kind, details))


def _fix(kind: str, details: ErrorDetails) -> str:
    if kind in _FIXES:
        return _FIXES[kind]
    expected = details.get("ctx", {}).get("expected")
    if expected:
        return f"use one of: {expected}"
    return "correct the value"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _path_in_document(loc: tuple[str | int, ...], data: object) -> KeyPath:
    """Drop what pydantic adds to a location (union tags, missing keys) by walking the document."""
    path: list[str | int] = []
    for part in loc:
        in_table = isinstance(data, Mapping) and part in data
        if in_table or (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            data = data[part]  # type: ignore[index]  # one of the two holds
        else:
            continue
        path.append(part)
    return tuple(path)


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part) if current else None
        current = _model_in(field.annotation) if field else None
    return current


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _model_in(argument)
        if found:
            return found
    return None
