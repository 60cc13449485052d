"""The operators that may stand in a pattern's leaf, one class each. Pure.

The language is Amazon EventBridge's (its user guide, "event patterns"; details as its published
matcher event-ruler 2.0 behaves). To add an operator: write its class, add it to `OPERATORS`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, TypeGuard

from latchway.gateway.routing.errors import PatternInvalid

Place: TypeAlias = tuple[str | int, ...]
Scalar: TypeAlias = str | int | float | bool | None


class Operator(Protocol):
    """One compiled alternative of a leaf."""

    @property
    def accepts_absence(self) -> bool:
        """Whether an event without the field matches."""
        ...

    def accepts(self, value: Scalar) -> bool:
        """Whether one value of the field matches."""
        ...


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell numbers from booleans, which Python counts among them and JSON does not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Exactly:
    """Plain values. Numbers are equal by value (`300` = `3.0e2`), never to a string or boolean."""

    strings: frozenset[str]
    numbers: frozenset[float]
    words: frozenset[bool | None]
    accepts_absence: bool = False

    @classmethod
    def of(cls, values: Sequence[Scalar]) -> Exactly:
        return cls(
            strings=frozenset(value for value in values if isinstance(value, str)),
            numbers=frozenset(value for value in values if is_number(value)),
            words=frozenset(value for value in values if value is None or isinstance(value, bool)),
        )

    def accepts(self, value: Scalar) -> bool:
        if isinstance(value, str):
            return value in self.strings
        if value is None or isinstance(value, bool):
            return value in self.words
        return value in self.numbers


@dataclass(frozen=True, slots=True)
class Prefix:
    """`{"prefix": "io.latchway.lock."}`: strings that begin so."""

    text: str
    accepts_absence: bool = False

    @classmethod
    def parse(cls, argument: object, place: Place) -> Prefix:
        if isinstance(argument, str):
            return cls(argument)
        raise PatternInvalid(place, "prefix takes a string", 'write { prefix = "text" }')

    def accepts(self, value: Scalar) -> bool:
        return isinstance(value, str) and value.startswith(self.text)


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """`{"anything-but": ...}`: a value that is there, and none of these."""

    values: Exactly
    prefixes: tuple[str, ...] = ()
    accepts_absence: bool = False

    @classmethod
    def parse(cls, argument: object, place: Place) -> AnythingBut:
        if isinstance(argument, Mapping):
            return cls(Exactly.of(()), _anything_but_prefixes(argument, place))
        values = list(argument) if isinstance(argument, list | tuple) else [argument]
        strings = [value for value in values if isinstance(value, str)]
        numbers = [value for value in values if is_number(value)]
        if values and len(values) in (len(strings), len(numbers)):
            return cls(Exactly.of(strings or numbers))
        raise PatternInvalid(
            place,
            "anything-but takes strings or numbers, not both at once and nothing else",
            'write { anything-but = ["one", "two"] } or { anything-but = 3 }',
        )

    def accepts(self, value: Scalar) -> bool:
        if self.prefixes and isinstance(value, str):
            return not value.startswith(self.prefixes)
        return not self.values.accepts(value)


def _anything_but_prefixes(argument: Mapping[object, object], place: Place) -> tuple[str, ...]:
    if set(argument) != {"prefix"}:
        found = ", ".join(str(key) for key in argument) or "nothing"
        raise PatternInvalid(
            place,
            f"anything-but does not know {found}",
            'write a value, a list, or { anything-but = { prefix = "text" } }',
        )
    given = argument["prefix"]
    prefixes = list(given) if isinstance(given, list | tuple) else [given]
    texts = tuple(prefix for prefix in prefixes if isinstance(prefix, str) and prefix)
    if not texts or len(texts) != len(prefixes):
        raise PatternInvalid(
            place,
            "the prefix of anything-but takes strings that are not empty",
            'write { anything-but = { prefix = "text" } } or a list of such strings',
        )
    return texts


@dataclass(frozen=True, slots=True)
class Exists:
    """`{"exists": true}`: the field holds a value; `{"exists": false}`: it does not."""

    accepts_absence: bool

    @classmethod
    def parse(cls, argument: object, place: Place) -> Exists:
        if isinstance(argument, bool):
            return cls(accepts_absence=not argument)
        raise PatternInvalid(place, "exists takes true or false", "write { exists = true }")

    def accepts(self, value: Scalar) -> bool:  # noqa: ARG002 - any value exists
        return not self.accepts_absence


_LOWER: Final = {">": operator.gt, ">=": operator.ge}
_UPPER: Final = {"<": operator.lt, "<=": operator.le}
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": operator.eq,
    **_LOWER,
    **_UPPER,
}


@dataclass(frozen=True, slots=True)
class Numeric:
    """`{"numeric": [">", 0, "<=", 5]}`: numbers that stand so to these bounds."""

    comparisons: tuple[tuple[Callable[[float, float], bool], float], ...]
    accepts_absence: bool = False

    @classmethod
    def parse(cls, argument: object, place: Place) -> Numeric:
        terms = list(argument) if isinstance(argument, list | tuple) else []
        if len(terms) not in (2, 4):
            raise _numeric_invalid(place, "numeric takes one comparison, or a range of two")
        names, bounds = terms[0::2], terms[1::2]
        for name in names:
            if not isinstance(name, str) or name not in _COMPARISONS:
                raise _numeric_invalid(place, f"numeric does not know the comparison {name!r}")
        for name, bound in zip(names, bounds, strict=True):
            if not is_number(bound) or not math.isfinite(bound):
                raise _numeric_invalid(place, f"numeric compares {name} with {bound!r}, no number")
        if len(names) == 2:
            _check_range(names, bounds, place)
        pairs = zip(names, bounds, strict=True)
        return cls(tuple((_COMPARISONS[name], bound) for name, bound in pairs))

    def accepts(self, value: Scalar) -> bool:
        return is_number(value) and all(stands(value, bound) for stands, bound in self.comparisons)


def _check_range(names: list[str], bounds: list[float], place: Place) -> None:
    if names[0] not in _LOWER or names[1] not in _UPPER:
        raise _numeric_invalid(place, "a numeric range begins with its lower bound")
    if bounds[0] >= bounds[1]:
        raise _numeric_invalid(place, "the lower bound of a numeric range is not below the upper")


def _numeric_invalid(place: Place, problem: str) -> PatternInvalid:
    return PatternInvalid(
        place, problem, 'write { numeric = ["<", 5] } or { numeric = [">", 0, "<=", 5] }'
    )


OPERATORS: Final[Mapping[str, Callable[[object, Place], Operator]]] = {
    "prefix": Prefix.parse,
    "anything-but": AnythingBut.parse,
    "exists": Exists.parse,
    "numeric": Numeric.parse,
}
"""Every operator by the name it has in a pattern."""
