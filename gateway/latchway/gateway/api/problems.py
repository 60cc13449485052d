"""Finds what is not well in a snapshot, and says what to do about each. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from latchway.gateway.api.models import Problem
from latchway.gateway.view import SinkState, VendorState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from latchway.gateway.view import HubStatus, SinkStatus, Snapshot, VendorStatus
    from latchway.outbox import Account

STARTING_GRACE: Final = timedelta(seconds=15)
"""A worker or a connection that is younger than this may still be starting."""
HEARTBEAT_LATE_S: Final = 3.0
"""Heartbeats come each second; the supervisor kills a worker after 5 s of silence."""
LOOP_LAG_LATE_S: Final = 0.5
NEARLY_FULL: Final = 0.9

_LOG: Final = "journalctl -u latchway"


def find_problems(snapshot: Snapshot) -> tuple[Problem, ...]:
    """Return everything that is not well, errors first."""
    found = [
        *_outbox_problems(snapshot),
        *(problem for vendor in snapshot.vendors for problem in _vendor(vendor, snapshot.hub)),
        *(problem for sink in snapshot.sinks for problem in _sink(sink, snapshot)),
        *_lane_problems(snapshot.account),
        *_hub_problems(snapshot),
    ]
    return tuple(sorted(found, key=lambda problem: problem.severity != "error"))


def _problem(
    name: str, problem: str, fix: str, since: datetime | None = None, *, warning: bool = False
) -> Problem:
    severity = "warning" if warning else "error"
    return Problem(id=name, severity=severity, problem=problem, fix=fix, since=since)


def _outbox_problems(snapshot: Snapshot) -> Iterator[Problem]:
    if not snapshot.readiness.ready or snapshot.account is None:
        yield _problem(
            "outbox.unavailable",
            "The outbox is not open: no event can be stored.",
            f"`{_LOG}` names the cause: usually a full or failing disk",
        )
    if snapshot.account is not None and snapshot.account.difference:
        yield _problem(
            "account.difference",
            f"The account does not close: {snapshot.account.difference} events unaccounted for.",
            "this is a fault of Latchway: keep outbox.db and report `latchway outbox --json`",
        )
    size = snapshot.outbox_size
    if size and size.limit_bytes and size.database_bytes > NEARLY_FULL * size.limit_bytes:
        share = 100 * size.database_bytes // size.limit_bytes
        yield _problem(
            "outbox.nearly_full",
            f"The outbox is {share} % full.",
            "bring back the sink that events wait for: `latchway outbox` shows which",
            warning=True,
        )


def _vendor(vendor: VendorStatus, hub: HubStatus) -> Iterator[Problem]:
    name, since = vendor.vendor, vendor.since
    because = f": {vendor.last_error}" if vendor.last_error else ""
    if vendor.state is VendorState.QUARANTINED:
        until = vendor.quarantined_until
        when = f" until {until:%H:%M} UTC" if until else ""
        fix = f"see `{_LOG}`, correct it, then `systemctl restart latchway`"
        yield _problem(
            f"vendor.{name}.quarantined", f"{name} is quarantined{when}{because}", fix, since
        )
    elif vendor.state is VendorState.RESTARTING:
        fix = f"it is tried again by itself; `{_LOG}` has the details"
        yield _problem(f"vendor.{name}.restarting", f"{name} ended{because}", fix, since)
    elif vendor.state is VendorState.STOPPED:
        fix = f"`systemctl restart latchway`; `{_LOG}` says why it stopped"
        yield _problem(f"vendor.{name}.stopped", f"{name} is stopped{because}", fix, since)
    elif vendor.state is VendorState.STARTING and hub.now - since > STARTING_GRACE:
        fix = f"`{_LOG}` shows what its worker waits for"
        yield _problem(f"vendor.{name}.starting", f"{name} has not come up yet", fix, since)
    elif vendor.heartbeat_age_s is not None and vendor.heartbeat_age_s > HEARTBEAT_LATE_S:
        late = f"{name} has not answered for {vendor.heartbeat_age_s:.0f} s"
        fix = "it is killed and started again by itself after 5 s"
        yield _problem(f"vendor.{name}.silent", late, fix, since, warning=True)
    for number, reason in enumerate(vendor.degraded, start=1):
        cause, _, fix = reason.partition("; ")
        yield _problem(
            f"vendor.{name}.degraded.{number}",
            f"{name}: {cause}",
            fix or f"check [vendors.{name}] in {hub.config_file}; `{_LOG}` has the details",
            since,
            warning=True,
        )


def _sink(sink: SinkStatus, snapshot: Snapshot) -> Iterator[Problem]:
    # What was tried in vain before says so in its detail.
    young = not sink.detail and snapshot.hub.now - sink.since <= STARTING_GRACE
    if sink.state is SinkState.CONNECTED or (sink.state is SinkState.CONNECTING and young):
        return
    waiting = sum(
        line.waiting
        for line in (snapshot.account.lanes if snapshot.account else ())
        if line.lane.sink == sink.sink
    )
    because = f": {sink.detail}" if sink.detail else ""
    yield _problem(
        f"sink.{sink.sink}.unreachable",
        f"{sink.sink} is not connected, {waiting:,} events wait for it{because}",
        f"check its server and [sinks.{sink.sink}] in {snapshot.hub.config_file}",
        sink.since,
    )


def _lane_problems(account: Account | None) -> Iterator[Problem]:
    parked: dict[str, int] = {}
    for line in account.lanes if account else ():
        if line.parked:
            parked[str(line.lane)] = parked.get(str(line.lane), 0) + line.parked
    for lane, count in parked.items():
        yield _problem(
            f"lane.{lane}.parked",
            f"{count:,} events of lane {lane} were refused for good and are parked",
            """`latchway events --pattern '{"type":[{"prefix":"io.latchway.lane."}]}'` says why""",
            warning=True,
        )


def _hub_problems(snapshot: Snapshot) -> Iterator[Problem]:
    if snapshot.hub.clock != "synced":
        yield _problem(
            "hub.clock_unsynced",
            "The hub's clock is not synchronised: times of events may be wrong.",
            "`timedatectl set-ntp true`, and let the hub reach a time server",
            warning=True,
        )
    if snapshot.loop_lag_s > LOOP_LAG_LATE_S:
        yield _problem(
            "hub.slow",
            f"The gateway is slow: its main loop was late by {snapshot.loop_lag_s:.1f} s.",
            "look for another program that uses up the processor or the disk (`top`)",
            warning=True,
        )
    for number, notice in enumerate(snapshot.hub.notices, start=1):
        cause, _, fix = notice.partition("; ")
        yield _problem(
            f"hub.notice.{number}", cause, fix or f"`{_LOG}` has the details", warning=True
        )
