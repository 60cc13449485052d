"""Zigbee2MQTT without a radio: what it publishes at its start, for its locks, and as answers. Pure.

`take` is given what others publish; everything is returned as publications, in order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from latchway.drivers.zigbee2mqtt.protocol import encode
from latchway.drivers.zigbee2mqtt.virtual_lock import Behaviour, VirtualLock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

_COORDINATOR = "0x00124b0000000001"
_LINK_QUALITY = 120
_SOURCES = {"keypad": 0, "rf": 1, "manual": 2, "rfid": 3, "fingerprint": 4}
_NOT_CACHED = frozenset({"action", "action_source", "action_source_name", "action_user"})


@dataclass(frozen=True, slots=True)
class Published:
    """A message on its way to the broker."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """The options of the bridge that change what it publishes."""

    base_topic: str = "zigbee2mqtt"
    qos: int = 0
    retain: bool = False
    cache_state: bool = True
    availability: bool = False
    expose_pin: bool = False


class BadInput(StrEnum):
    """What no bridge should publish."""

    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    TOO_DEEP = "too_deep"
    NOT_A_NUMBER = "not_a_number"
    DUPLICATE_KEY = "duplicate_key"
    WRONG_TYPE = "wrong_type"
    NOT_JSON = "not_json"


_BAD_PAYLOADS = {
    BadInput.TOO_LARGE: b'{"linkquality":120,"x":"' + b"x" * 300_000 + b'"}',
    BadInput.NOT_UTF8: b'{"linkquality":120,"state":"\xff\xfe"}',
    BadInput.TOO_DEEP: b'{"x":' * 200 + b"1" + b"}" * 200,
    BadInput.NOT_A_NUMBER: b'{"linkquality":120,"battery":NaN}',
    BadInput.DUPLICATE_KEY: b'{"linkquality":120,"state":"LOCK","state":"UNLOCK"}',
    BadInput.WRONG_TYPE: b'{"linkquality":120,"battery":{"percent":80}}',
    BadInput.NOT_JSON: b"locked",
}


class VirtualBridge:
    """One Zigbee2MQTT with its locks. Wrong requests get the answers that the real one gives."""

    def __init__(
        self, locks: Iterable[VirtualLock] = (), options: BridgeOptions | None = None
    ) -> None:
        self.options = options or BridgeOptions()
        self.locks = {lock.ieee_address: lock for lock in locks}
        self._cache: dict[str, dict[str, JsonValue]] = {}
        self._permits_join = False

    # ---- the bridge's own life

    def start(self) -> list[Published]:
        """Start: state, info, devices, availability, cached states, in the real order."""
        out = [self._bridge("state", {"state": "online"}, qos=1, retain=True)]
        out += [self._info(), self._devices()]
        out.append(self._bridge("groups", [], retain=True))
        if self.options.availability:
            out += [self._availability(lock, online=True) for lock in self.locks.values()]
        for address, cached in self._cache.items():
            if self.options.cache_state and cached and address in self.locks:
                out.append(self._lock_message(self.locks[address], cached))
        return [*out, self._log("info", "z2m: Zigbee2MQTT started!")]

    def stop(self) -> list[Published]:
        """Stop cleanly."""
        return [self._bridge("state", {"state": "offline"}, retain=True)]

    def will(self) -> Published:
        """Return what the broker publishes when the bridge is killed."""
        return self._bridge("state", {"state": "offline"}, qos=1, retain=True)

    # ---- what happens at the locks

    def act(self, name: str, action: str, source: str, user: int | None = None) -> list[Published]:
        """Let somebody do something at a lock: first the event with the old state, then the new."""
        lock = self.lock(name)
        out = [self._event(lock, action, source, user)]
        if action.endswith("unlock"):
            lock.lock_state = "unlocked"
        elif action.endswith("lock"):
            lock.lock_state = "locked"
        else:
            return out
        return [*out, self.report(name, **lock.reading())]

    def report(self, name: str, **fields: JsonValue) -> Published:
        """Publish what a frame of the lock brings, with everything cached if so configured."""
        lock = self.lock(name)
        cached = self._cache.setdefault(lock.ieee_address, {})
        cached.update({key: fields[key] for key in fields if key not in _NOT_CACHED})
        shown = {**cached, **fields} if self.options.cache_state else fields
        return self._lock_message(lock, {**shown, "linkquality": _LINK_QUALITY})

    def availability(self, name: str, *, online: bool) -> Published:
        """Publish that a lock can be reached, or cannot."""
        return self._availability(self.lock(name), online=online)

    def misbehave(self, name: str, kind: BadInput) -> Published:
        """Publish nonsense in a lock's name."""
        return self._publish(self.lock(name).name, _BAD_PAYLOADS[kind], self.options.qos)

    def join(self, lock: VirtualLock) -> list[Published]:
        """Let a lock join: interview, then the device list."""
        data: dict[str, JsonValue] = {
            "friendly_name": lock.name,
            "ieee_address": lock.ieee_address,
        }
        self.locks[lock.ieee_address] = lock
        definition = lock.listing()["definition"]
        started = {**data, "status": "started"}
        done = {**data, "status": "successful", "supported": True, "definition": definition}
        return [
            self._bridge("event", {"type": "device_joined", "data": data}),
            self._bridge("event", {"type": "device_interview", "data": started}),
            self._devices(),
            self._bridge("event", {"type": "device_interview", "data": done}),
            self.report(lock.name, battery=lock.battery),
        ]

    def leave(self, name: str) -> list[Published]:
        """Let a lock leave by itself, as after a factory reset."""
        lock = self.lock(name)
        del self.locks[lock.ieee_address]
        data: JsonValue = {"friendly_name": lock.name, "ieee_address": lock.ieee_address}
        return [
            self._log("warning", f"z2m: Device '{lock.name}' left the network"),
            self._devices(),
            self._bridge("event", {"type": "device_leave", "data": data}),
        ]

    def lock(self, name: str) -> VirtualLock:
        """Return a lock by name or address; raises `KeyError`."""
        for lock in self.locks.values():
            if name in (lock.name, lock.ieee_address):
                return lock
        raise KeyError(name)

    # ---- what others publish

    def take(self, topic: str, payload: bytes) -> list[Published]:
        """Take in a message that somebody else published under the base topic."""
        tail = topic.removeprefix(f"{self.options.base_topic}/")
        if tail.startswith("bridge/request/"):
            return list(self._answer(tail.removeprefix("bridge/request/"), payload))
        if tail.startswith("bridge"):
            return []
        for verb in ("set", "get"):
            name, found, key = tail.partition(f"/{verb}")
            if found:
                return list(self._command(name, verb, key.removeprefix("/"), payload))
        return []

    def _command(self, name: str, verb: str, key: str, payload: bytes) -> Iterator[Published]:
        try:
            lock = self.lock(name)
        except KeyError:
            yield self._log("error", f"z2m: Entity '{name}' is unknown")
            return
        value = _json(payload)
        fields = {key: value} if key else value
        if isinstance(fields, str):
            fields = {"state": fields}
        if not isinstance(fields, dict) or not fields:
            yield self._log("error", "z2m: Invalid message 'undefined', skipping...")
            return
        for asked, wanted in fields.items():
            if verb == "get" and asked == "state":
                yield from self._read(lock)
            elif verb == "set" and asked == "state":
                yield from self._move(lock, wanted)
            elif verb == "set" and asked == "pin_code" and isinstance(wanted, dict):
                yield from self._set_code(lock, wanted)
            else:
                shown = json.dumps(wanted)
                yield self._log(
                    "error",
                    f"z2m: No converter available for '{asked}' on '{lock.name}': ({shown})",
                )

    def _read(self, lock: VirtualLock) -> Iterator[Published]:
        if lock.behaviour is Behaviour.SILENT:
            yield self._failed(lock, "get", "state")
        else:
            yield self.report(lock.name, **lock.reading())

    def _move(self, lock: VirtualLock, wanted: JsonValue) -> Iterator[Published]:
        word = wanted.get("state") if isinstance(wanted, dict) else wanted
        command = word.upper() if isinstance(word, str) else ""
        if command == "TOGGLE":
            command = "UNLOCK" if lock.lock_state == "locked" else "LOCK"
        if command not in ("LOCK", "UNLOCK"):
            yield self._log(
                "error",
                f"z2m: Publish 'set' 'state' to '{lock.name}' failed: "
                f"'Error: '{word}' not allowed, choose between: LOCK,UNLOCK,TOGGLE'",
            )
        elif lock.move(command):
            if lock.model.sends_events and lock.lock_state != "not_fully_locked":
                yield self._event(lock, command.lower(), "rf", None)
            yield self.report(lock.name, **lock.reading())
        elif lock.behaviour is Behaviour.SILENT:
            yield self._failed(lock, "set", "state")

    def _set_code(self, lock: VirtualLock, wanted: Mapping[str, JsonValue]) -> Iterator[Published]:
        user, code = wanted.get("user"), wanted.get("pin_code")
        if isinstance(user, bool) or not isinstance(user, int):
            return
        if lock.behaviour is Behaviour.SILENT:
            # As the real one does: the code stands in the log line.
            yield self._log("error", f"z2m: setPinCode failed: pincodevalue '{code}'")
            return
        if code is None:
            lock.codes.pop(user, None)
        else:
            lock.codes[user] = str(code)
        yield self._event(lock, "pin_code_added" if code else "pin_code_deleted", "rf", user)
        if self.options.expose_pin:
            users: JsonValue = {
                str(slot): {"pin_code": pin, "status": "enabled"}
                for slot, pin in lock.codes.items()
            }
            yield self.report(lock.name, users=users)

    def _answer(self, request: str, payload: bytes) -> Iterator[Published]:
        asked = _json(payload)
        fields = asked if isinstance(asked, dict) else {}
        handlers: dict[str, Callable[[Mapping[str, JsonValue]], Iterator[Published]]] = {
            "permit_join": self._permit_join,
            "device/rename": self._rename,
            "device/remove": self._remove,
            "health_check": lambda _: iter(()),
        }
        handler = handlers.get(request)
        if handler is None:
            return  # an unknown request gets no answer at all
        transaction = {"transaction": fields["transaction"]} if "transaction" in fields else {}
        try:
            yield from handler(fields)
        except (KeyError, ValueError) as error:
            failure = {"data": {}, "error": str(error), "status": "error", **transaction}
            yield self._bridge(f"response/{request}", failure)
            return
        data = {key: value for key, value in fields.items() if key != "transaction"}
        yield self._bridge(f"response/{request}", {"data": data, "status": "ok", **transaction})

    def _permit_join(self, fields: Mapping[str, JsonValue]) -> Iterator[Published]:
        seconds = fields.get("time")
        valid = isinstance(seconds, int) and not isinstance(seconds, bool)
        if not valid:
            raise ValueError("Invalid payload")
        if int(str(seconds)) > 254:
            raise ValueError("Cannot permit join for more than 254 seconds.")
        self._permits_join = seconds != 0
        yield self._info()

    def _rename(self, fields: Mapping[str, JsonValue]) -> Iterator[Published]:
        lock, name = self._named(fields.get("from")), fields.get("to")
        if not isinstance(name, str) or not name:
            raise ValueError("friendly_name must be at least 1 char long")
        yield self._publish(lock.name, b"", 0, retain=True)
        lock.name = name
        yield self._devices()
        yield self.report(name)

    def _remove(self, fields: Mapping[str, JsonValue]) -> Iterator[Published]:
        lock = self._named(fields.get("id"))
        del self.locks[lock.ieee_address]
        yield self._publish(lock.name, b"", 0, retain=True)
        yield self._devices()

    def _named(self, name: JsonValue) -> VirtualLock:
        try:
            return self.lock(str(name))
        except KeyError:
            raise ValueError(f"Device '{name}' does not exist") from None

    # ---- messages

    def _event(self, lock: VirtualLock, action: str, source: str, user: int | None) -> Published:
        return self.report(
            lock.name,
            action=action,
            action_source=_SOURCES.get(source, 255),
            action_source_name=source,
            action_user=user,
        )

    def _devices(self) -> Published:
        coordinator: JsonValue = {
            "ieee_address": _COORDINATOR,
            "friendly_name": "Coordinator",
            "type": "Coordinator",
            "supported": True,
            "interview_state": "SUCCESSFUL",
        }
        entries: list[JsonValue] = [coordinator, *(lock.listing() for lock in self.locks.values())]
        return self._bridge("devices", entries, retain=True)

    def _info(self) -> Published:
        options = self.options
        config: JsonValue = {
            "advanced": {"cache_state": options.cache_state, "output": "json"},
            "availability": {"enabled": options.availability},
            "device_options": {
                "qos": options.qos,
                "retain": options.retain,
                "expose_pin": options.expose_pin,
            },
            "devices": {},
            "groups": {},
        }
        info: dict[str, JsonValue] = {
            "version": "2.14.1",
            "zigbee_herdsman_converters": {"version": "26.105.0"},
            "permit_join": self._permits_join,
            "config": config,
        }
        return self._bridge("info", info, retain=True)

    def _failed(self, lock: VirtualLock, verb: str, key: str) -> Published:
        return self._log("error", f"z2m: Publish '{verb}' '{key}' to '{lock.name}' failed: timeout")

    def _log(self, level: str, message: str) -> Published:
        return self._bridge("logging", {"level": level, "message": message})

    def _availability(self, lock: VirtualLock, *, online: bool) -> Published:
        payload = encode({"state": "online" if online else "offline"})
        return self._publish(f"{lock.name}/availability", payload, 1, retain=True)

    def _lock_message(self, lock: VirtualLock, fields: Mapping[str, JsonValue]) -> Published:
        payload = encode(dict(sorted(fields.items())))
        return self._publish(lock.name, payload, self.options.qos, retain=self.options.retain)

    def _bridge(
        self, tail: str, value: JsonValue, *, qos: int = 0, retain: bool = False
    ) -> Published:
        return self._publish(f"bridge/{tail}", _compact(value), qos, retain=retain)

    def _publish(self, tail: str, payload: bytes, qos: int, *, retain: bool = False) -> Published:
        return Published(f"{self.options.base_topic}/{tail}", payload, qos, retain)


def _compact(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _json(payload: bytes) -> JsonValue:
    """Return the JSON value of a payload, or its plain word, as Zigbee2MQTT takes both."""
    try:
        value: JsonValue = json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace") or None
    return value
