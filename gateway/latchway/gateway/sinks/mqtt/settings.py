"""Config section of the sink `mqtt`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from latchway.drivers.transport.mqtt.settings import MqttSettings
from latchway.gateway.sinks.mqtt.topics import TopicTemplate
from latchway.gateway.sinks.settings import SinkSettings

if TYPE_CHECKING:
    from latchway.gateway.sinks.contract import Sink, SinkEnvironment


def _event_topic(text: str) -> str:
    TopicTemplate(text)
    return text


def _status_topic(text: str) -> str:
    TopicTemplate(text, names=("hub",))
    return text


class MqttSinkSettings(MqttSettings, SinkSettings):
    """An MQTT 5 broker; the keys of the connection itself are those of every MQTT section."""

    type: Literal["mqtt"]
    topic: Annotated[str, AfterValidator(_event_topic)] = Field(
        default="latchway/{hub}/{vendor}/{device}/{family}/{fact}",
        description="Topic of an event; `{hub}`, `{vendor}`, `{device}`, `{family}`, `{fact}`.",
    )
    status_topic: Annotated[str, AfterValidator(_status_topic)] = Field(
        default="latchway/{hub}/status",
        description="Retained topic that says whether the hub is online (birth and last will).",
    )
    messages_per_s: float | None = Field(
        default=None, gt=0, description="Publishes per second at most; none means no limit."
    )
    bytes_per_s: int | None = Field(
        default=None, ge=1024, description="Bytes per second at most; none means no limit."
    )

    def build(self, name: str, environment: SinkEnvironment) -> Sink:
        """Construct the sink."""
        from latchway.gateway.sinks.mqtt.sink import MqttSink  # noqa: PLC0415 - see base class

        return MqttSink(name, self, environment)
