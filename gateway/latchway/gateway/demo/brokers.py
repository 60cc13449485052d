"""MQTT brokers for the demo: mosquitto where it is installed, else the embedded one.

Why these two, and in this order: docs/decisions/0070-demo-broker.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from latchway.gateway.demo.errors import NoBroker
from latchway.gateway.demo.processes import Process, started

if TYPE_CHECKING:
    from pathlib import Path

BROKER_VARIABLE = "LATCHWAY_DEMO_BROKER"
"""Environment variable that chooses the broker by the name of its kind."""

_HOST = "127.0.0.1"
_START_S = 10.0
_TRIES = 3
_POLL_S = 0.02

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 100000
log_dest stdout
"""

_EMBEDDED = """\
id = 0
[router]
id = 0
max_connections = 64
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
[v5.1]
name = "demo"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = 262144
max_inflight_count = 100
"""


class BrokerKind(StrEnum):
    """Which program serves as broker."""

    MOSQUITTO = "mosquitto"
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """A broker that accepts connections on this machine."""

    kind: BrokerKind
    port: int


def choose_kind(environment: Mapping[str, str]) -> BrokerKind:
    """Say which broker the demo uses here. Raises `NoBroker`."""
    wish = environment.get(BROKER_VARIABLE)
    if wish is not None:
        if wish not in tuple(BrokerKind):
            raise NoBroker(f"{BROKER_VARIABLE}={wish!r}: use one of {', '.join(BrokerKind)}")
        return BrokerKind(wish)
    if find_mosquitto() is not None:
        return BrokerKind.MOSQUITTO
    if importlib.util.find_spec("iotcore") is not None:
        return BrokerKind.EMBEDDED
    raise NoBroker(
        "The demo needs an MQTT broker, and there is none for this machine: "
        "pip install 'latchway[demo]', or sudo apt-get install mosquitto"
    )


def find_mosquitto() -> str | None:
    """Return the path of mosquitto; Debian keeps it where only root's PATH looks."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))
    return shutil.which("mosquitto", path=places)


@contextlib.asynccontextmanager
async def broker(kind: BrokerKind, folder: Path, name: str) -> AsyncIterator[RunningBroker]:
    """Run one broker on a free port until the block is left. Raises `NoBroker`."""
    why = ""
    for _ in range(_TRIES):
        port = _free_port()
        async with started(_command(kind, folder, name, port), folder / f"{name}.log") as process:
            # Somebody may have taken the port since: then the broker ends, and we try another.
            if not await _accepts(process, port):
                why = process.last_words()
                continue
            yield RunningBroker(kind, port)
            return
    raise NoBroker(f"The {kind} broker did not start:\n{why}")


def _command(kind: BrokerKind, folder: Path, name: str, port: int) -> tuple[str | Path, ...]:
    if kind is BrokerKind.MOSQUITTO:
        config = folder / f"{name}.conf"
        config.write_text(_MOSQUITTO.format(port=port), encoding="utf-8")
        return find_mosquitto() or "mosquitto", "-c", config
    config = folder / f"{name}.toml"
    config.write_text(_EMBEDDED.format(port=port), encoding="utf-8")
    return sys.executable, "-m", "latchway.gateway.demo.embedded", config


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def _accepts(process: Process, port: int) -> bool:
    deadline = asyncio.get_running_loop().time() + _START_S
    while not process.ended and asyncio.get_running_loop().time() < deadline:
        try:
            _, writer = await asyncio.open_connection(_HOST, port)
        except OSError:
            await asyncio.sleep(_POLL_S)
            continue
        writer.close()
        return not process.ended
    return False
