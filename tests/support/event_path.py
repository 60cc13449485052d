"""The whole path of an event on one machine, and the judgement of it after a fault.

Bridge -> local mosquitto -> hub (a process) -> cloud mosquitto -> the cloud's end. `judge()` stops
the hub and applies the oracles to what is on its disk, at the cloud, and accepted by the broker.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from latchway.outbox import Reader
from support import oracles
from support.bridge import Bridge
from support.cloud import Cloud
from support.hub import Hub
from support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from pathlib import Path

    from latchway.outbox import Account, StoredEvent

CONFIG = """
[hub]
name = "Fault tests"
state_dir = "{folder}/state"
runtime_dir = "{folder}/run"

[vendors.zigbee2mqtt]
mqtt = {{ host = "127.0.0.1", port = {local_port}, keep_alive_s = {keep_alive_s} }}
quotas = {{ events_per_s = 5000, burst = 10000 }}

[sinks.cloud]
type = "mqtt"
host = "127.0.0.1"
port = {cloud_port}
keep_alive_s = {keep_alive_s}
"""

BROKER = (
    "persistence true",
    "max_queued_messages 0",
    "max_inflight_messages 100",
    "set_tcp_nodelay true",
)
GRANTED = "io.latchway.access.granted.v1"
PAIRED = "io.latchway.device.paired.v1"
EVERYTHING = 1_000_000


class EventPath:
    """Brokers, hub, bridge and cloud of one test; everything is ended when the block is left."""

    def __init__(self, folder: Path, *, locks: int = 4, keep_alive_s: int = 5) -> None:
        self._stack = ExitStack()
        self._folder = folder
        self._locks = locks
        self._keep_alive_s = keep_alive_s

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.local = stack.enter_context(Mosquitto(self._folder / "local", *BROKER))
            self.far = stack.enter_context(Mosquitto(self._folder / "cloud", *BROKER))
            config = CONFIG.format(
                folder=self._folder,
                local_port=self.local.port,
                cloud_port=self.far.port,
                keep_alive_s=self._keep_alive_s,
            )
            self.hub = Hub(self._folder, config)
            stack.callback(self.hub.close)
            self.cloud = stack.enter_context(Cloud(self.far.port))
            self.bridge = stack.enter_context(Bridge(self.local.port, self._locks))
            self.hub.start()
            self.hub.wait_ready()
            assert self.cloud.wait_for(self._all_paired, 30), self.hub.tail()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _all_paired(self, arrivals: list[oracles.Arrival]) -> bool:
        return sum(arrival.type == PAIRED for arrival in arrivals) >= self._locks

    def settle(self, timeout_s: float = 60.0) -> None:
        """Wait until every accepted message has reached the cloud, or the time is over."""
        self.bridge.idle()
        wanted = set(self.bridge.accepted)
        seen: set[str] = set()
        done = 0

        def complete(arrivals: list[oracles.Arrival]) -> bool:
            nonlocal done
            seen.update(key for arrival in arrivals[done:] if (key := message_key(arrival)))
            done = len(arrivals)
            return wanted <= seen

        self.cloud.wait_for(complete, timeout_s)

    def judge(self) -> list[oracles.Arrival]:
        """Stop the hub and hold all oracles against it; returns what the cloud received."""
        self.settle()
        code = self.hub.stop()
        assert code == 0, f"the gateway ended with {code}\n{self.hub.tail()}"
        stored, account, audit = asyncio.run(read_outbox(self.hub.outbox_file))
        numbers = {event.event.id: event.sequence for event in stored}
        self.cloud.wait_for(
            lambda arrivals: numbers.keys() <= {arrival.id for arrival in arrivals}, 10
        )
        arrivals = self.cloud.arrivals()
        queue = oracles.total_queue(numbers, arrivals)
        assert queue.clean, f"oracle A: {queue}"
        assert account.difference == 0, f"oracle B: {account}"
        assert audit == account, f"oracle B: counted {audit}, kept {account}"
        order = oracles.sequences(numbers)
        assert order == oracles.Sequences((), ()), f"oracle C: {order}"
        assert oracles.lane_gaps(arrivals) == ()
        assert oracles.out_of_order(arrivals) == (), "oracle J"
        keys = {arrival.id: key for arrival in arrivals if (key := message_key(arrival))}
        judged = oracles.published(self.bridge.accepted, keys)
        assert judged == oracles.Published((), ()), f"accepted messages: {judged}"
        return arrivals


def message_key(arrival: oracles.Arrival) -> str | None:
    """Return the bridge's key of a keypad entry, None for all other events."""
    if arrival.type != GRANTED:
        return None
    device = arrival.source.rpartition("/")[2]
    return f"{device}/{json.loads(arrival.data)['actor']['slot']}"


async def read_outbox(outbox: Path) -> tuple[tuple[StoredEvent, ...], Account, Account]:
    """Return what is stored, the account as kept, and the account counted anew."""
    async with Reader.open(outbox) as reader:
        events = await reader.events(EVERYTHING)
        return events, await reader.account(), await reader.audit()
