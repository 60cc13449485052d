"""Turns rows into events with their matches, for readers; lanes and routes are looked up once."""

from __future__ import annotations

import json
import sqlite3

from latchway.outbox import statements
from latchway.outbox.ledger import RouteKey
from latchway.outbox.model import LaneKey, Match, NewEvent
from latchway.outbox.rows import Row
from latchway.schemas import LaneClass, Priority


class EventDecoder:
    """Remembers rows of lanes and routes, which never change their meaning."""

    def __init__(self) -> None:
        self._lanes: dict[int, LaneKey] = {}
        self._routes: dict[int, RouteKey] = {}
        self._matches: dict[tuple[int, int], Match] = {}

    def lane(self, connection: sqlite3.Connection, lane_id: int) -> LaneKey:
        """The lane with that row id."""
        if lane_id not in self._lanes:
            for row in connection.execute(statements.ALL_LANES):
                self._lanes[row[0]] = LaneKey(row[1], row[2], LaneClass(row[3]))
        return self._lanes[lane_id]

    def event(self, connection: sqlite3.Connection, columns: Row) -> NewEvent:
        """The event whose columns run from `id` to `data`, in the order of the statements."""
        event_id, event_type, device, priority, dedupe, places, attributes, data = columns
        return NewEvent(
            id=event_id,
            type=event_type,
            device=device,
            priority=Priority(priority),
            attributes=json.loads(attributes),
            data=data,
            matches=tuple(
                self._match(connection, lane_id, route_id)
                for lane_id, _, route_id in (json.loads(places) if places else ())
            ),
            dedupe=bool(dedupe),
        )

    def match_at(
        self, connection: sqlite3.Connection, places: str, lane_id: int, position: int
    ) -> Match:
        """The match that gave the event that position of that lane."""
        route_id = next(
            route
            for lane, number, route in json.loads(places)
            if (lane, number) == (lane_id, position)
        )
        return self._match(connection, lane_id, route_id)

    def _match(self, connection: sqlite3.Connection, lane_id: int, route_id: int) -> Match:
        match = self._matches.get((lane_id, route_id))
        if match is None:
            if route_id not in self._routes:
                for number, *key in connection.execute(statements.ALL_ROUTES):
                    self._routes[number] = tuple(key)
            lane = self.lane(connection, lane_id)
            match = Match(lane.sink, lane.lane_class, *self._routes[route_id])
            self._matches[(lane_id, route_id)] = match
        return match
