"""What can go wrong with the local API: its socket (the operator acts) or a single request."""

from __future__ import annotations

from latchway.gateway.errors import GatewayError, OperatorError


class SocketInUse(OperatorError):
    """Another process answers on the API's socket; the message names the path."""


class SocketUnusable(OperatorError):
    """The API's socket cannot be made; the message names the path and the cause."""


class RequestRefused(GatewayError):
    """A request that cannot be answered; becomes the JSON object `{code, message, fix}`."""

    def __init__(self, status: int, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fix = fix
