"""Metrics for Prometheus, made of one snapshot at each scrape: nothing is counted here.

Labels are vendor, sink, class and closed word lists; never a device, a person or a topic.
"""

from __future__ import annotations

import platform
from collections import Counter
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from latchway.gateway.view import SinkState, VendorState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

    from latchway.gateway.view import Snapshot
    from latchway.outbox import Account

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
FATES: Final = (
    "acknowledged",
    "waiting",
    "parked",
    "expired",
    "compacted",
    "dropped",
    "withdrawn",
)
"""What becomes of a delivery: the terms of the delivery identity, in its order."""


def exposition(snapshot: Snapshot) -> bytes:
    """Return the snapshot, and this process's own figures, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SnapshotCollector(snapshot))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class SnapshotCollector(Collector):
    """Shows one snapshot as metrics."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        yield from self._gateway()
        if self._snapshot.account is not None:
            yield from _intake(self._snapshot.account)
            yield from _lanes(self._snapshot.account)
        yield from self._outbox()
        yield from self._vendors()
        yield from self._sinks()

    def _gateway(self) -> Iterator[Metric]:
        hub = self._snapshot.hub
        build = {"version": hub.version, "python": platform.python_version()}
        yield InfoMetricFamily("latchway_build", "Version that runs", build)
        ready = self._snapshot.readiness.ready
        yield GaugeMetricFamily("latchway_ready", "1 if events can be stored now", float(ready))
        yield GaugeMetricFamily(
            "latchway_uptime_seconds", "Seconds since the gateway started", hub.uptime_s
        )
        yield GaugeMetricFamily("latchway_epoch", "Epoch of sequences and positions", hub.epoch)
        yield GaugeMetricFamily(
            "latchway_clock_synchronised",
            "1 if somebody vouches for the wall clock",
            float(hub.clock == "synced"),
        )
        yield GaugeMetricFamily(
            "latchway_event_loop_lag_seconds",
            "How late the main loop woke at worst in the last seconds",
            self._snapshot.loop_lag_s,
        )

    def _outbox(self) -> Iterator[Metric]:
        size = self._snapshot.outbox_size
        if size is None:
            return
        files = GaugeMetricFamily("latchway_outbox_bytes", "Bytes on disk", labels=["file"])
        files.add_metric(["database"], size.database_bytes)
        files.add_metric(["wal"], size.wal_bytes)
        yield files
        if size.limit_bytes is not None:
            yield GaugeMetricFamily(
                "latchway_outbox_limit_bytes", "Bytes that may be used", size.limit_bytes
            )

    def _vendors(self) -> Iterator[Metric]:
        vendors = self._snapshot.vendors
        yield _states(
            "latchway_vendor_state",
            "1 for the state that the vendor's worker is in",
            "vendor",
            VendorState,
            [(vendor.vendor, vendor.state) for vendor in vendors],
        )
        restarts = CounterMetricFamily(
            "latchway_vendor_restarts", "Times that the worker was started again", labels=["vendor"]
        )
        degraded = GaugeMetricFamily(
            "latchway_vendor_degraded", "Promises that the driver cannot keep", labels=["vendor"]
        )
        queued = GaugeMetricFamily(
            "latchway_vendor_queued_frames", "Frames that wait at the intake", labels=["vendor"]
        )
        heartbeat = GaugeMetricFamily(
            "latchway_vendor_heartbeat_age_seconds", "Since the last one", labels=["vendor"]
        )
        for vendor in vendors:
            restarts.add_metric([vendor.vendor], vendor.restarts)
            degraded.add_metric([vendor.vendor], len(vendor.degraded))
            queued.add_metric([vendor.vendor], vendor.queued)
            if vendor.heartbeat_age_s is not None:
                heartbeat.add_metric([vendor.vendor], vendor.heartbeat_age_s)
        yield from (restarts, degraded, queued, heartbeat)

    def _sinks(self) -> Iterator[Metric]:
        sinks = self._snapshot.sinks
        yield _states(
            "latchway_sink_state",
            "1 for the state that the sink's connection is in",
            "sink",
            SinkState,
            [(sink.sink, sink.state) for sink in sinks],
        )
        in_flight = GaugeMetricFamily(
            "latchway_sink_in_flight", "Events sent and not yet answered", labels=["sink"]
        )
        window = GaugeMetricFamily(
            "latchway_sink_window", "Most events that may be in flight", labels=["sink"]
        )
        connects = CounterMetricFamily(
            "latchway_sink_connects", "Connections made since the start", labels=["sink"]
        )
        for sink in sinks:
            in_flight.add_metric([sink.sink], sink.in_flight)
            window.add_metric([sink.sink], sink.window)
            connects.add_metric([sink.sink], sink.connects)
        yield from (in_flight, window, connects)


def _intake(account: Account) -> Iterator[Metric]:
    received = CounterMetricFamily(
        "latchway_intake_received", "Events and rejects that came in", labels=["vendor"]
    )
    outcomes = CounterMetricFamily(
        "latchway_intake_outcomes",
        "What became of them; the outcomes add up to latchway_intake_received_total",
        labels=["vendor", "outcome"],
    )
    for line in account.intake:
        received.add_metric([line.vendor], line.received)
        for outcome in ("stored", "duplicate", "rejected", "refused"):
            outcomes.add_metric([line.vendor, outcome], getattr(line, outcome))
    yield from (received, outcomes)


def _lanes(account: Account) -> Iterator[Metric]:
    """Yield the delivery identity, epochs added up.

    The fates are gauges: a replay makes acknowledged deliveries wait again, and a counter that
    goes down looks like a restart to Prometheus.
    """
    routed_by_lane: Counter[tuple[str, str, str]] = Counter()
    by_fate: Counter[tuple[str, str, str, str]] = Counter()
    for line in account.lanes:
        key = (line.lane.vendor, line.lane.sink, line.lane.lane_class.value)
        routed_by_lane[key] += line.routed
        for fate in FATES:
            by_fate[(*key, fate)] += getattr(line, fate)
    labels = ["vendor", "sink", "class"]
    routed = CounterMetricFamily(
        "latchway_lane_routed", "Deliveries that got a position", labels=labels
    )
    for key, count in routed_by_lane.items():
        routed.add_metric(list(key), count)
    deliveries = GaugeMetricFamily(
        "latchway_lane_deliveries",
        "Where they stand; the states add up to latchway_lane_routed_total",
        labels=[*labels, "state"],
    )
    for place, count in by_fate.items():
        deliveries.add_metric(list(place), count)
    yield from (routed, deliveries)
    yield GaugeMetricFamily(
        "latchway_account_difference",
        "Events that the account does not explain; anything but 0 is a fault of Latchway",
        account.difference,
    )


def _states(
    name: str,
    words: str,
    subject: str,
    states: type[VendorState | SinkState],
    current: Iterable[tuple[str, VendorState | SinkState]],
) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[subject, "state"])
    for who, state in current:
        for each in states:
            family.add_metric([who, each.value], float(each is state))
    return family
