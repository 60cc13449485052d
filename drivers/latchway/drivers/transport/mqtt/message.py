"""A received message, and what can be said along with a published one."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Self

from latchway.drivers.contract import BrokerDelivery

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from latchway.drivers.transport.mqtt.inbox import Inbox

_DIGEST_SIZE = 8


@dataclass(slots=True, eq=False)
class MqttMessage:
    """One message as the broker delivered it. Treat it as a value: nobody may change it."""

    topic: str
    payload: bytes = field(repr=False)  # may hold a code
    qos: int = 0
    retain: bool = False
    duplicate: bool = False
    """MQTT's DUP: the broker sent it before, on this session's earlier connection."""
    packet_id: int = 0
    user_properties: tuple[tuple[str, str], ...] = ()
    content_type: str | None = None
    inbox: Inbox | None = field(default=None, repr=False)
    """Where it came in: an acknowledgement counts only there."""
    acknowledged: bool = False

    @property
    def delivery(self) -> BrokerDelivery | None:
        """What makes a redelivery recognisable; None at QoS 0, which is never redelivered."""
        if self.qos == 0:
            return None
        digest = blake2b(self.topic.encode(), digest_size=_DIGEST_SIZE)
        digest.update(b"\0")
        digest.update(self.payload)
        return BrokerDelivery(self.packet_id, digest.digest(), self.duplicate)


class Messages:
    """Async iterator over what a client receives. Ends only with the connection, by raising."""

    __slots__ = ("_receive",)

    def __init__(self, receive: Callable[[], Awaitable[MqttMessage]]) -> None:
        self._receive = receive

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MqttMessage:
        return await self._receive()


@dataclass(frozen=True, slots=True)
class PublishProperties:
    """MQTT 5 properties of a published message."""

    content_type: str | None = None
    user_properties: tuple[tuple[str, str], ...] = ()
    message_expiry_s: int | None = None
