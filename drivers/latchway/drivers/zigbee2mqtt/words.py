"""Zigbee2MQTT's words and what they mean: actions, sources, bolt and door states, alarms.

Tables only; `actions.py` reads them. A word that stands in no table is an unknown event.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from latchway.schemas.vocabulary import (
    AccessMethod,
    AccessOperation,
    CredentialKind,
    DenialReason,
    DoorState,
    LockState,
    TamperKind,
)

LOCK, UNLOCK = AccessOperation.LOCK, AccessOperation.UNLOCK
_UNSURE = AccessOperation.UNKNOWN


class Sort(Enum):
    """What sort of fact an action is."""

    GRANTED = auto()
    DENIED = auto()
    ADDED = auto()
    CHANGED = auto()
    REMOVED = auto()
    JAMMED = auto()
    BOLT = auto()
    """Only the state that comes along with it is news."""
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an action's word means; a method of None is taken from the source."""

    sort: Sort
    operation: AccessOperation = _UNSURE
    method: AccessMethod | None = None
    reason: DenialReason = DenialReason.UNKNOWN
    kind: CredentialKind = CredentialKind.UNKNOWN
    names_user: bool = True
    """False where the user of the message is not who did it."""
    known: bool = True


def _granted(
    operation: AccessOperation, method: AccessMethod | None = None, *, names_user: bool = True
) -> Meaning:
    return Meaning(Sort.GRANTED, operation, method, names_user=names_user)


def _denied(
    operation: AccessOperation, reason: DenialReason, method: AccessMethod | None = None
) -> Meaning:
    return Meaning(Sort.DENIED, operation, method, reason)


UNKNOWN_EVENT = Meaning(Sort.GRANTED, _UNSURE, known=False)

ACTIONS: dict[str, Meaning] = {
    "lock": _granted(LOCK),
    "unlock": _granted(UNLOCK),
    "manual_lock": _granted(LOCK, AccessMethod.KNOB),
    "manual_unlock": _granted(UNLOCK, AccessMethod.KNOB),
    "key_lock": _granted(LOCK, AccessMethod.KEY, names_user=False),
    "key_unlock": _granted(UNLOCK, AccessMethod.KEY, names_user=False),
    "one_touch_lock": _granted(LOCK, AccessMethod.KEYPAD, names_user=False),
    "auto_lock": _granted(LOCK, AccessMethod.AUTO_LOCK, names_user=False),
    "schedule_lock": _granted(LOCK, AccessMethod.AUTOMATION, names_user=False),
    "schedule_unlock": _granted(UNLOCK, AccessMethod.AUTOMATION, names_user=False),
    "unlock_failure_invalid_pin_or_id": _denied(UNLOCK, DenialReason.WRONG_CREDENTIAL),
    "lock_failure_invalid_pin_or_id": _denied(LOCK, DenialReason.WRONG_CREDENTIAL),
    "unlock_failure_invalid_schedule": _denied(UNLOCK, DenialReason.OUTSIDE_SCHEDULE),
    "lock_failure_invalid_schedule": _denied(LOCK, DenialReason.OUTSIDE_SCHEDULE),
    "non_access_user_operational_event": _denied(_UNSURE, DenialReason.USER_NOT_ALLOWED),
    "unknown": _granted(_UNSURE),
    "pin_code_added": Meaning(Sort.ADDED, kind=CredentialKind.CODE),
    "rfid_code_added": Meaning(Sort.ADDED, kind=CredentialKind.CARD),
    "pin_code_changed": Meaning(Sort.CHANGED, kind=CredentialKind.CODE),
    "master_code_changed": Meaning(Sort.CHANGED, kind=CredentialKind.CODE),
    "pin_code_deleted": Meaning(Sort.REMOVED, kind=CredentialKind.CODE),
    "rfid_code_deleted": Meaning(Sort.REMOVED, kind=CredentialKind.CARD),
    "keypad_unlock": _granted(UNLOCK, AccessMethod.KEYPAD),
    "keypad_lock": _granted(LOCK, AccessMethod.KEYPAD),
    "password_unlock": _granted(UNLOCK, AccessMethod.KEYPAD),
    "rfid_unlock": _granted(UNLOCK, AccessMethod.CARD),
    "rfid_lock": _granted(LOCK, AccessMethod.CARD),
    "fingerprint_unlock": _granted(UNLOCK, AccessMethod.FINGERPRINT),
    "fingerprint_lock": _granted(LOCK, AccessMethod.FINGERPRINT),
    "zigbee_unlock": _granted(UNLOCK, AccessMethod.REMOTE),
    "zigbee_lock": _granted(LOCK, AccessMethod.REMOTE),
    "lock_module": _granted(LOCK, AccessMethod.REMOTE),
    "unlock_module": _granted(UNLOCK, AccessMethod.REMOTE),
    "manual_lock_touch": _granted(LOCK, AccessMethod.KNOB),
    "manual_lock_key_or_thumbturn": _granted(LOCK, AccessMethod.PHYSICAL),
    "manual_unlock_key_or_thumbturn": _granted(UNLOCK, AccessMethod.PHYSICAL),
    "error_jammed": Meaning(Sort.JAMMED),
    "finger_not_match": _denied(UNLOCK, DenialReason.WRONG_CREDENTIAL, AccessMethod.FINGERPRINT),
    "password_not_match": _denied(UNLOCK, DenialReason.WRONG_CREDENTIAL, AccessMethod.KEYPAD),
    "finger_add": Meaning(Sort.ADDED, kind=CredentialKind.FINGERPRINT),
    "finger_delete": Meaning(Sort.REMOVED, kind=CredentialKind.FINGERPRINT),
    "password_add": Meaning(Sort.ADDED, kind=CredentialKind.CODE),
    "password_delete": Meaning(Sort.REMOVED, kind=CredentialKind.CODE),
    "lock_opened_inside": _granted(UNLOCK, AccessMethod.KNOB),
    "lock_opened_outside": _granted(UNLOCK, AccessMethod.UNKNOWN),
    "lock_opened": _granted(UNLOCK, AccessMethod.UNKNOWN),
    "locked": Meaning(Sort.BOLT),
    "reverse_lock": Meaning(Sort.BOLT),
    "reverse_lock_cancel": Meaning(Sort.BOLT),
    "door_closed": Meaning(Sort.BOLT),
    "ring_bell": Meaning(Sort.NOTHING),
}

