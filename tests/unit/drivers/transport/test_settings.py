"""What the config may say of a connection, and what it may not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from latchway.drivers.transport.mqtt import MqttSettings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"hots": "broker"}, "Extra inputs"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"host": ""}, "at least 1 character"),
        ({"clean_start": False}, "needs a client_id"),
        ({"password": "x"}, "needs a username"),
        ({"username": "u", "password": "x", "password_file": "/f"}, "keep one"),
        ({"tls": {"key_file": "/k"}}, "needs certificate_file"),
        ({"receive_maximum": 0}, "greater than or equal to 1"),
        ({"keep_alive_s": 0}, "greater than or equal to 1"),
    ],
)
def test_impossible_settings_say_what_to_do(values, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        MqttSettings.model_validate(values)


def test_a_password_is_not_shown() -> None:
    settings = MqttSettings.model_validate({"username": "u", "password": "hunter2"})

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()
    assert settings.read_password() == "hunter2"
