"""What client and broker tell each other when a connection begins: CONNECT and CONNACK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from latchway.drivers.errors import MqttPacketTooLarge, MqttRefused

if TYPE_CHECKING:
    from latchway.drivers.transport.mqtt.settings import MqttSettings, MqttWill


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker allows on this connection [3.2.2.3]; the defaults are the standard's."""

    receive_maximum: int = 65535
    maximum_packet_size: int | None = None
    maximum_qos: int = 2
    retain_available: bool = True
    keep_alive_s: int | None = None

    def check(self, topic: str, size: int, *, qos: int, retain: bool) -> None:
        """Raise what a publish of that many bytes would be refused with, before it is sent."""
        if self.maximum_packet_size is not None and size > self.maximum_packet_size:
            raise MqttPacketTooLarge(
                f"A publish to {topic!r} has {size} bytes; the broker takes at most "
                f"{self.maximum_packet_size}"
            )
        if qos > self.maximum_qos:
            raise MqttRefused(f"a publish to {topic!r}", 0x9B, "QoS not supported")
        if retain and not self.retain_available:
            raise MqttRefused(f"a publish to {topic!r}", 0x9A, "Retain not supported")


def read_limits(properties: Properties | None) -> Limits:
    """Read the limits from the properties of a CONNACK."""

    def value(name: str, default: int | None) -> int | None:
        return getattr(properties, name, default)

    standard = Limits()
    return Limits(
        receive_maximum=value("ReceiveMaximum", None) or standard.receive_maximum,
        maximum_packet_size=value("MaximumPacketSize", None),
        maximum_qos=standard.maximum_qos if (qos := value("MaximumQoS", None)) is None else qos,
        retain_available=value("RetainAvailable", 1) != 0,
        keep_alive_s=value("ServerKeepAlive", None),
    )


def connect_properties(settings: MqttSettings) -> Properties:
    """Make the properties of a CONNECT."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's is
    properties.SessionExpiryInterval = settings.session_expiry_s
    properties.ReceiveMaximum = settings.receive_maximum
    properties.MaximumPacketSize = settings.maximum_packet_size
    return properties


def will_properties(will: MqttWill) -> Properties | None:
    """Make the properties of a last will."""
    if will.properties is None:
        return None
    properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call] # paho's is
    if will.properties.content_type is not None:
        properties.ContentType = will.properties.content_type
    if will.properties.message_expiry_s is not None:
        properties.MessageExpiryInterval = will.properties.message_expiry_s
    if will.properties.user_properties:
        properties.UserProperty = list(will.properties.user_properties)
    return properties
