"""What an event carries from the moment it is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from latchway.schemas import (
    HUB_VENDOR,
    ClockQuality,
    DeviceReachable,
    EventDraft,
    HubStopping,
    VendorRecovered,
    base_attributes,
    instant_text,
    source_of,
)
from support.events import DEVICE, STORED_AT

REACHABLE = EventDraft(DeviceReachable(), device=DEVICE)


def attributes(draft: EventDraft, vendor: str = "zigbee2mqtt") -> dict[str, str]:
    return base_attributes(
        draft,
        id="019cb05e-3c80-7a44-9d0b-1c5a6f0e2b11",
        hub="front-gate",
        vendor=vendor,
        stored_at=STORED_AT,
        clock=ClockQuality.UNSYNCED,
        boot_id="5f0c2c5e",
        boot_ms=12_345,
    )


def test_an_event_of_a_device_has_every_attribute_as_text() -> None:
    assert attributes(REACHABLE) == {
        "specversion": "1.0",
        "id": "019cb05e-3c80-7a44-9d0b-1c5a6f0e2b11",
        "source": "/hubs/front-gate/zigbee2mqtt/0x00158d0001a2b3c4",
        "type": "io.latchway.device.reachable.v1",
        "time": "2026-03-01T08:00:00.254Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:latchway:schema:io.latchway.device.reachable.v1:1.0",
        "clock": "unsynced",
        "bootid": "5f0c2c5e",
        "bootms": "12345",
        "recordedtime": "2026-03-01T08:00:00.254Z",
        "partitionkey": DEVICE,
        "priority": "state",
    }


def test_a_fact_about_a_vendor_or_the_hub_names_them_as_source_and_partition() -> None:
    vendor = attributes(EventDraft(VendorRecovered()))
    hub = attributes(EventDraft(HubStopping(reason="SIGTERM")), vendor=HUB_VENDOR)

    assert (vendor["source"], vendor["partitionkey"]) == (
        "/hubs/front-gate/zigbee2mqtt",
        "zigbee2mqtt",
    )
    assert (hub["source"], hub["partitionkey"]) == ("/hubs/front-gate", "front-gate")
    assert source_of("front-gate", HUB_VENDOR, None) == "/hubs/front-gate"


def test_a_time_from_the_lock_is_marked_as_the_locks() -> None:
    happened = datetime(2026, 3, 1, 7, 59, 30, tzinfo=UTC)
    draft = EventDraft(DeviceReachable(), device=DEVICE, time=happened, lock_clock=True)

    found = attributes(draft)

    assert (found["clock"], found["time"]) == ("lock", "2026-03-01T07:59:30.000Z")
    assert found["recordedtime"] == "2026-03-01T08:00:00.254Z"


def test_without_a_time_of_the_lock_the_hubs_clock_vouches() -> None:
    assert attributes(EventDraft(DeviceReachable(), lock_clock=True))["clock"] == "unsynced"


def test_results_name_what_they_result_from() -> None:
    draft = EventDraft(DeviceReachable(), correlation_id="c-1", causation_id="c-2")

    assert attributes(draft)["correlationid"] == "c-1"
    assert attributes(draft)["causationid"] == "c-2"


@pytest.mark.parametrize("hours", [-14, 0, 5.5, 14])
def test_times_are_written_in_utc_with_milliseconds(hours: float) -> None:
    local = STORED_AT.astimezone(timezone(timedelta(hours=hours)))

    assert instant_text(local) == "2026-03-01T08:00:00.254Z"
