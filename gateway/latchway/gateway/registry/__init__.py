"""Hub identity, epoch and devices: what must outlive the outbox. Design section 8."""

from __future__ import annotations

from latchway.gateway.registry.store import Device, HubIdentity, Registry

__all__ = ["Device", "HubIdentity", "Registry"]
