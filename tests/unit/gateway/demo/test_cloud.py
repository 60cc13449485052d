"""The demo's cloud: what it takes for an event, and what it finds missing."""

from __future__ import annotations

import asyncio

from latchway.drivers.transport.mqtt import MqttMessage
from latchway.gateway.demo.brokers import BrokerKind, choose_kind
from latchway.gateway.demo.cloud import Cloud
from latchway.gateway.demo.telling import tell
from latchway.outbox import Account, LaneAccount, LaneKey
from latchway.schemas import LaneClass

LOCK = "0x00124b0022c0a101"
LANE = LaneKey("zigbee2mqtt", "cloud", LaneClass.MAIN)
ATTRIBUTES = {
    "specversion": "1.0",
    "source": f"/hubs/hub-1/zigbee2mqtt/{LOCK}",
    "type": "io.latchway.access.granted.v1",
    "time": "2026-11-24T08:00:00Z",
    "dataschema": "urn:latchway:io.latchway.access.granted:1.0",
    "lane": str(LANE),
    "clock": "synced",
    "bootid": "boot",
    "bootms": "1",
    "recordedtime": "2026-11-24T08:00:00Z",
    "partitionkey": LOCK,
    "priority": "access",
}
DATA = b'{"operation":"unlock","method":"keypad","actor":{"credential_kind":"code","slot":"3"}}'


def event(position, **other):
    attributes = {
        **ATTRIBUTES,
        "id": f"id-{position}",
        "sequence": f"1-{position:016d}",
        "lanepos": f"{position:016d}",
        **other,
    }
    return MqttMessage(
        "latchway/hub-1/zigbee2mqtt",
        DATA,
        user_properties=tuple(attributes.items()),
        content_type="application/json",
    )


def account(routed):
    line = LaneAccount(LANE, 1, routed, routed, 0, 0, 0, 0, 0, 0)
    return Account((), (line,))


def test_each_new_event_is_shown_once_and_counted_for_its_lock():
    seen = []
    cloud = Cloud(seen.append)
    for position in (1, 2, 2, 1):
        cloud.take(event(position))
    verdict = cloud.verdict(account(2))
    assert [envelope.position for envelope in seen] == [1, 2]
    assert cloud.accesses(LOCK) == 2
    assert (verdict.received, verdict.duplicates, verdict.missing_count) == (2, 2, 0)


def test_a_gap_and_a_tail_that_never_came_are_missing():
    cloud = Cloud(lambda _: None)
    cloud.take(event(2))
    assert cloud.verdict(account(4)).missing_count == 3


def test_birth_and_last_will_are_no_events():
    cloud = Cloud(lambda _: None)
    cloud.take(MqttMessage("latchway/hub-1/status", b"online"))
    assert cloud.received == 0
    assert cloud.foreign == 0


def test_what_is_no_event_of_a_hub_is_counted_as_foreign():
    cloud = Cloud(lambda _: None)
    cloud.take(event(1, lanepos="one"))
    assert cloud.foreign == 1


async def test_waiting_ends_when_enough_has_arrived():
    cloud = Cloud(lambda _: None)
    waiting = asyncio.create_task(cloud.wait_for(2, 30))
    for position in (1, 2):
        await asyncio.sleep(0)
        cloud.take(event(position))
    await asyncio.wait_for(waiting, 5)


def test_an_event_is_told_in_a_line_with_the_lock_by_name():
    seen = []
    Cloud(seen.append).take(event(1))
    assert tell(seen[0], {LOCK: "Front door"}).split() == [
        *("Front", "door", "access", "granted", "unlock,", "keypad,", "slot", "3")
    ]
    assert tell(seen[0], {}).startswith(LOCK)


def test_the_environment_can_choose_the_broker():
    assert choose_kind({"LATCHWAY_DEMO_BROKER": "embedded"}) is BrokerKind.EMBEDDED
