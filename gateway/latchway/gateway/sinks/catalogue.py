"""Which sinks exist. A new sink is its own folder, and one member of `SinkConfig`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from latchway.gateway.sinks.file.settings import FileSinkSettings
from latchway.gateway.sinks.mqtt.settings import MqttSinkSettings

SinkConfig: TypeAlias = Annotated[
    FileSinkSettings | MqttSinkSettings,
    Field(discriminator="type"),
]
"""One config section `[sinks.NAME]`; `type` says which. `config.build(name, environment)`."""
