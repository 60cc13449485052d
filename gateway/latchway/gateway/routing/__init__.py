"""Which events go where: patterns in EventBridge's language, and the table of routes. Pure."""

from __future__ import annotations

from latchway.gateway.routing.errors import PatternInvalid
from latchway.gateway.routing.pattern import Pattern, compile_pattern
from latchway.gateway.routing.table import Route, RouteTable

__all__ = ["Pattern", "PatternInvalid", "Route", "RouteTable", "compile_pattern"]
