"""The table of routes: immutable, versioned, swapped as a whole when the config changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from latchway.gateway.routing.pattern import Fields, Pattern
from latchway.outbox.model import Match
from latchway.schemas import LaneClass, Priority

_KNOWN_TYPES_LIMIT: Final = 1024
"""Types remembered at most. The catalog is far smaller: this bounds a caller's mistake."""

_Candidate: TypeAlias = tuple[Fields | None, Mapping[LaneClass, Match]]


@dataclass(frozen=True, slots=True)
class Route:
    """Events that match `pattern` (None: all of them) go to `sink`."""

    name: str
    sink: str
    pattern: Pattern | None = None
    schema_pin: str | None = None
    projection: str | None = None


class RouteTable:
    """All routes, in the order of the config.

    What a route asks of `type` is decided once per event type and remembered; the rest of its
    pattern is walked per event.
    """

    def __init__(self, routes: Sequence[Route], version: int) -> None:
        self.routes = tuple(routes)
        self.version = version
        self.needs_data = any(
            route.pattern is not None and route.pattern.root.field("data") is not None
            for route in self.routes
        )
        """False where no route looks into `data`; callers may then leave it out."""
        self._matches = {route.name: self._match_per_class(route) for route in self.routes}
        self._by_type: dict[str, tuple[_Candidate, ...]] = {}

    def match(
        self, attributes: Mapping[str, str], data: Mapping[str, object], priority: Priority
    ) -> tuple[Match, ...]:
        """Return where the event goes: for each sink, by the first route that matches."""
        lane_class = LaneClass.of(priority)
        event: Mapping[str, object] | None = None
        found: dict[str, Match] = {}
        for fields, matches in self._candidates(attributes["type"]):
            match = matches[lane_class]
            if match.sink in found:
                continue
            if fields is not None:
                event = event or {**attributes, "data": data}
                if not fields.matches(event):
                    continue
            found[match.sink] = match
        return tuple(found.values())

    def _candidates(self, event_type: str) -> tuple[_Candidate, ...]:
        known = self._by_type.get(event_type)
        if known is None:
            known = tuple(self._select(event_type))
            if len(self._by_type) < _KNOWN_TYPES_LIMIT:
                self._by_type[event_type] = known
        return known

    def _select(self, event_type: str) -> list[_Candidate]:
        selected: list[_Candidate] = []
        for route in self.routes:
            if route.pattern is None:
                selected.append((None, self._matches[route.name]))
                continue
            wanted = route.pattern.root.field("type")
            if wanted is None or wanted.matches(event_type):
                selected.append((route.pattern.root.without("type"), self._matches[route.name]))
        return selected

    def _match_per_class(self, route: Route) -> Mapping[LaneClass, Match]:
        return {
            lane_class: Match(
                sink=route.sink,
                lane_class=lane_class,
                route=route.name,
                route_version=self.version,
                schema_pin=route.schema_pin,
                projection=route.projection,
            )
            for lane_class in LaneClass
        }
