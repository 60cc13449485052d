"""The whole path for several bridges at once, and what is left of it for the judges.

Each bridge has a local mosquitto and a vendor section of its own; one gateway process sends all
events to a cloud mosquitto and to a file. `stop()` ends the gateway and returns the evidence.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from collections import defaultdict
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from latchway.drivers.zigbee2mqtt import VENDOR
from latchway.outbox import Reader
from latchway.schemas import DeviceId, Envelope, EventDraft, parse_mqtt_binary
from support.cloud import Cloud
from support.event_path import BROKER, EVERYTHING, read_outbox
from support.hub import Hub
from support.mosquitto import Mosquitto
from support.zigbee2mqtt import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from latchway.outbox import Account, StoredEvent, StoredReject
    from support.cloud import Delivered
    from support.oracles import Arrival

_CONFIG = """
[hub]
name = "Whole path"
state_dir = "{folder}/state"
runtime_dir = "{folder}/run"

[log]
level = "debug"

[sinks.cloud]
type = "mqtt"
host = "127.0.0.1"
port = {cloud_port}

[sinks.archive]
type = "file"
path = "{folder}/archive/events.jsonl"
"""
_SECTION = """
[vendors.{name}]
driver = "zigbee2mqtt"
mqtt = {{ host = "127.0.0.1", port = {port} }}
pacing_s = 0.1
"""
OF_DRIVER = frozenset(each.event_type for each in VENDOR.manifest.event_types)
NOBODY = "-"
"""Stands for the device in an event about the whole bridge."""

WRITTEN = {
    "the cloud's messages",
    "the file sink's file",
    "outbox.db, cell by cell",
    "registry.db, cell by cell",
}
"""Where the addresses of locks stand, and codes must not."""


class WholePath:
    """Brokers, gateway and cloud; everything is ended when the block is left."""

    def __init__(self, folder: Path, bridges: Iterable[str]) -> None:
        self._stack = ExitStack()
        self._folder = folder
        self._bridges = tuple(bridges)
        self.local: dict[str, Mosquitto] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            far = stack.enter_context(Mosquitto(self._folder / "cloud", *BROKER))
            config = _CONFIG.format(folder=self._folder, cloud_port=far.port)
            for name in self._bridges:
                broker = Mosquitto(self._folder / name, *BROKER, "log_type subscribe")
                self.local[name] = stack.enter_context(broker)
                config += _SECTION.format(name=name, port=broker.port)
            self.hub = Hub(self._folder, config)
            stack.callback(self.hub.close)
            self.cloud = stack.enter_context(Cloud(far.port))
            self.hub.start()
            self.hub.wait_ready(60)
            for name in self._bridges:
                self.wait_subscribed(name, "bridge/response/#", "bridge/groups", "+")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def wait_subscribed(self, bridge: str, *tails: str, timeout_s: float = 30.0) -> None:
        """Wait until the driver hears these topics: what is published earlier passes it by."""
        wanted = {f"zigbee2mqtt/{tail}" for tail in tails}
        log = self.local[bridge].log
        deadline = time.monotonic() + timeout_s
        while missing := wanted - _subscribed(log()):
            assert time.monotonic() < deadline, f"{bridge} never heard {missing}\n{self.hub.tail()}"
            time.sleep(0.005)

    def wait_for_events(self, bridge: str, count: int, timeout_s: float = 30.0) -> None:
        """Wait until so many events of the bridge's driver are at the cloud."""

        def there(arrivals: list[Arrival]) -> bool:
            ids = {arrival.id for arrival in arrivals if _is_told_by(bridge, arrival)}
            return len(ids) >= count

        self.cloud.wait_for(there, timeout_s)

    def wait_told(self, bridge: str, device: str, words: str, timeout_s: float = 30.0) -> None:
        """Wait until a line of this device is at the cloud; the line is that of `line`."""

        def there(_: list[Arrival]) -> bool:
            told = told_of(self._envelopes(), bridge)
            return words in told[device]

        assert self.cloud.wait_for(there, timeout_s), (
            f"{words!r} of {device} never reached the cloud, only "
            f"{told_of(self._envelopes(), bridge)}\n{self.hub.tail()}"
        )

    def wait_rejected(self, count: int) -> None:
        """Wait until so many messages are kept as rejects."""

        def kept() -> bool:
            return len(json.loads(self.hub.get("/v1/outbox/rejected")[1])["rejected"]) >= count

        self.hub.wait_until(kept, f"{count} messages are kept as rejects")

    def _envelopes(self) -> list[Envelope]:
        return [envelope for _, envelope in _read(self.cloud.delivered())]

    def stop(self) -> Evidence:
        """Stop the gateway as systemd does, wait for what is on its way, and gather all there is.

        The files are read before the stop as well: a journal that is there now is gone then.
        """
        state = self._folder / "state"
        before = {f"{file.name} at work": file.read_bytes() for file in state.iterdir()}
        code = self.hub.stop()
        assert code == 0, f"the gateway ended with {code}\n{self.hub.tail()}"
        stored, account, audit = asyncio.run(read_outbox(self.hub.outbox_file))
        ids = {event.event.id for event in stored}
        self.cloud.wait_for(lambda arrivals: ids <= {each.id for each in arrivals}, 10)
        after = {file.name: file.read_bytes() for file in state.iterdir()}
        cells = {f"{file.name}, cell by cell": _cells(file) for file in state.glob("*.db")}
        return Evidence(
            delivered=self.cloud.delivered(),
            arrivals=self.cloud.arrivals(),
            stored=stored,
            account=account,
            audit=audit,
            rejects=asyncio.run(_rejects(self.hub.outbox_file)),
            archive=(self._folder / "archive" / "events.jsonl").read_bytes(),
            log=self.hub.log_file.read_bytes(),
            state={**before, **after, **cells},
        )


