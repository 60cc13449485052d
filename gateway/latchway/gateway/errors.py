"""The gateway's error tree. Each class says who can act: the operator, the caller, or nobody.

Every message names the thing, the cause and the next step.
"""

from __future__ import annotations


class GatewayError(Exception):
    """Base of all errors that the gateway raises on purpose."""


class OperatorError(GatewayError):
    """The operator can put it right; the message says how. Ends the process with exit code 1."""


class OutboxUnusable(OperatorError):
    """outbox.db cannot be opened at all: another gateway, a newer version, or a bad disk."""


class RegistryUnusable(OperatorError):
    """registry.db cannot be used, nor its copies, or it cannot be written."""


class WorkerFault(GatewayError):
    """A worker broke the contract: it is killed, counted and restarted; nobody else notices."""


class GatewayStopping(GatewayError):
    """What was asked for cannot be done any more, because the gateway is ending."""
