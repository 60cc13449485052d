"""What can go wrong between delivery and a sink as a whole; single refusals are answers."""

from __future__ import annotations

from latchway.gateway.errors import GatewayError


class SinkError(GatewayError):
    """Base of all errors of a sink."""


class SinkUnreachable(SinkError):
    """No connection could be made; delivery tries again after its back-off."""


class SinkDisconnected(SinkError):
    """The connection ended. `by_server` is True where the other side ended it on purpose.

    A server that ends one hub's connection ends those of all hubs, so delivery then waits a
    random while before it returns; after a mere loss of the link it returns at once.
    """

    def __init__(self, message: str, *, by_server: bool = False) -> None:
        super().__init__(message)
        self.by_server = by_server