@dataclass(frozen=True)
class Evidence:
    """What a gateway that has ended left at the cloud and on its disk."""

    delivered: list[Delivered]
    arrivals: list[Arrival]
    stored: tuple[StoredEvent, ...]
    account: Account
    audit: Account
    rejects: tuple[StoredReject, ...]
    archive: bytes
    log: bytes
    state: Mapping[str, bytes]

    @cached_property
    def events(self) -> list[tuple[Delivered, Envelope]]:
        """Messages at the cloud, each with what it says, without copies; raises what is invalid."""
        first: dict[str, tuple[Delivered, Envelope]] = {}
        for message, envelope in _read(self.delivered):
            first.setdefault(envelope.id, (message, envelope))
        return list(first.values())

    def told(self, bridge: str) -> dict[str, list[str]]:
        """Lines of each device of a bridge, as `told_of` orders them."""
        return told_of((envelope for _, envelope in self.events), bridge)

    def of_driver(self, bridge: str) -> list[Envelope]:
        """What a bridge's driver said, as `of_driver` picks and orders it."""
        return of_driver((envelope for _, envelope in self.events), bridge)

    def haystacks(self) -> dict[str, bytes]:
        """Everything that was written anywhere, by the name of the place."""
        # Process ids are numbers of four digits and more that nobody typed.
        return {
            "the cloud's messages": b"\n".join(map(_all_of, self.delivered)),
            "the file sink's file": self.archive,
            "the gateway's log": re.sub(rb"\bpid=\d+", b"", self.log),
            **self.state,
        }


def of_driver(envelopes: Iterable[Envelope], bridge: str) -> list[Envelope]:
    """Pick what a bridge's driver said, in the order of `sequence`.

    Each lane arrives in that order; the lane of bulk events may come late.
    """
    told = [
        envelope
        for envelope in envelopes
        if envelope.lane.startswith(f"{bridge}/") and envelope.type in OF_DRIVER
    ]
    return sorted(told, key=lambda each: each.sequence)


def told_of(envelopes: Iterable[Envelope], bridge: str) -> dict[str, list[str]]:
    """Return the lines of each device, of a bridge's driver only, in the order of `sequence`."""
    told: dict[str, list[str]] = defaultdict(list)
    for envelope in of_driver(envelopes, bridge):
        payload = envelope.payload()
        assert payload is not None, f"{envelope.type} stands in no catalog"
        device = device_of(envelope)
        told[device or NOBODY].append(line(EventDraft(payload, device)))
    return told


def device_of(envelope: Envelope) -> DeviceId | None:
    """Return the device of `/hubs/HUB/VENDOR/DEVICE`, None for a fact about the vendor."""
    parts = envelope.source.split("/")
    return DeviceId(parts[4]) if len(parts) > 4 else None


def structured_form(message: Delivered) -> dict[str, object]:
    """Put a binary message into the structured form by the specification, without our code."""
    attributes = dict(message.properties)
    return {
        **attributes,
        "datacontenttype": message.content_type,
        "data": json.loads(message.payload),
    }


def leaks(codes: Iterable[str], haystacks: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return the places of each code that stands anywhere."""
    found = {code: places_of(code, haystacks) for code in codes}
    return {code: places for code, places in found.items() if places}


def places_of(code: str, haystacks: Mapping[str, bytes]) -> list[str]:
    """Name the places where a code stands: as a word of its own, or as a list of its bytes.

    Inside of a longer word or number it would be chance, in ids, positions and fractions.
    """
    as_bytes = rb",\s*".join(str(byte).encode() for byte in code.encode())
    needle = re.compile(
        rb"(?<![0-9A-Za-z.])" + re.escape(code.encode()) + rb"(?![0-9A-Za-z])"
        rb"|(?<![0-9])" + as_bytes + rb"(?![0-9])"
    )
    return [place for place, bytes_there in haystacks.items() if needle.search(bytes_there)]


def _read(delivered: Iterable[Delivered]) -> Iterator[tuple[Delivered, Envelope]]:
    for message in delivered:
        if any(name == "id" for name, _ in message.properties):
            envelope = parse_mqtt_binary(message.payload, message.content_type, message.properties)
            yield message, envelope


def _is_told_by(bridge: str, arrival: Arrival) -> bool:
    return arrival.type in OF_DRIVER and arrival.lane.startswith(f"{bridge}/")


def _subscribed(log: str) -> set[str]:
    """Topics of mosquitto's log lines `time: client qos topic`."""
    lines = (text.partition(": ")[2].split(" ", 2) for text in log.splitlines())
    return {words[2] for words in lines if len(words) == 3 and words[0].startswith("latchway")}


def _all_of(message: Delivered) -> bytes:
    properties = json.dumps(message.properties, ensure_ascii=False).encode()
    return b" ".join((message.topic.encode(), properties, message.payload))


def _cells(database: Path) -> bytes:
    """Return all that is text or bytes in a database, apart: in the file it stands side by side."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return b"\n".join(
            cell
            for (name,) in tables.fetchall()
            for row in connection.execute(f'SELECT * FROM "{name.decode()}"')  # noqa: S608
            for cell in row
            if isinstance(cell, bytes)
        )


async def _rejects(outbox: Path) -> tuple[StoredReject, ...]:
    async with Reader.open(outbox) as reader:
        return await reader.rejected(EVERYTHING)
