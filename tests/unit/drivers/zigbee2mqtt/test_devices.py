"""The device list: what is a lock, and its life: paired, renamed, removed, faulted, updated."""

from __future__ import annotations

import asyncio
import json

import pytest

from latchway.drivers.errors import PayloadInvalid
from latchway.drivers.testing import FakeContext, FakeMqttClient, VirtualClock
from latchway.drivers.zigbee2mqtt import VENDOR
from latchway.drivers.zigbee2mqtt.devices import Interview, LockProfile, decode_devices
from support.zigbee2mqtt import (
    SLEEPY_DEADBOLT,
    address,
    at_home,
    device_list,
    lock,
    odd_model,
)


def listed(*entries: object):
    return decode_devices(json.dumps(entries).encode())


def lamp(number: int = 9, name: str = "lamp") -> dict:
    exposes = [{"type": "light", "features": [{"type": "binary", "name": "state"}]}]
    return {
        "ieee_address": address(number),
        "friendly_name": name,
        "type": "Router",
        "definition": {"model": "LED1", "vendor": "Maker", "exposes": exposes},
    }


def test_a_lock_is_what_exposes_a_lock():
    devices = listed(*device_list(lock(), lock("back", 2, SLEEPY_DEADBOLT)), lamp())
    assert [profile.name for profile in devices.locks] == ["front", "back"]
    assert devices.others == {address(9): "lamp"}
    first, second = devices.locks
    assert (first.model, first.manufacturer, first.firmware) == ("BE468", "Schlage", "1.0.0")
    assert first.readable
    assert first.report_interval_s == 3600
    assert (first.late_commands, second.late_commands) == (False, True)


@pytest.mark.parametrize(
    "model", ["ZNMS11LM", "ZNMS12LM", "ZNMS13LM", "A6121", "JS-SLK2-ZB", "ZB-ZL01"]
)
def test_the_odd_models_are_locks_that_cannot_be_asked(model):
    (profile,) = listed(*device_list(lock(model=odd_model(model)))).locks
    assert not profile.readable


def test_an_unknown_model_with_a_generated_definition_is_a_lock():
    entry = lock().listing()
    entry["definition"] |= {"model": "ACME-1", "source": "generated"}
    (profile,) = listed(entry).locks
    assert (profile.model, profile.users_code) == ("ACME-1", False)


def test_a_device_that_was_never_interviewed_is_a_lock_if_its_clusters_say_so():
    entry = lock().listing() | {"interview_state": "FAILED", "definition": None}
    assert listed(entry).locks[0].interview is Interview.FAILED
    assert listed(entry | {"endpoints": {}}).locks == ()


def test_one_unreadable_entry_hides_no_other():
    devices = listed("x", None, {"ieee_address": 7}, lock().listing(), lock("+", 2).listing())
    assert [profile.name for profile in devices.locks] == ["front"]
    assert len(devices.unreadable) == 4


@pytest.mark.parametrize("payload", [b"{}", b'"x"', b"null", b"[", b"\xff"])
def test_what_is_no_list_is_refused(payload):
    with pytest.raises(PayloadInvalid):
        decode_devices(payload)


def test_a_profile_outlives_a_restart_as_json():
    (profile,) = listed(*device_list(lock())).locks
    assert LockProfile.from_json(json.loads(json.dumps(profile.to_json()))) == profile
    assert LockProfile.from_json({"ieee_address": "0x1"}) is None
    assert LockProfile.from_json(None) is None


async def test_a_lock_that_is_seen_for_the_first_time_is_paired_and_asked():
    async with at_home(lock()) as house:
        await house.list(lock(), lock("back", 2))
        await house.wait(3)
        assert house.heard() == ["device paired"]
        assert house.questions == [address(1), address(2)]
        assert house.context.state(address(2)).name == "back"


async def test_a_new_lock_is_asked_only_when_its_answer_would_be_heard(monkeypatch):
    granted = asyncio.Event()
    subscribe = FakeMqttClient.subscribe

    async def slow(client, *topics, **options):
        if any("back" in topic for topic, _ in topics):
            await granted.wait()
        await subscribe(client, *topics, **options)

    async with at_home(lock()) as house:
        monkeypatch.setattr(FakeMqttClient, "subscribe", slow)
        await house.list(lock(), lock("back", 2))
        await house.wait(3)
        assert address(2) not in house.questions
        granted.set()
        await house.wait(3)
        assert address(2) in house.questions


async def test_a_lock_is_paired_only_when_its_interview_is_done():
    async with at_home(lock()) as house:
        await house.list(lock(), interview_state="IN_PROGRESS")
        await house.publish("bridge/devices", device_list(lock(), lock("back", 2)))
        assert house.heard() == ["device paired"]
    async with at_home() as house:
        await house.bridge(online=True)
        await house.list(lock(), interview_state="IN_PROGRESS")
        assert house.heard() == []
        await house.list(lock())
        assert house.heard() == ["device paired"]


