"""What the parts cost without Latchway, in the same run: the yardsticks of the figures."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

ROW_BYTES = 600


def group_commit(folder: Path, batch: int, seconds: float = 2.0) -> float:
    """Return rows/s of bare sqlite3, WAL and synchronous=FULL, `batch` rows per commit."""
    rows = 0
    with closing(sqlite3.connect(folder / f"bare-{batch}.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE events (number INTEGER PRIMARY KEY, data BLOB)")
        row = (b"x" * ROW_BYTES,)
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO events (data) VALUES (?)", [row] * batch)
            database.execute("COMMIT")
            rows += batch
        return rows / (time.monotonic() - begin)


def forward(local_port: int, cloud_port: int) -> None:
    """Forward QoS 1 messages one to one, acknowledging each after the far broker has it.

    The smallest honest forwarder: paho's callbacks, manual acknowledgement, no disk.
    """
    near = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id="forwarder-near",
        protocol=paho.MQTTv5,
        manual_ack=True,
    )
    far = paho.Client(CallbackAPIVersion.VERSION2, client_id="forwarder-far", protocol=paho.MQTTv5)
    far.max_inflight_messages_set(100)
    far.max_queued_messages_set(0)
    waiting: dict[int, tuple[int, int]] = {}
    early: set[int] = set()

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        sent = far.publish(message.topic, message.payload, 1)
        if sent.mid in early:
            early.discard(sent.mid)
            near.ack(message.mid, message.qos)
        else:
            waiting[sent.mid] = (message.mid, message.qos)

    def on_publish(_client: object, _data: object, mid: int, *_: object) -> None:
        origin = waiting.pop(mid, None)
        if origin is None:
            early.add(mid)
        else:
            near.ack(*origin)

    near.on_message = on_message
    near.on_connect = lambda client, *_: client.subscribe("zigbee2mqtt/#", 1)
    near.on_subscribe = lambda *_: print("ready", flush=True)
    far.on_publish = on_publish
    far.connect("127.0.0.1", cloud_port)
    far.loop_start()
    near.connect("127.0.0.1", local_port)
    near.loop_forever()


if __name__ == "__main__":
    forward(int(sys.argv[1]), int(sys.argv[2]))
