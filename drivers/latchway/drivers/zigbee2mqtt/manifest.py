"""What Zigbee2MQTT's driver says of itself, and its config section."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from latchway.drivers.contract import DeliveryClass, Manifest, Transport, VendorName
from latchway.drivers.transport.mqtt import MqttSettings
from latchway.schemas import (
    AccessDenied,
    AccessGranted,
    BatteryCritical,
    BatteryReported,
    CredentialAdded,
    CredentialChanged,
    CredentialRemoved,
    DeviceCoverageGap,
    DeviceFaulted,
    DeviceFirmwareChanged,
    DevicePaired,
    DeviceReachable,
    DeviceRemoved,
    DeviceUnreachable,
    DoorStateChanged,
    LockStateChanged,
    TamperDetected,
)

_BASE_TOPIC = r"^[^/+#$\x00-\x1f]+(/[^/+#\x00-\x1f]+)*$"
SESSION_EXPIRY_S = 7 * 24 * 3600
"""How long the broker keeps messages for us while we are away."""


class Zigbee2MqttConfig(BaseModel):
    """The vendor's config section.

    Without a `client_id` one is made up once and kept. The session is kept by the broker unless
    `clean_start = true` or `session_expiry_s = 0` is written there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    mqtt: MqttSettings = Field(
        default_factory=MqttSettings, description="The broker that Zigbee2MQTT publishes to."
    )
    base_topic: str = Field(
        default="zigbee2mqtt",
        max_length=256,
        pattern=_BASE_TOPIC,
        description="Zigbee2MQTT's own `mqtt.base_topic`.",
    )
    pacing_s: float = Field(
        default=1.0,
        ge=0.1,
        le=60,
        description="Seconds between two questions to locks, which all share one radio.",
    )

    def connection(self, client_id: str) -> MqttSettings:
        """Return the settings of a connection, with a session that survives us."""
        given = self.mqtt.model_fields_set
        update: dict[str, object] = {"client_id": self.mqtt.client_id or client_id}
        if "clean_start" not in given:
            update["clean_start"] = False
        if "session_expiry_s" not in given:
            update["session_expiry_s"] = SESSION_EXPIRY_S
        return self.mqtt.model_copy(update=update)


MANIFEST = Manifest(
    name=VendorName("zigbee2mqtt"),
    title="Zigbee locks behind Zigbee2MQTT",
    transport=Transport.MQTT,
    delivery_class=DeliveryClass.QUEUED,
    event_types=(
        LockStateChanged,
        DoorStateChanged,
        AccessGranted,
        AccessDenied,
        CredentialAdded,
        CredentialChanged,
        CredentialRemoved,
        BatteryReported,
        BatteryCritical,
        TamperDetected,
        DevicePaired,
        DeviceRemoved,
        DeviceReachable,
        DeviceUnreachable,
        DeviceFaulted,
        DeviceFirmwareChanged,
        DeviceCoverageGap,
    ),
    config=Zigbee2MqttConfig,
    pairing="Open Zigbee2MQTT for joining and reset the lock; it shows up here by itself.",
)
