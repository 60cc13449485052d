"""The two ends of a measured path, each a process of its own so that neither slows the other.

Times are CLOCK_MONOTONIC seconds, which all processes of a machine share.
"""

from __future__ import annotations

import json
import multiprocessing
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from support.bridge import address

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

SPAWN = multiprocessing.get_context("spawn")
WINDOW = 500


def _client(name: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(WINDOW)
    client.max_queued_messages_set(0)
    return client


def payload(slot: int) -> str:
    """Return a keypad entry as Zigbee2MQTT publishes it, about 500 bytes with its caches."""
    return json.dumps(
        {
            "action": "unlock",
            "action_source": 0,
            "action_source_name": "keypad",
            "action_user": slot,
            "auto_relock_time": 30,
            "battery": 87,
            "linkquality": 120,
            "lock_state": "locked",
            "sound_volume": "low_volume",
            "state": "LOCK",
            "update": {"installed_version": 33, "latest_version": 33, "state": "idle"},
            "description": "x" * 180,
        }
    )


def _publish(port: int, count: int, per_s: float | None, locks: int, pipe: Connection) -> None:
    client = _client("bench-load")
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent: dict[str, float] = {}
    begin = time.monotonic() + 0.1
    for number in range(count):
        lock, slot = number % locks + 1, number // locks
        if per_s is not None:
            pause = begin + number / per_s - time.monotonic()
            if pause > 0:
                time.sleep(pause)
        sent[f"{address(lock)}/{slot}"] = time.monotonic()
        client.publish(f"zigbee2mqtt/Lock {lock}", payload(slot), 1)
    while client.want_write() or len(client._out_messages):
        time.sleep(0.005)
    client.disconnect()
    client.loop_stop()
    pipe.send(sent)


def event_key(message: paho.MQTTMessage) -> str | None:
    """Key of an access event as the hub sends it."""
    for name, value in getattr(message.properties, "UserProperty", ()):
        if name == "source":
            device = value.rpartition("/")[2]
            actor = json.loads(message.payload).get("actor")
            return f"{device}/{actor['slot']}" if actor else None
    return None


def raw_key(message: paho.MQTTMessage) -> str | None:
    """Key of a message that was only forwarded."""
    lock = int(message.topic.rpartition(" ")[2])
    return f"{address(lock)}/{json.loads(message.payload)['action_user']}"


def _receive(
    port: int, topic: str, key: Callable[[paho.MQTTMessage], str | None], pipe: Connection
) -> None:
    arrivals: list[tuple[str, float]] = []
    progress = threading.Condition()

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        found = key(message)
        if found is not None:
            with progress:
                arrivals.append((found, time.monotonic()))
                progress.notify()

    ready = threading.Event()
    client = _client("bench-receiver")
    client.on_message = on_message
    client.on_subscribe = lambda *_: ready.set()
    client.on_connect = lambda client, *_: client.subscribe(topic, 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    ready.wait(10)
    pipe.send("ready")
    count, timeout_s = pipe.recv()
    with progress:
        progress.wait_for(lambda: len(arrivals) >= count, timeout_s)
        pipe.send(list(arrivals))
    client.disconnect()
    client.loop_stop()


@dataclass
class End:
    """One end as a process, and the pipe to it."""

    process: SpawnProcess
    pipe: Connection


def start_receiver(port: int, topic: str, key: Callable[[paho.MQTTMessage], str | None]) -> End:
    mine, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_receive, args=(port, topic, key, theirs), daemon=True)
    process.start()
    assert mine.recv() == "ready"
    return End(process, mine)


def start_load(port: int, count: int, per_s: float | None, locks: int) -> End:
    mine, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_publish, args=(port, count, per_s, locks, theirs), daemon=True)
    process.start()
    return End(process, mine)


@dataclass(frozen=True)
class Run:
    """What one run measured. Latencies in ms, sorted; rate in events/s over the whole run."""

    sent: int
    arrived: int
    lost: int
    rate: float
    latencies_ms: tuple[float, ...]

    def percentile(self, share: float) -> float:
        if not self.latencies_ms:
            return float("nan")
        return self.latencies_ms[
            min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))
        ]


def measure(receiver: End, load: End, count: int, timeout_s: float) -> Run:
    """Wait for both ends and put their times together."""
    receiver.pipe.send((count, timeout_s))
    sent: dict[str, float] = load.pipe.recv()
    arrivals: list[tuple[str, float]] = receiver.pipe.recv()
    load.process.join(10)
    receiver.process.join(10)
    first: dict[str, float] = {}
    for key, at in arrivals:
        first.setdefault(key, at)
    latencies = sorted((first[key] - at) * 1000 for key, at in sent.items() if key in first)
    span = max(first.values()) - min(sent.values()) if first else float("inf")
    return Run(
        sent=len(sent),
        arrived=len(first),
        lost=len(sent.keys() - first.keys()),
        rate=len(first) / span,
        latencies_ms=tuple(latencies),
    )
