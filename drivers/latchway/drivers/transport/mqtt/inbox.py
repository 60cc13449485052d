"""Received messages of one connection: their queue, its bounds, the order of acknowledgement.

No I/O: `MqttClient` feeds it from the socket and sends the PUBACKs that it releases.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from latchway.drivers.transport.mqtt.message import MqttMessage
from latchway.drivers.transport.mqtt.packets import (
    decode_properties,
    decode_publish,
    is_duplicate,
    is_retained,
)


@dataclass(slots=True)
class MqttCounters:
    """What happened on one connection since it began."""

    received: int = 0
    dropped: int = 0
    """QoS 0 messages that found the queue full; nothing else is ever dropped."""
    invalid_topics: int = 0
    """Messages whose topic is not UTF-8: nobody can want them, so they are acknowledged."""
    invalid_properties: int = 0
    """Messages whose properties cannot be read: delivered without them."""
    pauses: int = 0
    """Times that the socket was not read because the broker sent more than we allowed."""


@dataclass(frozen=True, slots=True)
class InboxBounds:
    """How much may wait here. Beyond, QoS 0 is dropped, and QoS 1 stops the reading."""

    unacknowledged: int
    queued_messages: int = 2000
    queued_bytes: int = 8 * 1024 * 1024
    flood_bytes: int = 64 * 1024 * 1024


class Inbox:
    """Queue of messages and the order in which QoS 1 is to be acknowledged [MQTT-4.6.0-2]."""

    def __init__(self, bounds: InboxBounds) -> None:
        self._bounds = bounds
        self._queue: deque[MqttMessage] = deque()
        self._queued_bytes = 0
        self._arrivals: deque[MqttMessage] = deque()
        self.counters = MqttCounters()

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def unacknowledged(self) -> int:
        return len(self._arrivals)

    @property
    def full(self) -> bool:
        """Whether no more may be read: the broker overran its allowance, or bytes pile up."""
        return (
            len(self._arrivals) > self._bounds.unacknowledged
            or self._queued_bytes > self._bounds.queued_bytes
        )

    @property
    def flooded(self) -> bool:
        """Whether nothing may be read at all, whatever anybody waits for."""
        return self._queued_bytes > self._bounds.flood_bytes

    def receive(self, first_byte: int, body: bytes) -> None:
        """Take a PUBLISH packet; raises `Malformed`."""
        raw = decode_publish(first_byte, body)
        counters = self.counters
        counters.received += 1
        qos = first_byte >> 1 & 0x03
        if qos == 0 and self._no_room():
            counters.dropped += 1
            return
        message = MqttMessage(
            topic="",
            payload=raw.payload,
            qos=qos,
            retain=is_retained(first_byte),
            duplicate=is_duplicate(first_byte),
            packet_id=raw.packet_id,
            inbox=self,
        )
        if qos:
            self._arrivals.append(message)
        try:
            message.topic = raw.topic.decode("utf-8")
        except UnicodeDecodeError:
            counters.invalid_topics += 1
            message.acknowledged = True
            return
        if raw.properties:
            self._read_properties(message, raw.properties)
        self._queue.append(message)
        self._queued_bytes += len(raw.payload)

    def _no_room(self) -> bool:
        bounds = self._bounds
        return (
            len(self._queue) >= bounds.queued_messages or self._queued_bytes > bounds.queued_bytes
        )

    def _read_properties(self, message: MqttMessage, raw: bytes) -> None:
        try:
            message.content_type, message.user_properties = decode_properties(raw)
        except ValueError:
            self.counters.invalid_properties += 1

    def take(self) -> MqttMessage | None:
        """Remove and return the oldest message that nobody has taken."""
        if not self._queue:
            return None
        message = self._queue.popleft()
        self._queued_bytes -= len(message.payload)
        return message

    def acknowledge(self, message: MqttMessage) -> None:
        """Note that a message is dealt with. One of another connection, or twice: no effect."""
        if message.inbox is self:
            message.acknowledged = True

    def releasable(self) -> list[int]:
        """Remove and return the packet ids whose PUBACK may leave now, in order of arrival."""
        arrivals = self._arrivals
        released: list[int] = []
        while arrivals and arrivals[0].acknowledged:
            released.append(arrivals.popleft().packet_id)
        return released
