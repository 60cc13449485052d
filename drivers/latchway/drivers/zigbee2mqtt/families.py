"""Families of locks whose messages mean something else than the standard ones.

Each flag states one difference, with its reason; a model without a family is standard. Facts from
Zigbee2MQTT's own converters and from its users' reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class BoltKey(Enum):
    """Which key of a message tells where the bolt is."""

    LOCK_STATE = auto()
    STATE = auto()
    """Aqara's read-only locks: `state` and `reverse`."""
    NONE = auto()
    """Nothing that the lock itself said: JAVIS invents `LOCK` from a timer, others say nothing."""


@dataclass(frozen=True, slots=True)
class Family:
    """In what the messages of a group of models differ from the standard."""

    name: str
    bolt_key: BoltKey = BoltKey.LOCK_STATE
    bare_action_is_remote: bool = False
    """`lock` and `unlock` without a source are commands by radio."""
    bare_lock_is_invented: bool = False
    """`lock` without a source comes from a timer of the converter, not from the lock."""
    manual_is_physical: bool = False
    """`manual` also stands for key, finger or inside button."""
    tells_last_user: bool = False
    """Who did it comes later, in `last_unlock_*` and `last_lock_*`."""
    unlock_may_be_lock: bool = False
    """A lock by keypad or card is decoded as an unlock: only the bolt tells."""
    action_brings_state: bool = False
    """The action's frame holds the state as well, and no other message will bring it."""
    state_rides_on_action: bool = False
    """The new state comes in the action's message and in no other: ask for it afterwards."""
    passes_through_not_fully_locked: bool = False
    """Reports `not_fully_locked` on its way when it unlocks."""
    needs_converters: tuple[int, ...] = ()
    """Oldest version of the converters whose lock state can be believed."""
    is_lock_without_expose: bool = False
    """A lock although it has no expose of type `lock`."""


STANDARD = Family("standard")
_ONESTI = Family(
    "onesti", bare_action_is_remote=True, manual_is_physical=True, tells_last_user=True
)
_EASYACCESS = Family(
    "easyaccess", bare_action_is_remote=True, manual_is_physical=True, unlock_may_be_lock=True
)
_YALE_ALARM = Family("yale-alarm", bare_action_is_remote=True, state_rides_on_action=True)
_CONTROL4 = Family("control4", state_rides_on_action=True)
_YALE_YMF = Family("yale-ymf", manual_is_physical=True)
_YALE_YDD = Family("yale-ydd", passes_through_not_fully_locked=True)
_AQARA = Family(
    "aqara", bolt_key=BoltKey.STATE, action_brings_state=True, is_lock_without_expose=True
)
_XIAOMI_KEY = Family("xiaomi-key", bolt_key=BoltKey.NONE, is_lock_without_expose=True)
_JAVIS = Family(
    "javis", bolt_key=BoltKey.NONE, bare_lock_is_invented=True, is_lock_without_expose=True
)
_EASYIOT = Family("easyiot", bolt_key=BoltKey.NONE, is_lock_without_expose=True)
_WYZE = Family("wyze", needs_converters=(26, 105, 0))

_BY_MODEL = {
    "easyCodeTouch_v1": _ONESTI,
    "EasyCode903G2.1": _EASYACCESS,
    "YAYRD256HA2619": _YALE_ALARM,
    "ZYA-C4-MOD-S": _CONTROL4,
    "YMF40/YDM4109+/YDF40": _YALE_YMF,
    "YMF40A RL": _YALE_YMF,
    "YDD-D4F0-TSDB": _YALE_YDD,
    "ZNMS11LM": _AQARA,
    "ZNMS12LM": _AQARA,
    "ZNMS13LM": _AQARA,
    "A6121": _XIAOMI_KEY,
    "JS-SLK2-ZB": _JAVIS,
    "ZB-ZL01": _EASYIOT,
    "WLCKG1": _WYZE,
}


TELLING_KEYS = frozenset({"last_unlock_source"})
"""Exposed payload keys from which a family is told where the model is unknown."""


def family_of(model: str | None, exposed: frozenset[str] = frozenset()) -> Family:
    """Return the family of a model; `exposed` are the payload keys that it exposes."""
    family = _BY_MODEL.get(model or "", STANDARD)
    if family is STANDARD and not TELLING_KEYS.isdisjoint(exposed):
        return _ONESTI
    return family


def believes_lock_state(family: Family, converters: tuple[int, ...] | None) -> bool:
    """Tell whether this version of the converters reports the bolt of this family truthfully."""
    if not family.needs_converters:
        return True
    return converters is not None and converters >= family.needs_converters
