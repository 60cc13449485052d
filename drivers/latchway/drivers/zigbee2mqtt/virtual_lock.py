"""A lock that is not there, and the few models that the simulator can play. Pure.

It does to a command what real locks do, the unpleasant things included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

_LOCK_EXPOSE: JsonValue = {
    "type": "lock",
    "features": [
        {
            "type": "binary",
            "name": "state",
            "property": "state",
            "access": 7,
            "value_on": "LOCK",
            "value_off": "UNLOCK",
        },
        {
            "type": "enum",
            "name": "lock_state",
            "property": "lock_state",
            "access": 1,
            "values": ["not_fully_locked", "locked", "unlocked"],
        },
    ],
}


class Behaviour(StrEnum):
    """What the lock does to a command or a question."""

    OBEYS = "obeys"
    REFUSES = "refuses"
    SILENT = "silent"
    """It hears nothing; the bridge logs an error after its timeout."""
    NEVER_REPORTS = "never_reports"
    """It obeys, and says nothing unless asked."""
    JAMS = "jams"


@dataclass(frozen=True, slots=True)
class Model:
    """What the device list says about a model, as far as it matters."""

    model: str
    vendor: str
    description: str
    exposes: tuple[JsonValue, ...] = ()
    sends_events: bool = True
    clusters: tuple[str, ...] = ("genBasic", "genPowerCfg", "closuresDoorLock")


def _enum(name: str) -> JsonValue:
    return {"type": "enum", "name": name, "property": name, "access": 1, "values": []}


def _numeric(name: str) -> JsonValue:
    return {"type": "numeric", "name": name, "property": name, "access": 1}


_EVENTS = (_enum("action"), _enum("action_source_name"), _numeric("action_user"))
KEYPAD_DEADBOLT = Model(
    "BE468", "Schlage", "Connect smart deadbolt", (_LOCK_EXPOSE, _numeric("battery"), *_EVENTS)
)
SLEEPY_DEADBOLT = Model(
    "YRD256HA20BP",
    "Yale",
    "Assure lock SL",
    (_LOCK_EXPOSE, _numeric("battery"), *_EVENTS),
    clusters=("genBasic", "genPowerCfg", "genPollCtrl", "closuresDoorLock"),
)
DOOR_LOCK = Model(
    "0402946",
    "Datek",
    "Zigbee module for ID lock",
    (_LOCK_EXPOSE, _numeric("battery"), _enum("door_state"), *_EVENTS),
)


@dataclass(slots=True)
class VirtualLock:
    """One lock: what is true of it. The bridge's cache is the bridge's."""

    ieee_address: str
    name: str
    model: Model = KEYPAD_DEADBOLT
    firmware: str = "1.0.0"
    lock_state: str = "locked"
    door_state: str | None = None
    battery: float = 90
    codes: dict[int, str] = field(default_factory=dict)
    behaviour: Behaviour = Behaviour.OBEYS
    received: list[str] = field(default_factory=list)
    """Commands that reached it, in order: the judge of what a driver sent."""

    def move(self, command: str) -> bool:
        """Take a command; tell whether the lock reports what became of it."""
        if self.behaviour is Behaviour.SILENT:
            return False
        self.received.append(command)
        if self.behaviour is Behaviour.REFUSES:
            return False
        self.lock_state = "locked" if command == "LOCK" else "unlocked"
        if self.behaviour is Behaviour.JAMS:
            self.lock_state = "not_fully_locked"
        return self.behaviour is not Behaviour.NEVER_REPORTS

    def reading(self) -> dict[str, JsonValue]:
        """Return what a read of its bolt gives."""
        return {"lock_state": self.lock_state, "state": state_word(self.lock_state)}

    def listing(self) -> dict[str, JsonValue]:
        """Return its entry in the device list."""
        model = self.model
        reporting: JsonValue = {
            "cluster": "closuresDoorLock",
            "attribute": "lockState",
            "minimum_report_interval": 0,
            "maximum_report_interval": 3600,
        }
        return {
            "ieee_address": self.ieee_address,
            "friendly_name": self.name,
            "type": "EndDevice",
            "network_address": int(self.ieee_address[-4:], 16),
            "supported": True,
            "disabled": False,
            "power_source": "Battery",
            "model_id": model.model,
            "manufacturer": model.vendor,
            "software_build_id": self.firmware,
            "interview_state": "SUCCESSFUL",
            "interviewing": False,
            "interview_completed": True,
            "definition": {
                "model": model.model,
                "vendor": model.vendor,
                "description": model.description,
                "source": "native",
                "exposes": [*model.exposes, _numeric("linkquality")],
            },
            "endpoints": {
                "1": {
                    "clusters": {"input": [*model.clusters], "output": []},
                    "bindings": [],
                    "configured_reportings": [reporting],
                }
            },
        }


def state_word(lock_state: str) -> str:
    """Return Zigbee2MQTT's `state`, which calls everything but locked UNLOCK."""
    return "LOCK" if lock_state == "locked" else "UNLOCK"
