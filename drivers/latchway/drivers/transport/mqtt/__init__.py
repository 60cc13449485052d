"""MQTT 5 for drivers and for the MQTT sink: one client object per connection to a broker.

QoS 1 is acknowledged only when the consumer says so, and a refused publish is an error. Design
section 6.
"""

from __future__ import annotations

from latchway.drivers.errors import (
    MqttDisconnected,
    MqttError,
    MqttPacketTooLarge,
    MqttRefused,
    MqttUnreachable,
)
from latchway.drivers.transport.mqtt.client import MqttClient
from latchway.drivers.transport.mqtt.message import MqttMessage, PublishProperties
from latchway.drivers.transport.mqtt.settings import MqttSettings, MqttTls, MqttWill

__all__ = [
    "MqttClient",
    "MqttDisconnected",
    "MqttError",
    "MqttMessage",
    "MqttPacketTooLarge",
    "MqttRefused",
    "MqttSettings",
    "MqttTls",
    "MqttUnreachable",
    "MqttWill",
    "PublishProperties",
]
