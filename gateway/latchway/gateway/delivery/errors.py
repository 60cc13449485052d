"""Errors of delivery that are not those of a sink."""

from __future__ import annotations

from latchway.gateway.errors import GatewayError


class BacklogUnreadable(GatewayError):  # noqa: N818 - says what is the matter
    """A lane could not be read from disk: the outbox has to be reopened, delivery built anew."""
