"""What client and broker tell each other when a connection begins: CONNECT and CONNACK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from latchway.drivers.errors import MqttError, MqttPacketTooLarge, MqttRefused, MqttUnreachable
from latchway.drivers.transport.mqtt.window import FIRST_REFUSAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paho.mqtt.reasoncodes import ReasonCode

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


def connect_problem(error: Exception, where: str, timeout_s: float) -> MqttError:
    """Say in our own words why no connection came about."""
    if isinstance(error, TimeoutError):
        return MqttUnreachable(f"No answer from {where} within {timeout_s:g} s")
    if isinstance(error, aiomqtt.exceptions.MqttConnectError):
        code = cast("ReasonCode", error.rc)
        return MqttRefused(f"the connection to {where}", code.value, code.getName())
    return MqttUnreachable(f"No connection to {where}: {error}")


def subscribe_options(
    topics: Sequence[tuple[str, int]], retain_handling: int
) -> list[tuple[str, SubscribeOptions]]:
    """Make the filters of a SUBSCRIBE."""
    return [
        (topic, SubscribeOptions(qos=qos, retainHandling=retain_handling)) for topic, qos in topics
    ]


def check_granted(topics: Sequence[tuple[str, int]], codes: Sequence[ReasonCode]) -> None:
    """Raise `MqttRefused` for the first filter that a SUBACK refuses."""
    for (topic, _), code in zip(topics, codes, strict=True):
        if code.value >= FIRST_REFUSAL:
            raise MqttRefused(f"the subscription to {topic!r}", code.value, code.getName())
