"""TLS to the broker: who answers is checked, and never is anything sent in the clear."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from latchway.drivers.transport.mqtt import MqttClient, MqttUnreachable
from support.certificates import Authority
from support.mosquitto import Mosquitto

from .conftest import settings_for


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def tls_lines(authority: Authority, alternative: str) -> tuple[str, ...]:
    certificate, key = authority.issue("broker", alternative)
    return f"cafile {authority.certificate}", f"certfile {certificate}", f"keyfile {key}"


@pytest.fixture
def tls_broker(start_broker, authority: Authority) -> Mosquitto:
    return start_broker(*tls_lines(authority, "IP:127.0.0.1"))


async def exchange(settings) -> bytes:
    async with MqttClient(settings) as client:
        await client.subscribe(("t", 1))
        await client.publish("t", b"x" * 200_000)
        message = await client.receive()
        client.acknowledge(message)
        return message.payload


async def test_messages_pass_over_tls(tls_broker, authority) -> None:
    tls = {"ca_file": str(authority.certificate)}
    assert await exchange(settings_for(tls_broker, tls=tls)) == b"x" * 200_000


async def test_many_messages_pass_over_tls_in_order(tls_broker, authority) -> None:
    tls = {"ca_file": str(authority.certificate)}
    async with MqttClient(settings_for(tls_broker, tls=tls)) as client:
        await client.subscribe(("t", 1))
        for start in range(0, 1000, 50):
            for number in range(start, start + 50):
                await client.publish_soon("t", f"{number} {'x' * 900}")
            for number in range(start, start + 50):
                message = await client.receive()
                assert message.payload.startswith(f"{number} ".encode())
                client.acknowledge(message)


async def test_a_broker_of_another_authority_is_refused(tls_broker, tmp_path) -> None:
    stranger = Authority(tmp_path / "stranger", "Another CA")
    tls = {"ca_file": str(stranger.certificate)}
    with pytest.raises(MqttUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        await exchange(settings_for(tls_broker, tls=tls))


async def test_the_machines_own_authorities_do_not_vouch_for_ours(tls_broker) -> None:
    with pytest.raises(MqttUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        await exchange(settings_for(tls_broker, tls={}))


async def test_a_certificate_for_another_name_is_refused(start_broker, authority) -> None:
    broker = start_broker(*tls_lines(authority, "DNS:elsewhere.example"))
    tls = {"ca_file": str(authority.certificate)}
    with pytest.raises(MqttUnreachable, match=r"(?i)mismatch"):
        await exchange(settings_for(broker, tls=tls))


async def test_without_verification_the_connection_is_still_encrypted(
    tls_broker, monkeypatch
) -> None:
    seen: list[ssl.SSLContext] = []
    wrap = ssl.SSLContext.wrap_socket

    def spy(self, *arguments, **more):
        seen.append(self)
        return wrap(self, *arguments, **more)

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", spy)
    assert await exchange(settings_for(tls_broker, tls={"verify": False}))
    assert len(seen) == 1


async def test_a_client_certificate_lets_us_in(start_broker, authority) -> None:
    broker = start_broker(*tls_lines(authority, "IP:127.0.0.1"), "require_certificate true")
    certificate, key = authority.issue("hub", "DNS:hub")
    ours = {
        "ca_file": str(authority.certificate),
        "certificate_file": str(certificate),
        "key_file": str(key),
    }
    assert await exchange(settings_for(broker, tls=ours))
    with pytest.raises(MqttUnreachable):
        await exchange(settings_for(broker, tls={"ca_file": str(authority.certificate)}))


async def test_a_missing_certificate_file_is_named(tls_broker, tmp_path) -> None:
    with pytest.raises(MqttUnreachable, match="No such file"):
        await exchange(settings_for(tls_broker, tls={"ca_file": str(tmp_path / "none.pem")}))


async def test_tls_is_never_given_up_for_a_plain_connection(broker, authority) -> None:
    tls = {"ca_file": str(authority.certificate)}
    with pytest.raises(MqttUnreachable):
        await exchange(settings_for(broker, tls=tls, connect_timeout_s=2))
