"""Reads `bridge/devices`: which devices there are, and which of them are locks of what kind.

One device that cannot be read is left out and named; it does not hide the others. Groups are no
devices and never come here.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from latchway.drivers.errors import PayloadInvalid
from latchway.drivers.strict_json import parse
from latchway.drivers.zigbee2mqtt.families import TELLING_KEYS, family_of
from latchway.drivers.zigbee2mqtt.fields import kind_of, text_at, truth_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import JsonValue

LIST_LIMIT = 8 * 1024 * 1024
"""Bytes of a device list: about 5 kB per device."""
_READABLE = 4
_SHORT = 64
_LOCK_CLUSTER = "closuresDoorLock"
_CHECK_IN_CLUSTER = "genPollCtrl"
_NAME = re.compile(r"[^+#\x00-\x1f\x7f]{1,256}")
_IEEE_ADDRESS = re.compile(r"0x[0-9a-f]{16}")


class Interview(StrEnum):
    """How far Zigbee2MQTT got in finding out what a device is."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCESSFUL = "SUCCESSFUL"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class LockProfile:
    """What the device list says about one lock."""

    ieee_address: str
    name: str
    model: str | None = None
    manufacturer: str | None = None
    firmware: str | None = None
    interview: Interview = Interview.SUCCESSFUL
    exposed: frozenset[str] = frozenset()
    """Keys of its state messages that it exposes, as far as they tell its family."""
    readable: bool = False
    """Its bolt state can be asked."""
    report_interval_s: int | None = None
    """It reports its bolt at least this often, by its own configuration."""
    late_commands: bool = False
    """A LOCK that failed may still run when the lock checks in."""
    disabled: bool = False
    users_code: bool = False
    """Its definition is a user's own: anything may come."""

    def to_json(self) -> dict[str, JsonValue]:
        """Return the profile as JSON, to be known again before the bridge lists it again."""
        return {**asdict(self), "exposed": sorted(self.exposed)}

    @classmethod
    def from_json(cls, value: JsonValue) -> LockProfile | None:
        """Return what `to_json` made, None for what an older version left behind."""
        try:
            return _PROFILE.validate_python(value)
        except ValidationError:
            return None


@dataclass(frozen=True, slots=True)
class DeviceList:
    """One publication of `bridge/devices`."""

    locks: tuple[LockProfile, ...]
    others: Mapping[str, str]
    """Address and name of devices that are no locks, or not known to be."""
    unreadable: tuple[str, ...] = ()
    """Why some entries were left out."""

    @property
    def empty(self) -> bool:
        """True if there is no device but the coordinator."""
        return not (self.locks or self.others or self.unreadable)

    def __contains__(self, ieee_address: str) -> bool:
        """Tell whether a device is in the list, lock or not."""
        return ieee_address in self.others or any(
            lock.ieee_address == ieee_address for lock in self.locks
        )


_PROFILE = TypeAdapter(LockProfile)


def decode_devices(payload: bytes) -> DeviceList:
    """Return the devices of a `bridge/devices` payload; raises `PayloadInvalid`."""
    value = parse(payload, maximum_bytes=LIST_LIMIT)
    if not isinstance(value, list):
        raise PayloadInvalid("not_a_list", f"the device list is {kind_of(value)}")
    locks: list[LockProfile] = []
    others: dict[str, str] = {}
    unreadable: list[str] = []
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            unreadable.append(f"entry {number} is {kind_of(entry)}")
            continue
        if entry.get("type") == "Coordinator":
            continue
        try:
            profile = _profile(entry)
            address, name = _identity(entry)
        except PayloadInvalid as error:
            unreadable.append(f"entry {number}: {error.reason}")
            continue
        if profile is not None:
            locks.append(profile)
        else:
            others[address] = name
    return DeviceList(tuple(locks), others, tuple(unreadable))


def _identity(entry: Mapping[str, JsonValue]) -> tuple[str, str]:
    address, name = text_at(entry, "ieee_address"), text_at(entry, "friendly_name")
    if address is None or _IEEE_ADDRESS.fullmatch(address) is None:
        raise PayloadInvalid("wrong_type", "key 'ieee_address' is not 0x and 16 hex digits")
    if not name or not _NAME.fullmatch(name):
        raise PayloadInvalid("wrong_type", f"{address} has no friendly name that makes a topic")
    return address, name


def _profile(entry: Mapping[str, JsonValue]) -> LockProfile | None:
    address, name = _identity(entry)
    definition = _object(entry.get("definition"))
    exposes = tuple(_flat(definition.get("exposes")))
    lock_features = _lock_features(definition.get("exposes"))
    exposed = TELLING_KEYS.intersection(key for key, _ in exposes)
    model = text_at(definition, "model")
    clusters = frozenset(_input_clusters(entry.get("endpoints")))
    unnamed_lock = not definition and _LOCK_CLUSTER in clusters
    if lock_features is None and not (
        family_of(model, exposed).is_lock_without_expose or unnamed_lock
    ):
        return None
    return LockProfile(
        ieee_address=address,
        name=name,
        model=_short(model or text_at(entry, "model_id")),
        manufacturer=_short(text_at(definition, "vendor") or text_at(entry, "manufacturer")),
        firmware=_short(text_at(entry, "software_build_id")),
        interview=_interview(entry),
        exposed=exposed,
        readable=bool((lock_features or {}).get("state", 0) & _READABLE),
        report_interval_s=_report_interval(entry.get("endpoints")),
        late_commands=_CHECK_IN_CLUSTER in clusters,
        disabled=truth_at(entry, "disabled") is True,
        users_code=definition.get("source") == "external",
    )


def _interview(entry: Mapping[str, JsonValue]) -> Interview:
    state = entry.get("interview_state")
    if isinstance(state, str) and state in Interview.__members__:
        return Interview(state)
    if entry.get("interviewing") is True:
        return Interview.IN_PROGRESS
    return Interview.SUCCESSFUL if entry.get("definition") else Interview.PENDING


def _lock_features(exposes: JsonValue) -> dict[str, int] | None:
    """Return access bits by feature name of the expose of type `lock`, None without one."""
    for expose in _objects(exposes):
        if expose.get("type") == "lock":
            return dict(_flat(expose.get("features")))
    return None


def _flat(exposes: JsonValue) -> Iterator[tuple[str, int]]:
    for expose in _objects(exposes):
        if expose.get("type") == "lock":
            yield from _flat(expose.get("features"))
            continue
        key = expose.get("property", expose.get("name"))
        access = expose.get("access")
        if isinstance(key, str):
            yield key, access if isinstance(access, int) else 0


def _input_clusters(endpoints: JsonValue) -> Iterator[str]:
    for endpoint in _object(endpoints).values():
        clusters = _object(_object(endpoint).get("clusters")).get("input")
        if isinstance(clusters, list):
            yield from (cluster for cluster in clusters if isinstance(cluster, str))


def _report_interval(endpoints: JsonValue) -> int | None:
    for endpoint in _object(endpoints).values():
        for reporting in _objects(_object(endpoint).get("configured_reportings")):
            interval = reporting.get("maximum_report_interval")
            if reporting.get("attribute") == "lockState" and isinstance(interval, int):
                return interval if 0 < interval < 0xFFFF else None
    return None


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> Sequence[Mapping[str, JsonValue]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _short(text: str | None) -> str | None:
    return None if text is None else text[:_SHORT]
