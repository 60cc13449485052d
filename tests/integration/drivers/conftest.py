"""A broker for each test, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from latchway.drivers.transport.mqtt import MqttSettings
from support.mosquitto import Mosquitto

StartBroker = Callable[..., Mosquitto]


@pytest.fixture
def start_broker(tmp_path: Path) -> Iterator[StartBroker]:
    """Start a mosquitto with further lines of config; it is killed after the test."""
    brokers: list[Mosquitto] = []

    def start(*lines: str) -> Mosquitto:
        broker = Mosquitto(tmp_path / f"broker{len(brokers)}", *lines)
        brokers.append(broker)
        broker.start()
        return broker

    yield start
    for broker in brokers:
        broker.kill()


@pytest.fixture
def broker(start_broker: StartBroker) -> Mosquitto:
    return start_broker("max_queued_messages 0")


def settings_for(broker: Mosquitto, **more: object) -> MqttSettings:
    return MqttSettings.model_validate({"host": "127.0.0.1", "port": broker.port, **more})


@pytest.fixture
def session(broker: Mosquitto) -> MqttSettings:
    """Settings of a session that outlives its connections."""
    return settings_for(broker, client_id="worker", clean_start=False, session_expiry_s=300)


@pytest.fixture
def plain(broker: Mosquitto) -> MqttSettings:
    return settings_for(broker)
