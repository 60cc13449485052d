"""Turns what a lock says has happened into the catalog's events. Pure.

The action says what, the source with what, the user's slot who. Whatever maps to nothing becomes
an access event of unknown operation that keeps the source's own word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.drivers.zigbee2mqtt import words
from latchway.drivers.zigbee2mqtt.fields import word_without_numbers
from latchway.drivers.zigbee2mqtt.words import Meaning, Sort
from latchway.schemas import (
    AccessDenied,
    AccessGranted,
    Actor,
    CredentialAdded,
    CredentialChanged,
    CredentialRemoved,
    EventData,
)
from latchway.schemas.vocabulary import AccessMethod, AccessOperation, DenialReason

if TYPE_CHECKING:
    from latchway.drivers.zigbee2mqtt.families import Family
    from latchway.drivers.zigbee2mqtt.lock_messages import ActionReport

_OPENED_BY = re.compile(r"(finger|password|card)_open(?:_(admin|user))?(?:_id(\d{1,9}))?")
_CREDENTIAL_EVENTS = {
    Sort.ADDED: CredentialAdded,
    Sort.CHANGED: CredentialChanged,
    Sort.REMOVED: CredentialRemoved,
}


@dataclass(frozen=True, slots=True)
class ActionFact:
    """What an action means: at most one event, and what else follows from it."""

    event: EventData | None = None
    operation: AccessOperation = AccessOperation.UNKNOWN
    jammed: bool = False
    brings_state: bool = False
    """The message's bolt state is of the same frame, not of the cache."""
    door_closed: bool = False
    wrong_credential: bool = False
    known: bool = True
    """False for a word that stands in no table: it is to be counted."""


def read_action(action: ActionReport, family: Family) -> ActionFact:
    """Say what an action means on a lock of that family."""
    if action.only_source:
        return _short_frame(action)
    if family.bare_lock_is_invented and action.word == "lock" and action.source is None:
        return ActionFact()
    word, opened_slot = action.word, None
    if word is not None and (match := _OPENED_BY.fullmatch(word)):
        meaning = Meaning(Sort.GRANTED, AccessOperation.UNLOCK, words.OPENED_WITH[match[1]])
        opened_slot = match[3]
    elif word is not None and word.startswith(words.IGNORED_PREFIX):
        meaning = Meaning(Sort.NOTHING)
    else:
        meaning = words.ACTIONS.get(word or "unknown", words.UNKNOWN_EVENT)
    user = action.user or opened_slot
    return _fact(meaning, action, family, user)


def method_of(meaning: Meaning, action: ActionReport, family: Family) -> AccessMethod:
    """Say with what it was done: the action's own word first, then its source."""
    method = meaning.method
    if method is AccessMethod.KNOB and family.manual_is_physical:
        return AccessMethod.PHYSICAL
    if method is not None:
        return method
    if action.source_name is not None:
        return words.SOURCE_NAMES.get(action.source_name, AccessMethod.UNKNOWN)
    if action.source is not None:
        return words.SOURCES.get(action.source, AccessMethod.UNKNOWN)
    if family.bare_action_is_remote and action.word in ("lock", "unlock"):
        return AccessMethod.REMOTE
    return AccessMethod.UNKNOWN


def actor_of(method: AccessMethod, user: str | None) -> Actor | None:
    """Return who it was: only keypad, card and finger use a slot, and 0 is a real one there."""
    kind = words.CREDENTIALS.get(method)
    return None if kind is None or user is None else Actor(credential_kind=kind, slot=user)


def _fact(meaning: Meaning, action: ActionReport, family: Family, user: str | None) -> ActionFact:
    method = method_of(meaning, action, family)
    operation = meaning.operation
    if family.unlock_may_be_lock and method in words.CREDENTIALS:
        operation = AccessOperation.UNKNOWN
    actor = actor_of(method, user) if meaning.names_user else None
    raw = None if meaning.known else word_without_numbers(action.word or "")
    brings_state = family.action_brings_state and action.word in words.STATE_BRINGING
    match meaning.sort:
        case Sort.GRANTED:
            granted = AccessGranted(operation=operation, method=method, actor=actor, raw=raw)
            return ActionFact(granted, operation, brings_state=brings_state, known=meaning.known)
        case Sort.DENIED:
            denied = AccessDenied(
                operation=operation, method=method, reason=meaning.reason, actor=actor
            )
            wrong = meaning.reason is DenialReason.WRONG_CREDENTIAL
            return ActionFact(denied, wrong_credential=wrong)
        case Sort.JAMMED:
            return ActionFact(jammed=True)
        case Sort.BOLT:
            closed = action.word == words.DOOR_CLOSED_ACTION
            return ActionFact(brings_state=brings_state, door_closed=closed)
        case Sort.NOTHING:
            return ActionFact()
        case sort:
            event = _CREDENTIAL_EVENTS[sort](credential_kind=meaning.kind, slot=user, method=method)
            return ActionFact(event)


def _short_frame(action: ActionReport) -> ActionFact:
    """Read YMC's short frames: the word is the source alone.

    A keypad event without a user is what a wrong code looks like: nobody was let in for certain.
    """
    method = words.SHORT_FRAME_METHODS.get(action.word or "", AccessMethod.UNKNOWN)
    actor = actor_of(method, action.user)
    known = action.word in words.ACTIONS
    if method in words.CREDENTIALS and actor is None:
        return ActionFact(
            AccessDenied(
                operation=AccessOperation.UNKNOWN, method=method, reason=DenialReason.UNKNOWN
            )
        )
    raw = None if known else word_without_numbers(action.word or "")
    return ActionFact(
        AccessGranted(operation=AccessOperation.UNKNOWN, method=method, actor=actor, raw=raw),
        known=known,
    )