async def test_the_same_list_again_is_no_news():
    async with at_home(lock(), lock("back", 2)) as house:
        for _ in range(3):
            await house.list(lock(), lock("back", 2))
        assert house.heard() == []


async def test_a_failed_interview_is_a_fault_once():
    async with at_home(lock()) as house:
        for _ in range(2):
            await house.list(lock(), interview_state="FAILED")
        assert [line.partition(":")[0] for line in house.heard()] == ["fault"]


async def test_a_lock_that_is_interviewed_anew_is_not_removed():
    async with at_home(lock()) as house:
        await house.list(lock(), interview_state="IN_PROGRESS", definition=None, endpoints={})
        assert house.heard() == []
        await house.say(lock_state="locked", state="LOCK")
        assert house.heard() == ["bolt locked read"]


async def test_a_new_firmware_is_told():
    async with at_home(lock()) as house:
        await house.list(lock(), software_build_id=None)
        await house.list(lock(), software_build_id="1.1")
        assert house.heard() == ["firmware 1.0.0 -> 1.1"]


async def test_a_lock_that_is_gone_from_the_list_is_removed():
    async with at_home(lock(), lock("back", 2)) as house:
        await house.list(lock())
        assert house.heard() == ["removed"]
        assert house.context.state(address(2)) is None


async def test_a_lock_that_left_by_itself_is_removed_by_itself():
    async with at_home(lock()) as house:
        message = "z2m: Device 'front' left the network"
        await house.publish("bridge/logging", {"level": "warning", "message": message})
        await house.list()
        assert house.heard() == ["removed by itself"]
        data = {"ieee_address": address(1), "friendly_name": "front"}
        await house.publish("bridge/event", {"type": "device_leave", "data": data})
        assert house.heard() == []


async def test_a_leave_that_is_told_before_the_list_counts_too():
    async with at_home(lock()) as house:
        data = {"ieee_address": address(1), "friendly_name": "front"}
        await house.publish("bridge/event", {"type": "device_leave", "data": data})
        await house.list()
        assert house.heard() == ["removed by itself"]


async def test_a_removed_lock_that_comes_back_is_not_believed_its_old_cache():
    async with at_home(lock()) as house:
        await house.list()
        await house.list(lock())
        house.heard()
        await house.say(battery=80, lock_state="locked", state="LOCK")
        assert house.heard() == ["battery 80"]
        await house.wait(2)
        await house.say(battery=80, lock_state="locked", state="LOCK")
        assert house.heard() == ["bolt locked read"]


async def test_an_empty_list_before_the_bridge_is_online_removes_nobody():
    context = FakeContext(VENDOR, clock=VirtualClock())
    async with at_home(lock(), context=context):
        pass
    context = context.restarted()
    context.broker.publish("zigbee2mqtt/bridge/state", b'{"state":"offline"}', retain=True)
    async with at_home(context=context) as house:
        await house.list()
        await house.bridge(online=True)
        assert "removed" not in house.heard()
        await house.list()
        assert house.heard() == ["removed"]


async def test_a_list_with_an_unreadable_entry_removes_nobody():
    async with at_home(lock()) as house:
        await house.publish("bridge/devices", [{"ieee_address": 7}], qos=1)
        assert house.heard() == []
        assert [reject.reason.split(":")[0] for reject in house.context.rejects] == ["wrong_type"]
        assert house.context.broker.unacknowledged == 0


async def test_a_renamed_lock_is_the_same_lock():
    async with at_home(lock()) as house:
        await house.say(lock_state="locked", state="LOCK")
        house.heard()
        await house.publish("front", b"", retain=True)
        await house.list(lock("house/front door"))
        await house.say("house/front door", lock_state="unlocked", state="UNLOCK")
        assert house.heard() == ["bolt unlocked reported"]
        assert house.context.state(address(1)).name == "house/front door"
        assert house.context.rejects == []


async def test_an_availability_topic_is_not_mistaken_for_a_lock_of_that_name():
    async with at_home(lock("door"), lock("door/availability", 2)) as house:
        await house.wait(30)
        await house.say("door/availability", lock_state="locked", state="LOCK")
        await house.publish("door/availability/availability", {"state": "offline"}, qos=1)
        assert house.heard() == [
            "bolt locked reported",
            "unreachable: the bridge reports it offline",
        ]
        assert house.context.state(address(1)).attributes.get("reachable") is None


async def test_a_setup_that_fails_three_times_is_a_fault():
    async with at_home(lock()) as house:
        for attempt in (1, 2, 3):
            message = f"z2m: Failed to configure 'front', attempt {attempt} (Error: timeout)"
            await house.publish("bridge/logging", {"level": "error", "message": message})
        assert house.heard() == ["fault: the bridge could not set up its reports"]


async def test_a_locks_definition_by_a_user_and_groups_do_no_harm():
    options = {"groups": {"1": {"friendly_name": "all doors"}}}
    async with at_home(lock(), options=options) as house:
        await house.publish("all doors", {"state": "LOCK"})
        assert house.heard() == []
