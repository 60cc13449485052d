"""What can go wrong in the demo itself, for the person who runs it."""

from __future__ import annotations

from latchway.gateway.errors import OperatorError


class DemoFailed(OperatorError):
    """The demo could not be shown; the message says why and what to do."""


class NoBroker(DemoFailed):
    """No MQTT broker could be started on this machine."""
