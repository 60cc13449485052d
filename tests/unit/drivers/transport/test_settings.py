"""What the config may say of a connection, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from latchway.drivers.transport.mqtt import MqttSettings, MqttTls


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
        ({"username": "u", "password_file": "cloud.password"}, "absolute path"),
        ({"tls": {"ca_file": "ca.pem"}}, "absolute path"),
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


def test_a_password_that_cannot_be_read_names_its_key_file_and_reason(tmp_path) -> None:
    missing = tmp_path / "cloud.password"
    settings = MqttSettings(username="u", password_file=missing)

    with pytest.raises(OSError, match=r"^password_file .*cloud\.password cannot be used \(No such"):
        settings.read_password()

    missing.write_bytes(b"\xff\xfe")
    with pytest.raises(OSError, match=r"^password_file .* cannot be used \('utf-8' codec"):
        settings.read_password()


def test_certificates_that_cannot_be_used_name_their_key_file_and_reason(tmp_path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")

    with pytest.raises(OSError, match=r"^tls\.ca_file /none/ca\.pem cannot be used \(No such"):
        MqttTls(ca_file=Path("/none/ca.pem")).context()
    with pytest.raises(OSError, match=r"^tls\.ca_file .*broken\.pem cannot be used \("):
        MqttTls(ca_file=broken).context()
    with pytest.raises(OSError, match=r"^tls\.certificate_file .*broken\.pem cannot be used \("):
        MqttTls(certificate_file=broken).context()
