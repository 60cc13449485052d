"""Zigbee2MQTT: Zigbee locks behind the bridge that publishes them on a local MQTT broker."""

from __future__ import annotations

from latchway.drivers.contract import Vendor
from latchway.drivers.zigbee2mqtt.driver import Zigbee2MqttDriver
from latchway.drivers.zigbee2mqtt.manifest import MANIFEST

VENDOR = Vendor(MANIFEST, Zigbee2MqttDriver)
