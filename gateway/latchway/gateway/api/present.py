"""Turns what the view says into what the API answers. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from latchway.gateway.api.models import (
    AttributeReport,
    DeviceReport,
    DevicesReport,
    HubReport,
    IntakeReport,
    LaneReport,
    OutboxReport,
    RejectedReport,
    RejectReport,
    SinkReport,
    SizeReport,
    StatusReport,
    VendorReport,
)
from latchway.gateway.api.problems import find_problems
from latchway.gateway.view import SinkStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from latchway.gateway.view import DeviceStatus, OutboxSize, Snapshot
    from latchway.outbox import Account, LaneAccount, StoredEvent, StoredReject


def status_report(snapshot: Snapshot) -> StatusReport:
    """Say whether all is well, and show what that rests on."""
    problems = find_problems(snapshot)
    outbox = None
    if snapshot.account is not None and snapshot.outbox_size is not None:
        outbox = outbox_report(snapshot.account, snapshot.outbox_size)
    return StatusReport(
        verdict="degraded" if problems else "ok",
        problems=problems,
        hub=HubReport.model_validate(_fields(snapshot.hub)),
        vendors=tuple(VendorReport.model_validate(_fields(each)) for each in snapshot.vendors),
        sinks=tuple(_sink_report(sink, snapshot.account) for sink in snapshot.sinks),
        outbox=outbox,
    )


def outbox_report(account: Account, size: OutboxSize) -> OutboxReport:
    """Show the account line by line."""
    return OutboxReport(
        intake=tuple(
            IntakeReport(**_fields(line), difference=line.difference) for line in account.intake
        ),
        lanes=tuple(_lane_report(line) for line in account.lanes),
        account_difference=account.difference,
        size=SizeReport.model_validate(_fields(size)),
    )


def devices_report(devices: Sequence[DeviceStatus]) -> DevicesReport:
    """Show devices by vendor and name."""
    ordered = sorted(devices, key=lambda each: (each.vendor, each.name.casefold(), each.device))
    return DevicesReport(devices=tuple(_device_report(device) for device in ordered))


def rejected_report(rejected: Sequence[StoredReject]) -> RejectedReport:
    """Show kept rejects, with the raw input safe to carry in JSON."""
    return RejectedReport(rejected=tuple(_reject_report(reject) for reject in rejected))


def event_document(stored: StoredEvent) -> dict[str, Any]:
    """Return an event as CloudEvents structured JSON would hold it, and as patterns see it."""
    return {
        **stored.event.attributes,
        "sequence": stored.sequence,
        "data": json.loads(stored.event.data),
    }


def _sink_report(sink: SinkStatus, account: Account | None) -> SinkReport:
    lines = [line for line in (account.lanes if account else ()) if line.lane.sink == sink.sink]
    return SinkReport(
        **{each.name: getattr(sink, each.name) for each in fields(SinkStatus)},
        waiting=sum(line.waiting for line in lines),
        parked=sum(line.parked for line in lines),
    )


def _lane_report(line: LaneAccount) -> LaneReport:
    figures = _fields(line)
    del figures["lane"]
    return LaneReport(
        lane=str(line.lane),
        vendor=line.lane.vendor,
        sink=line.lane.sink,
        lane_class=line.lane.lane_class.value,
        difference=line.difference,
        **figures,
    )


def _device_report(device: DeviceStatus) -> DeviceReport:
    attributes: Mapping[str, AttributeReport] = {
        name: AttributeReport(value=value.value, source=value.source, at=value.at)
        for name, value in device.attributes.items()
    }
    return DeviceReport(
        vendor=device.vendor,
        device=device.device,
        name=device.name,
        model=device.model,
        manufacturer=device.manufacturer,
        firmware=device.firmware,
        attributes=dict(attributes),
    )


def _reject_report(reject: StoredReject) -> RejectReport:
    try:
        text: str | None = reject.raw.decode()
    except UnicodeDecodeError:
        text = None
    return RejectReport.model_validate(
        {
            "id": reject.id,
            "at": reject.at,
            "vendor": reject.vendor,
            "code": reject.code,
            "reason": reject.reason,
            "topic": reject.topic,
            "device": reject.device,
            "raw_base64": base64.b64encode(reject.raw).decode(),
            "raw_text": text,
        }
    )


def _fields(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name; pydantic checks them again on the way out."""
    return asdict(record)
