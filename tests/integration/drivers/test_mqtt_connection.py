"""How connections begin and end: time-outs, half-open ones, bounds of what may wait."""

from __future__ import annotations

import asyncio
import socket
import subprocess

import pytest

from latchway.drivers.transport.mqtt import (
    MqttClient,
    MqttDisconnected,
    MqttRefused,
    MqttSettings,
    MqttUnreachable,
)
from support.mosquitto import free_port

from .conftest import settings_for


async def test_a_frozen_broker_is_found_within_one_and_a_half_keep_alives(broker) -> None:
    async with MqttClient(settings_for(broker, keep_alive_s=1)) as client:
        broker.freeze()
        began = asyncio.get_running_loop().time()
        with pytest.raises(MqttDisconnected, match="does not answer pings"):
            await client.receive()
        took = asyncio.get_running_loop().time() - began
        broker.thaw()

    assert took < 1.5


async def test_a_quiet_connection_lives_on_by_pings(broker) -> None:
    async with MqttClient(settings_for(broker, keep_alive_s=1)) as client:
        done, _ = await asyncio.wait((client.closed,), timeout=2)
        assert not done
        await client.publish("t", b"still here")


async def test_nobody_listening_is_unreachable() -> None:
    with pytest.raises(MqttUnreachable, match="refused"):
        async with MqttClient(MqttSettings(host="127.0.0.1", port=free_port())):
            pass


async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    with pytest.raises(MqttUnreachable, match=r"broker\.invalid"):
        async with MqttClient(MqttSettings(host="broker.invalid", connect_timeout_s=5)):
            pass


async def test_a_peer_that_takes_no_connection_is_given_up_in_time() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        settings = MqttSettings(host="127.0.0.1", port=deaf.getsockname()[1], connect_timeout_s=0.3)
        with pytest.raises(MqttUnreachable, match=r"within 0\.3 s"):
            async with MqttClient(settings):
                pass


async def test_a_wrong_password_is_refused_and_a_right_one_from_a_file_is_not(
    start_broker, tmp_path
) -> None:
    accounts = tmp_path / "accounts"
    accounts.write_text("hub:right\n", encoding="utf-8")
    broker = start_broker("allow_anonymous false", *password_lines(accounts))
    secret = tmp_path / "secret"
    secret.write_text("right\n", encoding="utf-8")
    wrong = {"password": "guessed"}
    with pytest.raises(MqttRefused, match="Not authorized") as refused:
        async with MqttClient(settings_for(broker, username="hub", **wrong)):
            pass
    async with MqttClient(settings_for(broker, username="hub", password_file=str(secret))) as good:
        await good.publish("t", b"x")

    assert refused.value.reason_code == 0x87
    assert "guessed" not in str(refused.value)


def password_lines(accounts) -> tuple[str, ...]:
    subprocess.run(["mosquitto_passwd", "-U", str(accounts)], check=True)
    accounts.chmod(0o644)
    return (f"password_file {accounts}",)


async def test_the_same_client_id_elsewhere_ends_the_older_connection(broker) -> None:
    settings = settings_for(broker, client_id="twin")
    async with MqttClient(settings) as older, MqttClient(settings):
        with pytest.raises(MqttDisconnected, match=r"(?i)taken over|closed the connection"):
            await older.receive()


async def test_only_qos_0_is_dropped_beyond_the_bound_and_it_is_counted(broker, plain) -> None:
    async with MqttClient(plain) as client, MqttClient(plain) as bridge:
        await client.subscribe(("t/#", 1))
        for number in range(2500):
            await bridge.publish("t/0", str(number), qos=0)
            if number % 50 == 0:
                await bridge.publish("t/1", str(number))
        await bridge.publish("t/1", "end")
        taken = []
        async with asyncio.timeout(20):
            while not taken or taken[-1].payload != b"end":
                await asyncio.wait((client.closed,), timeout=0.01)
                taken += list(iter(client.receive_nowait, None))
                for message in taken:
                    client.acknowledge(message)

    assert [m.payload for m in taken if m.qos] == [
        *[str(number).encode() for number in range(0, 2500, 50)],
        b"end",
    ]
    assert sum(m.qos == 0 for m in taken) + client.counters.dropped == 2500


async def test_a_backlog_is_taken_in_bounded_pieces_and_in_order(broker, plain) -> None:
    # Mosquitto 2.0.11 sends more of a backlog than Receive Maximum allows.
    session = settings_for(
        broker, client_id="worker", clean_start=False, session_expiry_s=300, receive_maximum=10
    )
    async with MqttClient(session) as client:
        await client.subscribe(("t", 1))
    async with MqttClient(plain) as bridge:
        for number in range(1000):
            await bridge.publish_soon("t", str(number))
        await bridge.publish("t", "end")

    taken = []
    async with MqttClient(session) as client:
        while not taken or taken[-1] != b"end":
            async with asyncio.timeout(10):
                message = await client.receive()
            assert client.unacknowledged <= 11
            taken.append(message.payload)
            client.acknowledge(message)

    assert taken == [*[str(number).encode() for number in range(1000)], b"end"]


async def test_subscribing_does_not_wait_for_a_backlog_to_be_consumed(broker, plain) -> None:
    session = settings_for(
        broker, client_id="worker", clean_start=False, session_expiry_s=300, receive_maximum=10
    )
    async with MqttClient(session) as client:
        await client.subscribe(("t", 1))
    async with MqttClient(plain) as bridge:
        for number in range(1000):
            await bridge.publish("t", str(number))

    async with MqttClient(session) as client, asyncio.timeout(5):
        await client.subscribe(("other", 1))
        first = await client.receive()

    assert first.payload == b"0"


async def test_a_broker_that_restarts_ends_the_connection_with_a_reason(broker, plain) -> None:
    async with MqttClient(plain) as client:
        broker.stop()
        with pytest.raises(MqttDisconnected, match=r"Server shutting down|closed the connection"):
            await client.receive()
