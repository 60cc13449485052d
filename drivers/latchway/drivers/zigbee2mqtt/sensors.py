"""Door, battery, tamper and key: what is not the bolt, compared with what is stored. Pure.

Messages repeat all of these for ever, so that only a change is news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from latchway.drivers.zigbee2mqtt import words
from latchway.drivers.zigbee2mqtt.attributes import (
    ALARM,
    BATTERY,
    BATTERY_CRITICAL,
    DOOR_FAULT,
    DOOR_STATE,
    INSERTED_KEY,
    TAMPER,
)
from latchway.drivers.zigbee2mqtt.fields import word_without_numbers
from latchway.schemas import (
    AccessDenied,
    AccessGranted,
    Actor,
    BatteryCritical,
    BatteryReported,
    CredentialChanged,
    CredentialKind,
    DeviceFaulted,
    DoorStateChanged,
    TamperDetected,
)
from latchway.schemas.vocabulary import (
    AccessMethod,
    AccessOperation,
    DenialReason,
    DoorState,
    Source,
    TamperKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from latchway.drivers.zigbee2mqtt.attributes import Attributes, Moment
    from latchway.drivers.zigbee2mqtt.lock_messages import LockMessage, StateReport
    from latchway.schemas import EventData

CRITICAL_PERCENT = 10
_FULL = 100
_FOREIGN_KEY = "strange"
_UNKNOWN_KEY = "unknown"


def door_events(
    report: StateReport, before: StateReport | None, attributes: Attributes, moment: Moment
) -> Iterator[EventData]:
    """Return what is new of the door; `before` is the last message, None if there was none."""
    word = report.door_state
    if word is None:
        if before is not None and before.door_state is not None:
            attributes.drop(DOOR_FAULT)
            yield from set_door(DoorState.UNKNOWN, attributes, moment)
        return
    if before is not None and word == before.door_state:
        attributes.refresh(DOOR_STATE, moment)
        return
    fault = word_without_numbers(word)[:64]
    if fault != attributes.value(DOOR_FAULT):
        if word == words.DOOR_FORCED:
            yield TamperDetected(kind=TamperKind.FORCED)
        if word in words.DOOR_FAULTS:
            yield DeviceFaulted(fault=words.DOOR_FAULTS[word])
    if word.startswith("error_"):
        attributes.put(DOOR_FAULT, fault, moment, Source.REPORTED)
    else:
        attributes.drop(DOOR_FAULT)
    yield from set_door(words.DOOR_STATES.get(word, DoorState.UNKNOWN), attributes, moment)


def set_door(
    state: DoorState, attributes: Attributes, moment: Moment
) -> Iterator[DoorStateChanged]:
    """Store a door state that the sensor reported; return the change, if it is one."""
    stored = attributes.value(DOOR_STATE)
    previous = DoorState(stored) if stored in set(DoorState) else DoorState.UNKNOWN
    attributes.put(DOOR_STATE, state, moment, Source.REPORTED)
    if state is not previous:
        yield DoorStateChanged(state=state, previous=previous, source=Source.REPORTED)


def battery_events(
    report: StateReport, attributes: Attributes, moment: Moment
) -> Iterator[EventData]:
    """Return what is new of the battery; figures above 100 are halved and marked."""
    percent, suspect = battery_percent(report.battery)
    if percent is not None:
        if percent == attributes.value(BATTERY):
            attributes.refresh(BATTERY, moment)
        else:
            attributes.put(BATTERY, percent, moment, Source.REPORTED)
            yield BatteryReported(percent=percent, voltage_mv=report.voltage, scale_suspect=suspect)
    if percent is None and report.battery_low is None:
        return
    critical = report.battery_low is True or (percent is not None and percent <= CRITICAL_PERCENT)
    if critical != (attributes.value(BATTERY_CRITICAL) or False):
        attributes.put(BATTERY_CRITICAL, critical, moment, Source.REPORTED)
        if critical:
            yield BatteryCritical(percent=percent)


def battery_percent(figure: float | None) -> tuple[float | None, bool]:
    """Return the charge in per cent, and whether the figure was halved to get it."""
    if figure is None or figure <= _FULL:
        return figure, False
    halved = figure / 2
    return (halved, True) if halved <= _FULL else (None, False)


def alarm_events(
    report: StateReport, attributes: Attributes, moment: Moment
) -> Iterator[EventData]:
    """Return what is new of `tamper` and `alarm`; the latter never clears."""
    alarm = None if report.alarm is None else word_without_numbers(report.alarm)[:64]
    alarm_is_new = alarm is not None and alarm != attributes.value(ALARM)
    tampered_now = report.tamper is True and attributes.value(TAMPER) is not True
    remember_tamper(report, attributes, moment)
    if alarm_is_new:
        attributes.put(ALARM, alarm, moment, Source.REPORTED)
    if not (alarm_is_new or tampered_now):
        return
    if alarm in words.TAMPER_ALARMS:
        yield TamperDetected(kind=words.TAMPER_ALARMS[alarm])
    elif alarm == words.RESET_ALARM:
        yield DeviceFaulted(fault="the lock was reset to factory defaults")
    elif alarm == words.MASTER_CODE_ALARM:
        yield CredentialChanged(credential_kind=CredentialKind.CODE)
    elif tampered_now and alarm not in words.BATTERY_ALARMS:
        yield TamperDetected(kind=TamperKind.UNKNOWN, raw=alarm)


def remember_tamper(report: StateReport, attributes: Attributes, moment: Moment) -> None:
    """Store `tamper` without a word, so that its next change is seen."""
    if report.tamper is not None and report.tamper is not attributes.value(TAMPER):
        attributes.put(TAMPER, report.tamper, moment, Source.REPORTED)


def key_events(message: LockMessage, attributes: Attributes, moment: Moment) -> Iterator[EventData]:
    """Return what happened to the keys of a Xiaomi A6121."""
    if message.forgotten_key is not None:
        yield DeviceFaulted(fault=f"key {message.forgotten_key} was left in the lock")
    key = message.state.inserted
    if key is None or not (message.key_error or key != attributes.value(INSERTED_KEY)):
        return
    attributes.put(INSERTED_KEY, key, moment, Source.REPORTED)
    if key == _FOREIGN_KEY:
        yield TamperDetected(kind=TamperKind.FOREIGN_OBJECT)
        return
    actor = None if key == _UNKNOWN_KEY else Actor(credential_kind=CredentialKind.KEY, slot=key)
    if message.key_error or key == _UNKNOWN_KEY:
        yield AccessDenied(
            operation=AccessOperation.UNKNOWN,
            method=AccessMethod.KEY,
            reason=DenialReason.UNKNOWN if actor else DenialReason.WRONG_CREDENTIAL,
            actor=actor,
        )
    else:
        yield AccessGranted(operation=AccessOperation.UNKNOWN, method=AccessMethod.KEY, actor=actor)
