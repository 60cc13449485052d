"""Event ids: the same log entry always gets the same id, everything else a fresh one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from latchway.schemas.draft import DeviceId, LogKey

_LOG_NAMESPACE: Final = uuid.UUID("6a1d9e0c-52c5-5bd0-9a0e-3f7c0a4be6d1")
"""Never change it: consumers and the outbox recognise repeated log entries by these ids."""

RANDOM_BYTES: Final = 10
"""How many random bytes `new_event_id` takes."""

_UNIX_MS_LIMIT: Final = 1 << 48


def log_event_id(hub: str, vendor: str, device: DeviceId | str, key: LogKey) -> str:
    """Derive the id of an event read from a lock's log: UUIDv5 over its place.

    None of the parts can hold a `/`, so that two places never share a name.
    """
    name = f"{hub}/{vendor}/{device}/{key.epoch}/{key.index}/{key.part}"
    return str(uuid.uuid5(_LOG_NAMESPACE, name))


def new_event_id(now_ms: int, random_bytes: bytes) -> str:
    """Build a UUIDv7 (RFC 9562) from the wall time in ms since 1970 and 10 random bytes."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"a UUIDv7 takes {RANDOM_BYTES} random bytes, got {len(random_bytes)}")
    if not 0 <= now_ms < _UNIX_MS_LIMIT:
        raise ValueError(f"now_ms must fit 48 bits, got {now_ms}")
    chance = int.from_bytes(random_bytes, "big")
    high = chance >> 62 & 0xFFF
    low = chance & 0x3FFFFFFFFFFFFFFF
    digits = f"{now_ms << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
