"""What the owner's Zigbee2MQTT options mean for us: how to read messages, and what to complain of.

A finding names the option, what it costs, and the value to set. Those that weaken a promise make
the vendor degraded; the others are advice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchway.drivers.zigbee2mqtt.attributes import Rules
from latchway.drivers.zigbee2mqtt.families import believes_lock_state, family_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic import JsonValue

    from latchway.drivers.zigbee2mqtt.bridge import BridgeInfo
    from latchway.drivers.zigbee2mqtt.devices import LockProfile

_SHOWN_NAMES = 5
_NEEDED_KEYS = ("action", "action_user", "action_source_name", "state", "lock_state", "door_state")


@dataclass(frozen=True, slots=True)
class Finding:
    """One option that should be different."""

    option: str
    problem: str
    fix: str
    weakens: bool = True
    """False: good advice, but no promise depends on it."""

    def __str__(self) -> str:
        return f"{self.problem} ({self.option}); {self.fix}"


def rules_for(info: BridgeInfo, profile: LockProfile) -> Rules:
    """Return how messages of a lock are to be read under these options."""
    own = info.of_device(profile.ieee_address)
    family = family_of(profile.model, profile.exposed)
    return Rules(
        cache=info.option("advanced", "cache_state") is not False,
        cache_is_shown=info.option("advanced", "cache_state_send_on_startup") is not False,
        link_quality_hidden=_hides(own, "filtered_attributes", "linkquality"),
        bolt_is_believed=believes_lock_state(family, info.converters),
    )


def examine(
    info: BridgeInfo, locks: Iterable[LockProfile], heard_qos: Mapping[str, int]
) -> tuple[Finding, ...]:
    """Return what should be different in the options, the worst first.

    `heard_qos` holds the QoS at which locks were heard, by name: it is believed before the option.
    """
    profiles = tuple(locks)
    findings = [*_of_bridge(info), *_unkept(info, profiles, heard_qos)]
    for profile in profiles:
        findings += _of_lock(profile, info.of_device(profile.ieee_address))
        if not rules_for(info, profile).bolt_is_believed:
            findings.append(_old_converters(profile))
    findings += _advice(info)
    return tuple(dict.fromkeys(findings))


def _of_bridge(info: BridgeInfo) -> Iterator[Finding]:
    def option(section: str, name: str) -> JsonValue:
        return info.option(section, name)

    if option("advanced", "output") == "attribute":
        yield Finding(
            "advanced.output",
            "each key comes as a message of its own, so that no event can be put together: "
            "nothing of these locks is reported",
            "set advanced.output to json and restart Zigbee2MQTT",
        )
    if option("mqtt", "force_disable_retain") is True:
        yield Finding(
            "mqtt.force_disable_retain",
            "the device list is not kept by the broker: after a restart no lock is known",
            "set mqtt.force_disable_retain to false",
        )
    if option("advanced", "log_level") == "debug" or (
        option("advanced", "log_debug_to_mqtt_frontend") is True
    ):
        yield Finding(
            "advanced.log_level",
            "the debug log contains codes in clear",
            "set advanced.log_level to info and log_debug_to_mqtt_frontend to false",
        )
    if option("homeassistant", "legacy_action_sensor") is True:
        yield Finding(
            "homeassistant.legacy_action_sensor",
            "each event is followed by an empty copy",
            "set homeassistant.legacy_action_sensor to false",
        )


def _unkept(
    info: BridgeInfo, profiles: Sequence[LockProfile], heard_qos: Mapping[str, int]
) -> Iterator[Finding]:
    names = [
        profile.name
        for profile in profiles
        if info.of_device(profile.ieee_address).get("qos") not in (1, 2)
        and heard_qos.get(profile.name) != 1
    ]
    if names:
        shown = ", ".join(names[:_SHOWN_NAMES]) + (" ..." if len(names) > _SHOWN_NAMES else "")
        yield Finding(
            "device_options.qos",
            f"what happens while we are away is lost, published at QoS 0: {shown}",
            "set device_options.qos to 1",
        )


def _of_lock(profile: LockProfile, own: Mapping[str, JsonValue]) -> Iterator[Finding]:
    where = f"devices.{profile.ieee_address}"
    name = profile.name
    if own.get("retain") is True:
        yield Finding(
            f"{where}.retain",
            f"the last event of '{name}' is kept by the broker and looks like state",
            "set retain to false",
        )
    for limiter in ("debounce", "throttle"):
        if own.get(limiter):
            yield Finding(
                f"{where}.{limiter}",
                f"events of '{name}' that follow each other closely are dropped",
                f"remove {limiter} and restart Zigbee2MQTT",
            )
    hidden = [key for key in _NEEDED_KEYS if _hides(own, "filtered_attributes", key)]
    if hidden:
        yield Finding(
            f"{where}.filtered_attributes",
            f"'{name}' does not publish {', '.join(hidden)}",
            "remove these keys from filtered_attributes",
        )
    if own.get("disabled") is True or profile.disabled:
        yield Finding(
            f"{where}.disabled", f"'{name}' is disabled and says nothing", "set disabled to false"
        )
    if own.get("expose_pin") is True:
        yield Finding(
            f"{where}.expose_pin",
            f"codes of '{name}' are published in every message",
            "set expose_pin to false, then delete `users` from state.json with Zigbee2MQTT stopped",
        )


def _old_converters(profile: LockProfile) -> Finding:
    return Finding(
        f"devices.{profile.ieee_address}",
        f"this version of Zigbee2MQTT reports '{profile.name}' as locked whatever is true: "
        "its bolt state is not used",
        "update Zigbee2MQTT",
    )


def _advice(info: BridgeInfo) -> Iterator[Finding]:
    advanced = info.section("advanced")
    if advanced.get("last_seen", "disable") == "disable":
        yield Finding(
            "advanced.last_seen",
            "the age of the last radio contact is not told",
            "set advanced.last_seen to ISO_8601",
            weakens=False,
        )
    if (
        advanced.get("cache_state") is not False
        and advanced.get("cache_state_send_on_startup") is not False
    ):
        yield Finding(
            "advanced.cache_state",
            "old states are published again at each start",
            "set advanced.cache_state to false unless Home Assistant needs it",
            weakens=False,
        )
    if advanced.get("enable_external_js") is not False:
        yield Finding(
            "advanced.enable_external_js",
            "whoever can publish can run code in Zigbee2MQTT",
            "set advanced.enable_external_js to false",
            weakens=False,
        )
    if info.option("availability", "enabled") is not True:
        yield Finding(
            "availability.enabled",
            "a lock that is gone is noticed from its silence alone",
            "set availability.enabled to true and availability.passive.timeout to 130",
            weakens=False,
        )
    if info.section("device_options").get("optimistic") is not False:
        yield Finding(
            "device_options.optimistic",
            "settings are shown as done before the lock confirmed them",
            "set device_options.optimistic to false",
            weakens=False,
        )


def _hides(own: Mapping[str, JsonValue], option: str, key: str) -> bool:
    patterns = own.get(option)
    if not isinstance(patterns, list):
        return False
    return any(isinstance(pattern, str) and _matches(pattern, key) for pattern in patterns)


def _matches(pattern: str, key: str) -> bool:
    """Match as Zigbee2MQTT does: a regular expression anywhere in the key."""
    try:
        return re.search(pattern, key) is not None
    except (re.error, OverflowError, RecursionError):
        return pattern == key
