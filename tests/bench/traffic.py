"""The two ends of a measured path, each a process of its own so that neither slows the other.

Times are CLOCK_MONOTONIC seconds, which all processes of a machine share.
"""

from __future__ import annotations

import json
import multiprocessing
import select
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import mqtt
from support.bridge import address

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from bench.mqtt import Message

SPAWN = multiprocessing.get_context("spawn")
WINDOW = 100
"""QoS 1 messages that the load has under way: no more than the test brokers take."""
TICK_S = 0.0005


def payload(slot: int) -> bytes:
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
    ).encode()


def _publish(port: int, count: int, per_s: float | None, locks: int, pipe: Connection) -> None:
    connection = mqtt.Connection(port, "bench-load")
    keys, packets = [], []
    for number in range(count):
        lock, slot = number % locks + 1, number // locks
        keys.append(f"{address(lock)}/{slot}")
        topic = f"zigbee2mqtt/Lock {lock}"
        packets.append(mqtt.publish(topic, number % 65535 + 1, payload(slot)))
    pipe.send("ready")
    pipe.recv()
    times: list[float] = []
    acknowledged = 0
    begin = time.monotonic()
    while acknowledged < count:
        due = count if per_s is None else min(count, int((time.monotonic() - begin) * per_s) + 1)
        until = min(due, acknowledged + WINDOW)
        if len(times) < until:
            now, first = time.monotonic(), len(times)
            times.extend([now] * (until - first))
            connection.socket.sendall(b"".join(packets[first:until]))
        if select.select([connection.socket], [], [], TICK_S)[0]:
            assert connection.receive(), "the local broker closed the connection"
            acknowledged += sum(kind == mqtt.PUBACK for kind, _ in connection.packets())
    pipe.send(dict(zip(keys, times, strict=True)))


def event_key(message: Message) -> str | None:
    """Key of an access event as the hub sends it."""
    actor = json.loads(message.payload).get("actor") if "source" in message.user else None
    return f"{message.user['source'].rpartition('/')[2]}/{actor['slot']}" if actor else None


def raw_key(message: Message) -> str | None:
    """Key of a message that was only forwarded."""
    lock = int(message.topic.rpartition(" ")[2])
    return f"{address(lock)}/{json.loads(message.payload)['action_user']}"


def _receive(port: int, topic: str, key: Callable[[Message], str | None], pipe: Connection) -> None:
    connection = mqtt.Connection(port, "bench-receiver")
    connection.subscribe(topic)
    pipe.send("ready")
    count, timeout_s = pipe.recv()
    bodies: list[tuple[float, bytes]] = []
    deadline = time.monotonic() + timeout_s
    connection.socket.settimeout(1.0)
    while len(bodies) < count and time.monotonic() < deadline:
        try:
            connection.receive()
        except TimeoutError:
            continue
        now = time.monotonic()
        acknowledgements = []
        for first_byte, body in connection.packets():
            if first_byte & 0xF7 == mqtt.PUBLISH | 0x02:  # not what was retained
                bodies.append((now, body))
                acknowledgements.append(mqtt.packet_id_of(body))
        if acknowledgements:
            packets = [struct.pack(">BBH", mqtt.PUBACK, 2, one) for one in acknowledgements]
            connection.socket.sendall(b"".join(packets))
    pipe.send([(key(mqtt.message_of(body)), at) for at, body in bodies])


@dataclass
class End:
    """One end as a process, and the pipe to it."""

    process: SpawnProcess
    pipe: Connection


def _start(target: Callable[..., None], *arguments: object) -> End:
    mine, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    assert mine.recv() == "ready"
    return End(process, mine)


def start_receiver(port: int, topic: str, key: Callable[[Message], str | None]) -> End:
    """Start the cloud's end: it counts from `measure` on."""
    return _start(_receive, port, topic, key)


def start_load(port: int, count: int, per_s: float | None, locks: int) -> End:
    """Start the bridge's end: it publishes from `measure` on."""
    return _start(_publish, port, count, per_s, locks)


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
        last = len(self.latencies_ms) - 1
        return self.latencies_ms[min(last, int(share * len(self.latencies_ms)))]


def measure(receiver: End, load: End, count: int, timeout_s: float) -> Run:
    """Let both ends work, and put their times together."""
    receiver.pipe.send((count, timeout_s))
    load.pipe.send("go")
    sent: dict[str, float] = load.pipe.recv()
    arrivals: list[tuple[str | None, float]] = receiver.pipe.recv()
    load.process.join(10)
    receiver.process.join(10)
    first: dict[str, float] = {}
    for key, at in arrivals:
        if key is not None:
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
