"""Zigbee2MQTT: Zigbee locks behind the bridge that publishes them on a local MQTT broker."""
