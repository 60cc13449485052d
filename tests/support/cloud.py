"""The cloud's end in tests: a plain MQTT 5 client that keeps everything it is sent, in order."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from support.oracles import Arrival

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION_S = 3600


def connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = SESSION_S
    return properties


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message as it came, the hub's status included."""

    topic: str
    payload: bytes
    content_type: str | None
    properties: tuple[tuple[str, str], ...]


class Cloud:
    """Subscribes to all events of a hub with a session that outlives the broker's restarts."""

    def __init__(self, port: int, topic: str = "latchway/#") -> None:
        self._topic = topic
        self._port = port
        self._changed = threading.Condition()
        self._delivered: list[Delivered] = []
        self._arrivals: list[Arrival] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="cloud-end", protocol=paho.MQTTv5
        )
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(0.1, 0.5)

    def __enter__(self) -> Self:
        self._client.connect(
            "127.0.0.1", self._port, clean_start=False, properties=connect_properties()
        )
        self._client.loop_start()
        assert self._subscribed.wait(10), "the cloud's broker did not take the subscription"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        properties = tuple(getattr(message.properties, "UserProperty", []))
        content_type = getattr(message.properties, "ContentType", None)
        attributes = dict(properties)
        with self._changed:
            self._delivered.append(
                Delivered(message.topic, bytes(message.payload), content_type, properties)
            )
            if "id" not in attributes:
                return
            self._arrivals.append(
                Arrival(
                    id=attributes["id"],
                    type=attributes["type"],
                    source=attributes["source"],
                    sequence=attributes["sequence"],
                    lane=attributes["lane"],
                    lanepos=attributes["lanepos"],
                    data=bytes(message.payload),
                )
            )
            self._changed.notify_all()

    def arrivals(self) -> list[Arrival]:
        with self._changed:
            return list(self._arrivals)

    def delivered(self) -> list[Delivered]:
        with self._changed:
            return list(self._delivered)

    def wait_for(self, condition: Callable[[list[Arrival]], bool], timeout_s: float) -> bool:
        """Wait until what has arrived satisfies the condition; tells whether it did."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self._arrivals), timeout_s)
