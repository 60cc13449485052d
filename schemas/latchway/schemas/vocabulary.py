"""The closed word lists that events are made of: states, methods, priorities, clocks.

Used by the catalog, by drivers and by the gateway. An enum value that a source sends and we do
not know becomes the list's `unknown` (where it has one) and is counted, never an error.
"""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    """How much an event matters when space or bandwidth runs short, highest first."""

    CRITICAL = "critical"
    ACCESS = "access"
    STATE = "state"
    TELEMETRY = "telemetry"


class LaneClass(StrEnum):
    """The two classes of lanes: `bulk` carries telemetry, `main` everything else."""

    MAIN = "main"
    BULK = "bulk"

    @classmethod
    def of(cls, priority: Priority) -> LaneClass:
        return cls.BULK if priority is Priority.TELEMETRY else cls.MAIN


class ClockQuality(StrEnum):
    """Who vouches for an event's `time`: the hub's clock, synchronised or not, or the lock's."""

    SYNCED = "synced"
    UNSYNCED = "unsynced"
    LOCK = "lock"


class LockState(StrEnum):
    """Where the bolt is, as the lock itself says."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    LOCKING = "locking"
    UNLOCKING = "unlocking"
    UNLATCHING = "unlatching"
    UNLATCHED = "unlatched"
    NOT_FULLY_LOCKED = "not_fully_locked"
    JAMMED = "jammed"
    IN_SETUP = "in_setup"
    UNKNOWN = "unknown"


class DoorState(StrEnum):
    """Where the door leaf is, as the lock's door sensor says."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where an attribute's value comes from. Only `reported` and `read` confirm a state."""

    REPORTED = "reported"
    READ = "read"
    CACHED = "cached"
    WISH = "wish"

    @property
    def confirms(self) -> bool:
        return self in (Source.REPORTED, Source.READ)


class AccessMethod(StrEnum):
    """With what the bolt was moved, or was tried to be moved."""

    KEY = "key"
    KNOB = "knob"
    BUTTON = "button"
    KEYPAD = "keypad"
    FINGERPRINT = "fingerprint"
    CARD = "card"
    FOB = "fob"
    PHONE = "phone"
    REMOTE = "remote"
    AUTOMATION = "automation"
    AUTO_LOCK = "auto_lock"
    PHYSICAL = "physical"
    """By hand at the lock; the source does not tell key, knob, button or finger apart."""
    UNKNOWN = "unknown"


class AccessOperation(StrEnum):
    """What the person or the automation did, or tried to do, to the bolt."""

    LOCK = "lock"
    UNLOCK = "unlock"
    UNLATCH = "unlatch"
    UNKNOWN = "unknown"


class DenialReason(StrEnum):
    """Why the lock let nobody in."""

    WRONG_CREDENTIAL = "wrong_credential"
    OUTSIDE_SCHEDULE = "outside_schedule"
    USER_NOT_ALLOWED = "user_not_allowed"
    UNKNOWN = "unknown"


class CredentialKind(StrEnum):
    """What a credential slot holds. Slot numbers are the lock's own, per kind."""

    CODE = "code"
    CARD = "card"
    FINGERPRINT = "fingerprint"
    KEY = "key"
    PHONE = "phone"
    UNKNOWN = "unknown"


class TamperKind(StrEnum):
    """What kind of tampering the lock, or the driver from what it saw, reports."""

    FORCED = "forced"
    AJAR = "ajar"
    COVER = "cover"
    WRONG_CODE_LOCKOUT = "wrong_code_lockout"
    FOREIGN_OBJECT = "foreign_object"
    DURESS = "duress"
    UNKNOWN = "unknown"


class CoverageReason(StrEnum):
    """Why events of a device may be missing for a span of time."""

    WORKER_DOWN = "worker_down"
    BROKER_DOWN = "broker_down"
    BRIDGE_DOWN = "bridge_down"
    SESSION_LOST = "session_lost"
    UNREACHABLE = "unreachable"


class VoidReason(StrEnum):
    """Why positions of a lane will never arrive."""

    EXPIRED = "expired"
    PARKED = "parked"
    DROPPED = "dropped"
    COMPACTED = "compacted"
    WITHDRAWN = "withdrawn"
