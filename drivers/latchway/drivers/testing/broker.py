"""An MQTT broker in memory, and the client that a `FakeContext` gives to a driver.

The client decodes real PUBLISH packets through the same inbox as `MqttClient`, so that order of
acknowledgement, DUP and packet ids are the real thing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from latchway.drivers.errors import MqttDisconnected, MqttRefused, MqttUnreachable
from latchway.drivers.transport.mqtt.inbox import Inbox, InboxBounds, MqttCounters
from latchway.drivers.transport.mqtt.message import Messages
from latchway.drivers.transport.mqtt.packets import PublishParts, publish_flags

if TYPE_CHECKING:
    from types import TracebackType

    from latchway.drivers.transport.mqtt import MqttMessage, MqttSettings, PublishProperties

_DUP = 0x08
_RETAINED_NEVER = 2
"""Retain handling [MQTT 3.8.3.1]: a subscription brings no retained messages."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A message on its way through the broker."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class _Session:
    """What the broker holds of one client: subscriptions, and what it has not acknowledged."""

    def __init__(self) -> None:
        self.client: FakeMqttClient | None = None
        self.subscriptions: dict[str, int] = {}
        self.under_way: dict[int, Publication] = {}
        self._queued: deque[Publication] = deque()
        self._packet_id = 0

    @property
    def unacknowledged(self) -> int:
        return len(self.under_way) + len(self._queued)

    def attach(self, client: FakeMqttClient) -> None:
        self.client = client
        for packet_id, publication in self.under_way.items():
            client.deliver(publication, packet_id, duplicate=True)
        queued, self._queued = self._queued, deque()
        for publication in queued:
            self.hand_over(publication, publication.qos)

    def route(self, publication: Publication) -> None:
        """Deliver a publication that one of the subscriptions matches, once, or keep it."""
        granted = [q for f, q in self.subscriptions.items() if matches(f, publication.topic)]
        qos = min(publication.qos, max(granted, default=-1))
        if qos >= 0 and self.client is not None:
            self.hand_over(publication, qos)
        elif qos > 0:
            self._queued.append(publication)

    def hand_over(self, publication: Publication, qos: int) -> None:
        if self.client is None:
            return
        packet_id = 0
        if qos:
            self._packet_id = self._packet_id % 65535 + 1
            packet_id = self._packet_id
            self.under_way[packet_id] = publication
        self.client.deliver(publication, packet_id)


class FakeBroker:
    """One broker for one driver. What a bridge would publish, a test publishes here.

    Each client id has a session of its own; clients without one are told apart by themselves.
    """

    def __init__(self) -> None:
        self.published: list[Publication] = []
        """What the driver published, in order."""
        self.acknowledged: list[Publication] = []
        """What the driver acknowledged at QoS 1, in order."""
        self.acknowledged_ids: list[int] = []
        """The same as packet ids."""
        self.reachable = True
        self.refused_filters: set[str] = set()
        self._retained: dict[str, Publication] = {}
        self._sessions: dict[object, _Session] = {}

    @property
    def unacknowledged(self) -> int:
        """QoS 1 messages that the driver has, or should have, but has not acknowledged."""
        return sum(session.unacknowledged for session in self._sessions.values())

    @property
    def filters(self) -> set[str]:
        """What the driver is subscribed to, on all its connections."""
        return {name for session in self._sessions.values() for name in session.subscriptions}

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False
    ) -> None:
        """Publish as a bridge does: to whoever subscribed, kept for a session that is away."""
        raw = payload.encode() if isinstance(payload, str) else payload
        if retain:
            self._retained[topic] = Publication(topic, raw, qos, retain=True)
        for session in list(self._sessions.values()):
            session.route(Publication(topic, raw, qos))

    def drop_connection(self) -> None:
        """End the driver's connections; a session stays if the driver asked for it."""
        for session in list(self._sessions.values()):
            if session.client is not None:
                session.client.lose("the test dropped the connection")

    def lose_session(self) -> None:
        """Forget the driver's sessions, as a broker without persistence does when restarted."""
        self.drop_connection()
        self._sessions.clear()

    def attach(self, client: FakeMqttClient, settings: MqttSettings) -> None:
        """Take a connection and deliver again what its session has not acknowledged."""
        if not self.reachable:
            raise MqttUnreachable("No connection to the broker of this test: it is off")
        key = settings.client_id or client
        earlier = self._sessions.get(key)
        if earlier is not None and earlier.client is not None:
            earlier.client.lose("another client took the session over")
        if settings.clean_start:
            self._sessions.pop(key, None)
        client.session_present = key in self._sessions
        self._sessions.setdefault(key, _Session()).attach(client)

    def detach(self, client: FakeMqttClient, settings: MqttSettings) -> None:
        """Note that the connection is over."""
        key = settings.client_id or client
        session = self._sessions.get(key)
        if session is None or session.client is not client:
            return
        session.client = None
        if settings.session_expiry_s == 0:
            del self._sessions[key]

    def subscribe(
        self, client: FakeMqttClient, topic_filter: str, qos: int, retain_handling: int
    ) -> None:
        """Add a subscription and deliver the retained messages that it matches."""
        if topic_filter in self.refused_filters:
            raise MqttRefused(f"the subscription to {topic_filter!r}", 0x87, "Not authorized")
        session = self._session_of(client)
        is_new = topic_filter not in session.subscriptions
        session.subscriptions[topic_filter] = qos
        if retain_handling == _RETAINED_NEVER or (retain_handling and not is_new):
            return
        for publication in self._retained.values():
            if matches(topic_filter, publication.topic):
                session.hand_over(publication, min(qos, publication.qos))

    def acknowledge(self, client: FakeMqttClient, packet_id: int) -> None:
        """Take a PUBACK."""
        publication = self._session_of(client).under_way.pop(packet_id, None)
        if publication is not None:
            self.acknowledged.append(publication)
            self.acknowledged_ids.append(packet_id)

    def _session_of(self, client: FakeMqttClient) -> _Session:
        return next(each for each in self._sessions.values() if each.client is client)


