"""Errors of delivery that are not those of a sink."""

from __future__ import annotations

from latchway.gateway.errors import GatewayError


class BacklogUnreadable(GatewayError):
    """A lane could not be read from disk: the outbox has to be reopened, delivery built anew."""
