"""Zigbee2MQTT's side in tests: publishes locks and numbered keypad entries at QoS 1, and knows
which of them the broker accepted."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from typing import Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from support.cloud import connect_properties

LAST_SLOT = 65_000
"""Below 0xffff, which means nobody."""


def address(lock: int) -> str:
    return f"0x{lock:016x}"


def _device(lock: int) -> dict:
    return {
        "ieee_address": address(lock),
        "friendly_name": f"Lock {lock}",
        "type": "EndDevice",
        "network_address": 4096 + lock,
        "supported": True,
        "disabled": False,
        "power_source": "Battery",
        "model_id": "YRD226",
        "manufacturer": "Yale",
        "interview_state": "SUCCESSFUL",
        "definition": {
            "model": "YRD226",
            "vendor": "Yale",
            "description": "Assure lock",
            "source": "native",
            "exposes": [
                {
                    "type": "lock",
                    "features": [
                        {
                            "name": "state",
                            "property": "state",
                            "type": "binary",
                            "access": 7,
                            "value_on": "LOCK",
                            "value_off": "UNLOCK",
                        },
                        {
                            "name": "lock_state",
                            "property": "lock_state",
                            "type": "enum",
                            "access": 1,
                            "values": ["not_fully_locked", "locked", "unlocked"],
                        },
                    ],
                },
                {"name": "action", "property": "action", "type": "enum", "access": 1, "values": []},
            ],
        },
        "endpoints": {},
    }


class Bridge:
    """A publisher whose every accepted message has a key of its own: lock and credential slot."""

    def __init__(self, port: int, locks: int = 4, base: str = "zigbee2mqtt") -> None:
        self._port = port
        self._base = base
        self.locks = locks
        self._next = 0
        self._pending: dict[int, str] = {}
        self._confirmed: deque[int] = deque()
        self._others: set[int] = set()
        self.accepted: set[str] = set()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="bridge", protocol=paho.MQTTv5
        )
        self._client.max_inflight_messages_set(200)
        self._client.max_queued_messages_set(0)
        self._client.on_publish = self._on_publish
        self._client.reconnect_delay_set(0.1, 0.5)

    def __enter__(self) -> Self:
        self._client.connect(
            "127.0.0.1", self._port, clean_start=False, properties=connect_properties()
        )
        self._client.loop_start()
        self.announce()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def announce(self) -> None:
        self.send("bridge/state", {"state": "online"}, retain=True)
        devices = [{"ieee_address": "0x00", "type": "Coordinator", "friendly_name": "Coordinator"}]
        devices += [_device(lock) for lock in range(1, self.locks + 1)]
        self.send("bridge/devices", devices, retain=True)

    def send(self, topic: str, value: object, *, retain: bool = False) -> None:
        """Publish one message of the bridge and wait until the broker has it."""
        payload = value if isinstance(value, bytes) else json.dumps(value)
        sent = self._client.publish(f"{self._base}/{topic}", payload, 1, retain)
        self._others.add(sent.mid)
        sent.wait_for_publish(10)

    def enter(self) -> str:
        """Publish the next keypad entry; returns its key, which is accepted some time later."""
        lock = self._next % self.locks + 1
        slot = self._next // self.locks
        assert slot < LAST_SLOT, "out of slots: use more locks"
        self._next += 1
        key = f"{address(lock)}/{slot}"
        entry = {
            "action": "unlock",
            "action_source_name": "keypad",
            "action_user": slot,
            "linkquality": 120,
            "lock_state": "locked",
            "state": "LOCK",
        }
        sent = self._client.publish(f"{self._base}/Lock {lock}", json.dumps(entry), 1)
        self._pending[sent.mid] = key
        self._reconcile()
        return key

    def _on_publish(self, _client: object, _data: object, mid: int, *_: object) -> None:
        # paho holds a lock of its own here: take none of ours.
        self._confirmed.append(mid)

    def _reconcile(self) -> None:
        """Match what the broker confirmed with what was sent; may come before `publish` returns."""
        for _ in range(len(self._confirmed)):
            mid = self._confirmed.popleft()
            if (key := self._pending.pop(mid, None)) is not None:
                self.accepted.add(key)
            elif mid not in self._others:
                self._confirmed.append(mid)

    def idle(self, timeout_s: float = 30.0) -> None:
        """Wait until the broker has accepted all that was published."""
        deadline = time.monotonic() + timeout_s
        while self._reconcile() or self._pending:
            assert time.monotonic() < deadline, f"{len(self._pending)} messages not accepted"
            time.sleep(0.01)


class Load:
    """Publishes keypad entries at a steady rate from a thread until the block is left."""

    def __init__(self, bridge: Bridge, per_s: float) -> None:
        self._bridge = bridge
        self._pause_s = 1 / per_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            self._bridge.enter()
            due += self._pause_s
            self._over.wait(max(0.0, due - time.monotonic()))