DOOR_CLOSED_ACTION = "door_closed"
STATE_BRINGING = frozenset(
    {
        "locked",
        "reverse_lock",
        "reverse_lock_cancel",
        "lock_opened",
        "lock_opened_inside",
        "lock_opened_outside",
        DOOR_CLOSED_ACTION,
    }
)
"""Aqara's status frames: action and bolt state are of one frame, and come only together."""
IGNORED_PREFIX = "change_language_to"
OPENED_WITH = {
    "finger": AccessMethod.FINGERPRINT,
    "password": AccessMethod.KEYPAD,
    "card": AccessMethod.CARD,
}
"""First word of Aqara's `finger_open_admin_id5` and its like."""

SHORT_FRAME_METHODS = {
    "password_unlock": AccessMethod.KEYPAD,
    "unlock": AccessMethod.REMOTE,
    "auto_lock": AccessMethod.PHYSICAL,
    "rfid_unlock": AccessMethod.CARD,
    "fingerprint_unlock": AccessMethod.FINGERPRINT,
}
"""YMC: the word is the name of the source, whatever the bolt did."""

SOURCES = {
    0: AccessMethod.KEYPAD,
    1: AccessMethod.REMOTE,
    2: AccessMethod.PHYSICAL,
    3: AccessMethod.CARD,
    4: AccessMethod.FINGERPRINT,
}
SOURCE_NAMES = {
    "keypad": AccessMethod.KEYPAD,
    "rf": AccessMethod.REMOTE,
    "manual": AccessMethod.PHYSICAL,
    "rfid": AccessMethod.CARD,
    "fingerprint": AccessMethod.FINGERPRINT,
    "rfid_card_unlock": AccessMethod.CARD,
    "touch_unlock": AccessMethod.FINGERPRINT,
}
LAST_USER_SOURCES = {
    "zigbee": AccessMethod.REMOTE,
    "keypad": AccessMethod.KEYPAD,
    "fingerprintsensor": AccessMethod.FINGERPRINT,
    "rfid": AccessMethod.CARD,
}
"""Onesti's; `self` is auto-lock or inside button, `unknown` is unknown."""

CREDENTIALS = {
    AccessMethod.KEYPAD: CredentialKind.CODE,
    AccessMethod.CARD: CredentialKind.CARD,
    AccessMethod.FINGERPRINT: CredentialKind.FINGERPRINT,
}
"""Methods that use a credential slot."""

BOLT_STATES = {
    "locked": LockState.LOCKED,
    "unlocked": LockState.UNLOCKED,
    "not_fully_locked": LockState.NOT_FULLY_LOCKED,
}
DOOR_STATES = {
    "open": DoorState.OPEN,
    "closed": DoorState.CLOSED,
    "error_forced_open": DoorState.OPEN,
}
DOOR_FORCED = "error_forced_open"
DOOR_FAULTS = {"error_jammed": "door sensor reports a jam"}

TAMPER_ALARMS = {
    "tamper_alarm_keypad_attempts": TamperKind.WRONG_CODE_LOCKOUT,
    "tamper_alarm_front_escutcheon": TamperKind.COVER,
}
BATTERY_ALARMS = frozenset(
    {"tamper_alarm_low_battery", "tamper_alarm_critical_battery", "low_battery"}
)
OTHER_ALARMS = frozenset(
    {
        "battery_replaced",
        "deadbolt_jammed",
        "duplicate_pin_code_error",
        "handing_cycle_completed_left",
        "handing_cycle_completed_right",
        "rf_module_power_cycled",
    }
)
RESET_ALARM = "lock_reset_to_factory_defaults"
MASTER_CODE_ALARM = "master_code_changed"
