"""Finds the definition of an event type by its name, or by family, fact and major version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from latchway.schemas.catalog import CATALOG, EventData

_TYPE_NAME: Final = re.compile(r"io\.latchway\.([a-z_]+)\.([a-z_]+)\.v([1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class TypeName:
    """The parts of a CloudEvents `type`: `io.latchway.<family>.<fact>.v<major>`."""

    family: str
    fact: str
    major: int

    @classmethod
    def parse(cls, event_type: str) -> TypeName | None:
        """Split a type name; None if it is not one of ours."""
        found = _TYPE_NAME.fullmatch(event_type)
        return cls(found[1], found[2], int(found[3])) if found else None

    def __str__(self) -> str:
        return f"io.latchway.{self.family}.{self.fact}.v{self.major}"


EVENT_TYPES: Final[Mapping[str, type[EventData]]] = MappingProxyType(
    {definition.event_type: definition for definition in CATALOG}
)
"""Every event type by its CloudEvents `type`, in the order of the catalog."""


def lookup(event_type: str) -> type[EventData] | None:
    """Find the definition of a CloudEvents `type`; None if the catalog does not hold it."""
    return EVENT_TYPES.get(event_type)


def find(family: str, fact: str, major: int = 1) -> type[EventData] | None:
    """Find a definition by the parts of its name; None if the catalog does not hold it."""
    return EVENT_TYPES.get(str(TypeName(family, fact, major)))


def name_of(definition: type[EventData]) -> TypeName:
    """Split the name of a catalog type."""
    name = TypeName.parse(definition.event_type)
    if name is None:
        raise ValueError(
            f"{definition.__name__}.event_type is {definition.event_type!r}; "
            "it must read io.latchway.<family>.<fact>.v<major>"
        )
    return name


def families() -> Mapping[str, tuple[type[EventData], ...]]:
    """Group the catalog by family, in its own order."""
    grouped: dict[str, tuple[type[EventData], ...]] = {}
    for definition in CATALOG:
        family = name_of(definition).family
        grouped[family] = (*grouped.get(family, ()), definition)
    return grouped


def dataschema(definition: type[EventData]) -> str:
    """Name type and full version as the absolute URI that `dataschema` and `$id` carry."""
    return f"urn:latchway:schema:{definition.event_type}:{definition.schema_version}"