class FakeMqttClient:
    """Stands in for `MqttClient` on a `FakeBroker`; the same methods mean the same."""

    def __init__(self, broker: FakeBroker, settings: MqttSettings) -> None:
        self._broker = broker
        self._settings = settings
        self._inbox = Inbox(InboxBounds(settings.receive_maximum))
        self._arrived = asyncio.Event()
        self.session_present = False
        self.closed: asyncio.Future[MqttDisconnected] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self._broker.attach(self, self._settings)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.lose("closed by us")

    @property
    def counters(self) -> MqttCounters:
        return self._inbox.counters

    @property
    def messages(self) -> Messages:
        return Messages(self.receive)

    @property
    def unacknowledged(self) -> int:
        return self._inbox.unacknowledged

    async def receive(self) -> MqttMessage:
        while (message := self.receive_nowait()) is None:
            self._raise_if_closed()
            self._arrived.clear()
            await self._arrived.wait()
        return message

    def receive_nowait(self) -> MqttMessage | None:
        return self._inbox.take()

    def acknowledge(self, message: MqttMessage) -> None:
        self._inbox.acknowledge(message)
        for packet_id in self._inbox.releasable():
            if not self.closed.done():
                self._broker.acknowledge(self, packet_id)

    async def subscribe(self, *topics: tuple[str, int], retain_handling: int = 0) -> None:
        self._raise_if_closed()
        for topic_filter, qos in topics:
            self._broker.subscribe(self, topic_filter, qos, retain_handling)

    async def publish(
        self,
        topic: str,
        payload: bytes | str,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: PublishProperties | None = None,
    ) -> None:
        await self.publish_soon(topic, payload, qos=qos, retain=retain, properties=properties)

    async def publish_soon(
        self,
        topic: str,
        payload: bytes | str,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: PublishProperties | None = None,
    ) -> asyncio.Future[None]:
        self._raise_if_closed()
        parts = PublishParts.of(topic, payload, properties)
        self._broker.published.append(Publication(topic, parts.payload, qos, retain))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def deliver(self, publication: Publication, packet_id: int, *, duplicate: bool = False) -> None:
        """Receive a packet from the broker."""
        qos = 1 if packet_id else 0
        flags = publish_flags(qos, retain=publication.retain) | (_DUP if duplicate else 0)
        parts = PublishParts.of(publication.topic, publication.payload, None)
        packet = parts.encode(flags, packet_id)
        remaining = parts.size(flags)
        header = remaining - parts.remaining(flags)
        self._inbox.receive(packet[0], packet[header:])
        self._arrived.set()

    def lose(self, why: str) -> None:
        """End the connection."""
        if not self.closed.done():
            self.closed.set_result(MqttDisconnected(f"The connection ended: {why}"))
            self._broker.detach(self, self._settings)
            self._arrived.set()

    def _raise_if_closed(self) -> None:
        if self.closed.done():
            raise self.closed.result()


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a topic matches a filter; wildcards do not match topics that begin with $."""
    if topic.startswith("$") and topic_filter[:1] in ("+", "#"):
        return False
    filters, levels = topic_filter.split("/"), topic.split("/")
    for index, part in enumerate(filters):
        if part == "#":
            return True
        if index >= len(levels) or part not in ("+", levels[index]):
            return False
    return len(filters) == len(levels)
