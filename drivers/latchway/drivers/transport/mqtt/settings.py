"""What a config section says about one connection to a broker, and what it means for TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

if TYPE_CHECKING:
    from latchway.drivers.transport.mqtt.message import PublishProperties

_STRICT = ConfigDict(extra="forbid", frozen=True)


class MqttTls(BaseModel):
    """TLS to the broker. Without `ca_file` the machine's own certificates decide.

    `verify = false` gives up checking who answers; the connection is encrypted all the same.
    """

    model_config = _STRICT

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    verify: bool = True

    @model_validator(mode="after")
    def _key_goes_with_certificate(self) -> MqttTls:
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("key_file needs certificate_file: name both, or neither")
        return self

    def context(self) -> ssl.SSLContext:
        """Read the files and make the TLS context; raises `OSError` naming what is wrong."""
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python 3.13 began to refuse certificates without key identifiers, which is what most
        # home-made authorities issue. Chain, dates and name are checked all the same.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context


class MqttSettings(BaseModel):
    """One connection to a broker, as the config spells it.

    `receive_maximum` bounds the QoS 1 messages that the broker may have under way to us,
    `send_window` those that we have under way to it (the broker may allow fewer). A session is
    resumed with `clean_start = false` and a `session_expiry_s` above 0, and needs a `client_id`.
    """

    model_config = _STRICT

    host: str = Field(default="localhost", min_length=1)
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    client_id: str | None = Field(default=None, min_length=1, max_length=256)
    keep_alive_s: Annotated[int, Field(ge=1, le=65535)] = 30
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    clean_start: bool = True
    session_expiry_s: Annotated[int, Field(ge=0, le=4294967295)] = 0
    receive_maximum: Annotated[int, Field(ge=1, le=65535)] = 100
    send_window: Annotated[int, Field(ge=1, le=65535)] = 100
    maximum_packet_size: Annotated[int, Field(ge=1024, le=268435460)] = 4 * 1024 * 1024
    tls: MqttTls | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> MqttSettings:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file are both given: keep one")
        if (self.password or self.password_file) and self.username is None:
            raise ValueError("a password needs a username")
        if not self.clean_start and self.client_id is None:
            raise ValueError("clean_start = false needs a client_id: sessions belong to it")
        return self

    def read_password(self) -> str | None:
        """Return the password, from its file if it has one; raises `OSError`."""
        if self.password_file is not None:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        return None if self.password is None else self.password.get_secret_value()


@dataclass(frozen=True, slots=True)
class MqttWill:
    """What the broker publishes for us when the connection ends without a goodbye."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True
    properties: PublishProperties | None = None
