"""A gateway's view in memory, and builders of what it shows: all is well unless a test says so."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from latchway.gateway.api.feed import EventFeed
from latchway.gateway.api.server import serve
from latchway.gateway.view import (
    DeviceAttribute,
    DeviceStatus,
    HubStatus,
    OutboxSize,
    Readiness,
    SinkState,
    SinkStatus,
    VendorState,
    VendorStatus,
)
from latchway.outbox import (
    Account,
    IntakeAccount,
    LaneAccount,
    LaneKey,
    NewEvent,
    StoredEvent,
    StoredReject,
)
from latchway.schemas import LaneClass, Priority

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def hub(**changes) -> HubStatus:
    return replace(
        HubStatus(
            id="5b1f2a6e-0d5e-4f0c-9a51-6a1c5d2f7e10",
            name="front building",
            version="0.1.0",
            epoch=1,
            now=NOW,
            started_at=NOW - timedelta(hours=3, minutes=12),
            uptime_s=3 * 3600 + 12 * 60,
            clock="synced",
            config_file="/etc/latchway/config.toml",
            state_dir="/var/lib/latchway",
        ),
        **changes,
    )


def vendor(name="zigbee2mqtt", **changes) -> VendorStatus:
    return replace(
        VendorStatus(
            vendor=name,
            title="Zigbee2MQTT",
            state=VendorState.RUNNING,
            since=NOW - timedelta(hours=3),
            pid=4242,
            delivery_class="queued",
            heartbeat_age_s=0.4,
            credit=32,
        ),
        **changes,
    )


def sink(name="cloud", **changes) -> SinkStatus:
    return replace(
        SinkStatus(
            sink=name,
            type="mqtt",
            state=SinkState.CONNECTED,
            since=NOW - timedelta(hours=2),
            in_flight=3,
            window=100,
            connects=1,
        ),
        **changes,
    )


def intake(name="zigbee2mqtt", *, stored=12_034, duplicate=0, rejected=0, refused=0):
    received = stored + duplicate + rejected + refused
    return IntakeAccount(name, received, stored, duplicate, rejected, refused)


def lane(name="zigbee2mqtt", sink="cloud", *, lane_class=LaneClass.MAIN, epoch=1, **fates):
    counts = dict.fromkeys(
        ("acknowledged", "waiting", "parked", "expired", "compacted", "dropped", "withdrawn"), 0
    )
    counts.update(fates or {"acknowledged": 12000})
    key = LaneKey(name, sink, lane_class)
    return LaneAccount(key, epoch, sum(counts.values()), **counts)


def event(number=1, *, device="0x00158d0001ab23cd", **data) -> StoredEvent:
    payload = {"state": "locked", "previous": "unlocked", "source": "reported", **data}
    attributes = {
        "specversion": "1.0",
        "id": f"event-{number}",
        "source": f"/hubs/5b1f/zigbee2mqtt/{device}",
        "type": "io.latchway.lock.state_changed.v1",
        "time": (NOW + timedelta(seconds=number)).isoformat().replace("+00:00", "Z"),
        "priority": "state",
    }
    return StoredEvent(
        f"1-{number:016}",
        NewEvent(
            id=f"event-{number}",
            type=attributes["type"],
            device=device,
            priority=Priority.STATE,
            attributes=attributes,
            data=json.dumps(payload).encode(),
        ),
    )


def reject(number=1, **changes) -> StoredReject:
    return replace(
        StoredReject(
            id=number,
            vendor="zigbee2mqtt",
            code="not_json",
            reason="not JSON at character 1",
            raw=b"{oops",
            topic="zigbee2mqtt/front door",
            device=None,
            at="2026-03-01T12:00:00Z",
        ),
        **changes,
    )


def device(name="Front door", **attributes) -> DeviceStatus:
    shown = {"lock_state": ("locked", "reported"), "battery_percent": (81.5, "reported")}
    shown.update(attributes)
    return DeviceStatus(
        vendor="zigbee2mqtt",
        device=f"0x00158d0001{zlib.crc32(name.encode()) % 10**6:06}",
        name=name,
        model="YRD256",
        attributes={
            key: DeviceAttribute(value, source, NOW) for key, (value, source) in shown.items()
        },
    )


class WatchedFeed(EventFeed):
    """A feed that says when somebody has begun and ended to follow."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.joined = asyncio.Event()
        self.left = asyncio.Event()

    @contextlib.contextmanager
    def follow(self):
        try:
            with super().follow() as subscription:
                self.joined.set()
                yield subscription
        finally:
            self.left.set()


class FakeView:
    """Implements `GatewayView`; tests set its fields."""

    def __init__(self) -> None:
        self.hub_status = hub()
        self.ready = Readiness(outbox_open=True, writer_running=True)
        self.vendor_statuses = (vendor(),)
        self.sink_statuses = (sink(),)
        self.lag_s = 0.002
        self.intake = (intake(),)
        self.lanes = (lane(),)
        self.size = OutboxSize(3_355_443, 65_536)
        self.stored_devices: tuple[DeviceStatus, ...] = ()
        self.history: list[StoredEvent] = []
        self.rejects: tuple[StoredReject, ...] = ()
        self.feed = WatchedFeed()
        self.failure: Exception | None = None

    def hub(self):
        return self.hub_status

    def readiness(self):
        return self.ready

    def vendors(self):
        return self.vendor_statuses

    def sinks(self):
        return self.sink_statuses

    def loop_lag_s(self):
        return self.lag_s

    async def account(self):
        self._fail()
        return Account(self.intake, self.lanes)

    async def outbox_size(self):
        self._fail()
        return self.size

    async def devices(self):
        self._fail()
        return self.stored_devices

    async def events(self, limit, before):
        self._fail()
        older = [each for each in self.history if before is None or each.sequence < before]
        return tuple(reversed(older))[:limit]

    async def rejected(self, limit, vendor):
        self._fail()
        found = [each for each in self.rejects if vendor in (None, each.vendor)]
        return tuple(reversed(found))[:limit]

    def follow(self):
        return self.feed.follow()

    def store(self, *events):
        """As the writer does: first on disk, then to those who follow."""
        self.history.extend(events)
        self.feed.publish(events)

    def _fail(self):
        if self.failure is not None:
            raise self.failure


@contextlib.asynccontextmanager
async def served(view, folder, **options):
    """Serve a view on a real socket in a folder; yields the socket's path."""
    async with serve(view, folder, logging.getLogger("test.api"), **options) as path:
        yield path
