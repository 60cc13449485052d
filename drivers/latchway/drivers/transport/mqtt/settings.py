"""What a config section says about one connection to a broker, and what it means for TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

if TYPE_CHECKING:
    from latchway.drivers.transport.mqtt.message import PublishProperties

_STRICT = ConfigDict(extra="forbid", frozen=True)


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"must be an absolute path, such as /etc/latchway/{path.name}")
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
"""A daemon may be started in any folder: from there, a relative path names some other file."""


class MqttTls(BaseModel):
    """TLS to the broker. Without `ca_file` the machine's own certificates decide.

    `verify = false` gives up checking who answers; the connection is encrypted all the same.
    """

    model_config = _STRICT

    ca_file: AbsolutePath | None = Field(
        default=None, description="Certificates (PEM) of who may vouch for the broker."
    )
    certificate_file: AbsolutePath | None = Field(
        default=None, description="Our own certificate (PEM), where the broker asks for one."
    )
    key_file: AbsolutePath | None = Field(
        default=None, description="Its key, unless that is in the certificate's file."
    )
    verify: bool = Field(default=True, description="Whether the broker's certificate is checked.")

    @model_validator(mode="after")
    def _key_goes_with_certificate(self) -> MqttTls:
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("key_file needs certificate_file: name both, or neither")
        return self

    def context(self) -> ssl.SSLContext:
        """Read the files and make the TLS context; raises `OSError` naming what is wrong."""
        with _naming("tls.ca_file", self.ca_file):
            context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python 3.13 began to refuse certificates without key identifiers, which is what most
        # home-made authorities issue. Chain, dates and name are checked all the same.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate_file is not None:
            with _naming("tls.certificate_file", self.certificate_file, self.key_file):
                context.load_cert_chain(self.certificate_file, self.key_file)
        return context


class MqttSettings(BaseModel):
    """One connection to a broker, as the config spells it.

    `receive_maximum` bounds the QoS 1 messages that the broker may have under way to us,
    `send_window` those that we have under way to it (the broker may allow fewer). A session is
    resumed with `clean_start = false` and a `session_expiry_s` above 0, and needs a `client_id`.
    """

    model_config = _STRICT

    host: str = Field(default="localhost", min_length=1, description="Name or address.")
    port: int = Field(default=1883, ge=1, le=65535, description="With TLS usually 8883.")
    username: str | None = Field(default=None, description="Absent: no log-in.")
    password: SecretStr | None = Field(default=None, description="Better: `password_file`.")
    password_file: AbsolutePath | None = Field(
        default=None, description="File that holds nothing but the password."
    )
    client_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="What we are called at the broker; absent: made up once, and kept.",
    )
    keep_alive_s: int = Field(
        default=30, ge=1, le=65535, description="Seconds of silence after which we ask it."
    )
    connect_timeout_s: float = Field(
        default=10.0, gt=0, le=300, description="Seconds until a connection is given up."
    )
    clean_start: bool = Field(
        default=True, description="Whether the broker forgets what it kept for us."
    )
    session_expiry_s: int = Field(
        default=0, ge=0, le=4294967295, description="Seconds for which it keeps that."
    )
    receive_maximum: int = Field(
        default=100, ge=1, le=65535, description="Messages under way to us at most."
    )
    send_window: int = Field(
        default=100, ge=1, le=65535, description="Messages under way from us at most."
    )
    maximum_packet_size: int = Field(
        default=4 * 1024 * 1024,
        ge=1024,
        le=268435460,
        description="Bytes of the largest packet that we take.",
    )
    tls: MqttTls | None = Field(
        default=None, description="`tls = {}` is TLS checked by the machine's own certificates."
    )

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
            with _naming("password_file", self.password_file):
                return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        return None if self.password is None else self.password.get_secret_value()


@contextmanager
def _naming(key: str, *files: Path | None) -> Iterator[None]:
    """Say which key and file it was that could not be used; neither OpenSSL nor Python does."""
    try:
        yield
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) else None
        named = " with ".join(str(file) for file in files if file is not None)
        raise OSError(f"{key} {named} cannot be used ({text or error})") from None


@dataclass(frozen=True, slots=True)
class MqttWill:
    """What the broker publishes for us when the connection ends without a goodbye."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True
    properties: PublishProperties | None = None
