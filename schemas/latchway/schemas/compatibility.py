"""Says in words what changed between two versions of a schema, and whether that breaks anybody.

Two parties must survive a change within a major version: consumers built on the old schema, which
ignore fields that they do not know and read an unknown word as `unknown`; and events stored under
the old schema, which the new one must still accept. Only additions please both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from latchway.schemas.jsonschema import Schema

_ANNOTATIONS: Final = frozenset(
    {"title", "description", "examples", "$schema", "$id", "deprecated"}
)
_LOWER: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems"})
_UPPER: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems"})
_NESTED: Final = frozenset({"properties", "required", "items", "prefixItems", "enum", "x-personal"})
_CONSUMERS: Final = "consumers built on the old schema may get what they cannot hold"
_STORED: Final = "events stored before may not fit any more"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: at which field, what and why, and whether it needs a new major version."""

    place: str
    words: str
    breaking: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.words}"


def changes(old: Schema, new: Schema) -> tuple[Change, ...]:
    """List what changed, but for descriptions, examples and notes."""
    return tuple(_compare("data", old, new))


def breaking_changes(old: Schema, new: Schema) -> tuple[str, ...]:
    """Say in words what may not change within a major version; empty if all is additive."""
    return tuple(str(change) for change in changes(old, new) if change.breaking)


def _compare(place: str, old: Schema, new: Schema) -> Iterator[Change]:
    if old.get("type") != new.get("type"):
        words = f"changed its type from {old.get('type')} to {new.get('type')}"
        yield Change(place, f"{words}: {_CONSUMERS}", breaking=True)
        return
    yield from _fields(place, old, new)
    yield from _words(place, old.get("enum"), new.get("enum"))
    yield from _mark(place, old, new)
    if "items" in old and "items" in new:
        yield from _compare(f"{place}[]", old["items"], new["items"])
    elif ("items" in old) != ("items" in new):
        yield Change(place, f"its items are described differently: {_STORED}", breaking=True)
    yield from _tuples(place, old.get("prefixItems", []), new.get("prefixItems", []))
    for keyword in sorted((old.keys() | new.keys()) - _ANNOTATIONS - _NESTED - {"type"}):
        if not keyword.startswith("x-") and old.get(keyword) != new.get(keyword):
            yield _limit(place, keyword, old.get(keyword), new.get(keyword))


def _fields(place: str, old: Schema, new: Schema) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in before:
        field = f"{place}.{name}"
        if name not in after:
            yield Change(field, "was removed: consumers that read it find nothing", breaking=True)
            continue
        if name in needed_before - needed_after:
            yield Change(field, "became optional: consumers rely on it", breaking=True)
        if name in needed_after - needed_before:
            yield Change(field, "became required: events stored before may lack it", breaking=True)
        yield from _compare(field, before[name], after[name])
    for name in after:
        if name in before:
            continue
        field = f"{place}.{name}"
        if name in needed_after:
            words = "was added as required: events stored before do not have it"
            yield Change(field, words, breaking=True)
        else:
            yield Change(field, "was added as optional", breaking=False)


def _words(place: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        if old is not new:
            which = "lost its" if new is None else "got a"
            yield Change(place, f"{which} closed list of words: {_CONSUMERS}", breaking=True)
        return
    for word in old:
        if word not in new:
            yield Change(place, f"no longer allows `{word}`: {_STORED}", breaking=True)
    for word in new:
        if word in old:
            continue
        if "unknown" in old:
            yield Change(
                place, f"allows `{word}`, which old consumers read as unknown", breaking=False
            )
        else:
            why = "old consumers do not know it and have no `unknown` to read it as"
            yield Change(place, f"allows `{word}`: {why}", breaking=True)


def _mark(place: str, old: Schema, new: Schema) -> Iterator[Change]:
    before, after = old.get("x-personal", False), new.get("x-personal", False)
    if before and not after:
        words = "lost its x-personal mark: routes that leave people out would begin to send it"
        yield Change(place, words, breaking=True)
    if after and not before:
        yield Change(place, "is now marked x-personal", breaking=False)


def _tuples(place: str, old: list[Schema], new: list[Schema]) -> Iterator[Change]:
    if len(old) != len(new):
        yield Change(
            place, f"has {len(new)} places instead of {len(old)}: {_STORED}", breaking=True
        )
        return
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        yield from _compare(f"{place}[{index}]", before, after)


def _limit(place: str, keyword: str, old: object, new: object) -> Change:
    words = f"changed {keyword} from {_value(old)} to {_value(new)}"
    if keyword == "default":
        why = "events without the field mean something else than before"
    elif keyword in _LOWER | _UPPER:
        why = _CONSUMERS if _wider(keyword, old, new) else _STORED
    else:
        why = f"{_CONSUMERS}, or {_STORED}"
    return Change(place, f"{words}: {why}", breaking=True)


def _wider(keyword: str, old: object, new: object) -> bool:
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return new is None
    return new > old if keyword in _UPPER else new < old


def _value(value: object) -> str:
    return "none" if value is None else f"`{value}`"
