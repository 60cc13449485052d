"""Reads what the bridge says of itself: state, info with its options, joins, log lines.

Log lines are looked at only for the few sentences that matter, and nothing else of them gets
further: errors of code commands hold the code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from latchway.drivers.errors import PayloadInvalid
from latchway.drivers.strict_json import parse, parse_object
from latchway.drivers.zigbee2mqtt.fields import kind_of, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

INFO_LIMIT = 4 * 1024 * 1024
SMALL_LIMIT = 64 * 1024
_EMPTY: Mapping[str, JsonValue] = {}


@dataclass(frozen=True, slots=True)
class BridgeInfo:
    """The part of `bridge/info` that a driver reads."""

    version: str | None = None
    converters: tuple[int, ...] | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    """`config`: everything that the owner has set, secrets already left out by Zigbee2MQTT."""

    def section(self, name: str) -> Mapping[str, JsonValue]:
        """Return one section of the options, empty if it is not there."""
        return _object(self.options.get(name))

    def option(self, section: str, name: str) -> JsonValue:
        """Return one option, None if it is not set."""
        return self.section(section).get(name)

    def of_device(self, ieee_address: str) -> Mapping[str, JsonValue]:
        """Return the options of one device over the defaults of all devices."""
        own = _object(self.section("devices").get(ieee_address))
        return {**self.section("device_options"), **own}

    def group_names(self) -> frozenset[str]:
        """Return the names of groups: topics that look like devices and are none."""
        names = (_object(group).get("friendly_name") for group in self.section("groups").values())
        return frozenset(name for name in names if isinstance(name, str))


@dataclass(frozen=True, slots=True)
class BridgeEvent:
    """A join or a leave: `kind` is Zigbee2MQTT's word, such as `device_leave`."""

    kind: str
    ieee_address: str
    status: str | None = None


@dataclass(frozen=True, slots=True)
class ConfigureFailed:
    """The bridge could not set up reporting of a device."""

    name: str


@dataclass(frozen=True, slots=True)
class LeftTheNetwork:
    """A device left by itself; its absence from the device list follows."""

    name: str


def decode_online(payload: bytes) -> bool:
    """Return whether bridge or device is online, from JSON or the plain words of 1.x."""
    word: JsonValue
    if payload in (b"online", b"offline"):
        word = payload.decode()
    else:
        word = parse_object(payload, maximum_bytes=SMALL_LIMIT).get("state")
    if word not in ("online", "offline"):
        raise PayloadInvalid("wrong_type", "key 'state' is neither online nor offline")
    return word == "online"


def decode_info(payload: bytes) -> BridgeInfo:
    """Return what matters of `bridge/info`; raises `PayloadInvalid`."""
    fields = parse_object(payload, maximum_bytes=INFO_LIMIT)
    converters = _object(fields.get("zigbee_herdsman_converters")).get("version")
    return BridgeInfo(
        version=text_at(fields, "version"),
        converters=_version(converters) if isinstance(converters, str) else None,
        options=_object(fields.get("config")),
    )


def decode_groups(payload: bytes) -> frozenset[str]:
    """Return the names in `bridge/groups`, without unreadable ones; raises `PayloadInvalid`."""
    value = parse(payload, maximum_bytes=INFO_LIMIT)
    if not isinstance(value, list):
        raise PayloadInvalid("not_a_list", f"the list of groups is {kind_of(value)}")
    names = (_object(group).get("friendly_name") for group in value)
    return frozenset(name for name in names if isinstance(name, str))


def decode_event(payload: bytes) -> BridgeEvent | None:
    """Return a join or leave; None for an event without a device; raises `PayloadInvalid`."""
    fields = parse_object(payload, maximum_bytes=INFO_LIMIT)
    data = _object(fields.get("data"))
    kind, address = text_at(fields, "type"), text_at(data, "ieee_address")
    if kind is None or address is None:
        return None
    return BridgeEvent(kind, address, text_at(data, "status"))


_CONFIGURE_FAILED = re.compile(r"Failed to configure '(.+?)', attempt \d+")
_LEFT = re.compile(r"Device '(.+)' left the network")
_SENTENCES = (b"Failed to configure", b"left the network")


def decode_log_line(payload: bytes) -> ConfigureFailed | LeftTheNetwork | None:
    """Return what a log line tells that nothing else does, None for all other lines."""
    if len(payload) > SMALL_LIMIT or not any(sentence in payload for sentence in _SENTENCES):
        return None
    try:
        line = parse(payload, maximum_bytes=SMALL_LIMIT)
    except PayloadInvalid:
        return None
    message = _object(line).get("message")
    if not isinstance(message, str) or "MQTT publish" in message:
        return None
    if match := _CONFIGURE_FAILED.search(message):
        return ConfigureFailed(match[1])
    if match := _LEFT.search(message):
        return LeftTheNetwork(match[1])
    return None


def _version(text: str) -> tuple[int, ...] | None:
    numbers = re.findall(r"\d{1,9}", text.split("-", 1)[0])
    return tuple(int(number) for number in numbers[:3]) or None


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else _EMPTY
