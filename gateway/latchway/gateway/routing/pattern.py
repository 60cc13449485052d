"""Event patterns compiled to a tree that is walked once per event. Pure.

A pattern has the event's shape. Every field it names must match; a leaf lists alternatives, one
of which must match. A field of the event that is a list matches if one of its elements does,
and the fields below it must then match within that same element. A field that holds an object,
an empty list or nothing is absent for a leaf.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from latchway.gateway.routing.errors import PatternInvalid
from latchway.gateway.routing.operators import OPERATORS, Exactly, Operator, Place, Scalar

_ABSENT: Final = object()
MAX_DEPTH: Final = 32
"""Deepest nesting of a pattern; no event of the catalog nests deeper than 4."""


class Matcher(Protocol):
    """A node of the compiled tree."""

    def matches(self, value: object) -> bool:
        """Whether the event's value at this place matches."""
        ...


@dataclass(frozen=True, slots=True)
class Leaf:
    """The alternatives for one field: plain values in one set, operators one by one."""

    exactly: Exactly | None
    operators: tuple[Operator, ...]
    accepts_absence: bool

    def matches(self, value: object) -> bool:
        """Match a scalar, or any scalar inside lists; everything else is absence."""
        if isinstance(value, str | int | float) or value is None:
            return self._accepts(value)
        if isinstance(value, list | tuple):
            scalars = _scalars(value)
            if scalars:
                return any(self._accepts(scalar) for scalar in scalars)
        return self.accepts_absence

    def _accepts(self, value: Scalar) -> bool:
        if self.exactly is not None and self.exactly.accepts(value):
            return True
        return any(alternative.accepts(value) for alternative in self.operators)


@dataclass(frozen=True, slots=True)
class Fields:
    """The named fields of one object, all of which must match."""

    fields: tuple[tuple[str, Matcher], ...]

    def matches(self, value: object) -> bool:
        """Match an object, or any object inside lists; a scalar has none of the fields."""
        if isinstance(value, Mapping):
            for name, matcher in self.fields:  # noqa: SIM110 - a generator costs twice the time
                if not matcher.matches(value.get(name, _ABSENT)):
                    return False
            return True
        if isinstance(value, list | tuple) and value:
            return any(self.matches(element) for element in value)
        return all(matcher.matches(_ABSENT) for _, matcher in self.fields)

    def without(self, name: str) -> Fields | None:
        """Return the same but for one field; None if nothing is left."""
        rest = tuple(field for field in self.fields if field[0] != name)
        return Fields(rest) if rest else None

    def field(self, name: str) -> Matcher | None:
        """Return what the named field must match; None if anything will do."""
        return dict(self.fields).get(name)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. Its `repr` is the same in each run: versions of routes are made of it."""

    text: str
    """The pattern as written, as canonical JSON."""
    root: Fields = field(repr=False)

    def matches(self, event: Mapping[str, object]) -> bool:
        """Whether the event matches: CloudEvents attributes at the top, payload in `data`."""
        return self.root.matches(event)


def compile_pattern(pattern: Mapping[str, object]) -> Pattern:
    """Compile a pattern as read from JSON or TOML. Raises `PatternInvalid`."""
    if not isinstance(pattern, Mapping):
        raise PatternInvalid(
            (), "a pattern is an object", 'write { type = ["io.latchway.lock.state_changed.v1"] }'
        )
    root = _compile_fields(pattern, ())
    return Pattern(json.dumps(pattern, sort_keys=True, separators=(",", ":")), root)


def _compile_fields(pattern: Mapping[str, object], place: Place) -> Fields:
    if not pattern:
        raise PatternInvalid(
            place, "an empty object matches nothing", "name a field, or leave the pattern out"
        )
    if len(place) >= MAX_DEPTH:
        raise PatternInvalid(place, f"nested deeper than {MAX_DEPTH} levels", "flatten it")
    compiled: list[tuple[str, Matcher]] = []
    for name, inner in pattern.items():
        there = (*place, name)
        if name == "$or":
            raise PatternInvalid(there, "$or is not known", "write one route for each alternative")
        if isinstance(inner, Mapping):
            compiled.append((name, _compile_fields(inner, there)))
        elif isinstance(inner, list | tuple):
            compiled.append((name, _compile_leaf(inner, there)))
        else:
            raise PatternInvalid(
                there, "alternatives stand in a list", f"write {name} = [{_written(inner)}]"
            )
    return Fields(tuple(sorted(compiled, key=_leaves_first)))


def _leaves_first(field: tuple[str, Matcher]) -> bool:
    """Sort cheap fields before nested ones: most events are told apart by the former."""
    return isinstance(field[1], Fields)


def _compile_leaf(alternatives: list[object] | tuple[object, ...], place: Place) -> Leaf:
    if not alternatives:
        raise PatternInvalid(
            place, "an empty list matches nothing", "list an alternative, or leave the field out"
        )
    plain: list[Scalar] = []
    operators: list[Operator] = []
    for index, alternative in enumerate(alternatives):
        if isinstance(alternative, Mapping):
            operators.append(_compile_operator(alternative, (*place, index)))
        elif alternative is None or isinstance(alternative, str | int | float):
            plain.append(alternative)
        else:
            raise PatternInvalid(
                (*place, index),
                "an alternative is a plain value or an operator",
                'write "text", a number, true, null or such as { prefix = "text" }',
            )
    return Leaf(
        exactly=Exactly.of(plain) if plain else None,
        operators=tuple(operators),
        accepts_absence=any(operator.accepts_absence for operator in operators),
    )


def _compile_operator(alternative: Mapping[object, object], place: Place) -> Operator:
    if len(alternative) != 1:
        raise PatternInvalid(
            place,
            f"an operator stands alone in its object, found {len(alternative)} keys",
            "put each into an object of its own",
        )
    [(name, argument)] = alternative.items()
    parse = OPERATORS.get(str(name))
    if parse is None:
        known = ", ".join(sorted(OPERATORS))
        raise PatternInvalid(place, f"operator {name!r} is not known", f"use one of {known}")
    return parse(argument, (*place, str(name)))


def _scalars(values: list[object] | tuple[object, ...]) -> list[Scalar]:
    """Return the scalars in a list and in the lists inside it."""
    found: list[Scalar] = []
    for value in values:
        if isinstance(value, list | tuple):
            found.extend(_scalars(value))
        elif value is None or isinstance(value, str | int | float):
            found.append(value)
    return found


def _written(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
