"""Reads the state messages of locks: what happened, and what is so; never a code.

Only the keys named here are looked at. `users`, `last_used_pin_code`, `pin_code` and everything
unknown stays behind, whatever it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.drivers.errors import PayloadInvalid
from latchway.drivers.strict_json import parse_object
from latchway.drivers.zigbee2mqtt.fields import number_at, text_at, truth_at, wrong_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

MESSAGE_LIMIT = 64 * 1024
"""Bytes of one lock's message; a lock with 250 code slots stays below 20 kB."""
_NOBODY = 65535
_NOBODY_OF_8_BITS = 255
_SLOT_LIMIT = 32


@dataclass(frozen=True, slots=True)
class ActionReport:
    """What the lock says has just happened."""

    word: str | None
    """None: an event whose code the converters do not know."""
    source: int | None = None
    source_name: str | None = None
    user: str | None = None
    """The lock's own slot number; None for nobody."""
    only_source: bool = False
    """YMC's short frames: the word tells the source alone, neither lock nor unlock."""
    repeat: int = 1
    """How many times in a row the lock saw it."""


@dataclass(frozen=True, slots=True)
class LastUser:
    """Onesti's memory of who moved the bolt last, in one direction."""

    source: str
    user: str | None


@dataclass(frozen=True, slots=True)
class StateReport:
    """What a message says is so. None: absent or null, which both mean unknown."""

    state: str | None = None
    lock_state: str | None = None
    reverse: str | None = None
    door_state: str | None = None
    battery: float | None = None
    battery_low: bool | None = None
    voltage: int | None = None
    tamper: bool | None = None
    alarm: str | None = None
    inserted: str | None = None
    last_unlock: LastUser | None = None
    last_lock: LastUser | None = None

    @property
    def besides_bolt(self) -> tuple[object, ...]:
        """All that the message says of other things."""
        return (
            self.door_state,
            self.battery,
            self.battery_low,
            self.voltage,
            self.tamper,
            self.alarm,
            self.inserted,
            self.last_unlock,
            self.last_lock,
        )


@dataclass(frozen=True, slots=True)
class LockMessage:
    """One state message of a lock."""

    state: StateReport
    action: ActionReport | None = None
    echo: bool = False
    """The copy with an empty action that follows an event in old versions: it says nothing."""
    has_link_quality: bool = False
    """It was made of a frame from the lock, or of a cache that remembers one."""
    key_error: bool = False
    forgotten_key: str | None = None


def decode_lock_message(payload: bytes) -> LockMessage:
    """Return a lock's message.

    Raises `PayloadInvalid`. In a message with an action only the `action` keys must be right: the
    others are copies of the cache, and no reason to lose the event.
    """
    fields = parse_object(payload, maximum_bytes=MESSAGE_LIMIT)
    action = _action(fields)
    has_link_quality = number_at(fields, "linkquality", 0, 65535) is not None
    if action is not None:
        try:
            state = _state(fields)
        except PayloadInvalid:
            state = StateReport()
        return LockMessage(state, action, has_link_quality=has_link_quality)
    return LockMessage(
        _state(fields),
        echo=fields.get("action") == "",
        has_link_quality=has_link_quality,
        key_error=truth_at(fields, "keyerror") is True,
        forgotten_key=_slot(fields, "forgotten"),
    )


def _action(fields: Mapping[str, JsonValue]) -> ActionReport | None:
    # ZNMS11LM publishes its refusals under `action_action`.
    word = text_at(fields, "action") or text_at(fields, "action_action")
    source = number_at(fields, "action_source", 0, 255)
    if not word and (source is None or fields.get("action") == ""):
        return None
    user = _slot(fields, "action_user")
    only_source = "action_source_user" in fields and source is None
    if only_source:
        user = _slot(fields, "action_source_user")
        user = None if user == str(_NOBODY_OF_8_BITS) else user
    return ActionReport(
        word=word,
        source=None if source is None else int(source),
        source_name=text_at(fields, "action_source_name"),
        user=user,
        only_source=only_source,
        repeat=int(number_at(fields, "action_repeat", 0, 255) or 1),
    )


def _state(fields: Mapping[str, JsonValue]) -> StateReport:
    voltage = number_at(fields, "voltage", 0, 100_000)
    return StateReport(
        state=text_at(fields, "state"),
        lock_state=text_at(fields, "lock_state"),
        reverse=text_at(fields, "reverse"),
        door_state=text_at(fields, "door_state"),
        battery=number_at(fields, "battery", 0, 255),
        battery_low=truth_at(fields, "battery_low"),
        voltage=None if voltage is None else round(voltage),
        tamper=truth_at(fields, "tamper"),
        alarm=text_at(fields, "alarm"),
        inserted=_slot(fields, "inserted"),
        last_unlock=_last_user(fields, "last_unlock"),
        last_lock=_last_user(fields, "last_lock"),
    )


def _last_user(fields: Mapping[str, JsonValue], prefix: str) -> LastUser | None:
    source = text_at(fields, f"{prefix}_source")
    return None if source is None else LastUser(source, _slot(fields, f"{prefix}_user"))


def _slot(fields: Mapping[str, JsonValue], key: str) -> str | None:
    """Return a slot as text: numbers and texts are both seen, 65535 means nobody.

    No slot has a higher number (they have 16 bits): such a one may be a code, and is left behind.
    """
    value = fields.get(key)
    if value is None or value in (_NOBODY, str(_NOBODY), ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise wrong_type(key, value, "a number or text")
    slot = str(value)
    if len(slot) > _SLOT_LIMIT:
        raise PayloadInvalid("out_of_range", f"key '{key}' is longer than any slot's name")
    return None if slot.isdecimal() and int(slot) > _NOBODY else slot
