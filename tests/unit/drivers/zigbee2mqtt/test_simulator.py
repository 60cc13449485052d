"""The virtual bridge says what the real one says, the unpleasant things included."""

from __future__ import annotations

import json

import pytest

from latchway.drivers.zigbee2mqtt.protocol import decode
from latchway.drivers.zigbee2mqtt.simulator import (
    BadInput,
    Behaviour,
    BridgeOptions,
    Published,
    VirtualBridge,
)
from latchway.drivers.zigbee2mqtt.topics import Topics
from support.zigbee2mqtt import BASE, SLEEPY_DEADBOLT, address, at_home, lock


def bridge(**options: object) -> VirtualBridge:
    return VirtualBridge([lock(), lock("house/back", 2, SLEEPY_DEADBOLT)], BridgeOptions(**options))


def shown(messages: list[Published]) -> list[tuple[str, object]]:
    return [
        (
            message.topic.removeprefix(f"{BASE}/"),
            json.loads(message.payload) if message.payload else "",
        )
        for message in messages
    ]


def order(it: VirtualBridge, tail: str, value: object) -> list[tuple[str, object]]:
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    return shown(it.take(f"{BASE}/{tail}", payload))


def test_a_start_tells_state_info_devices_and_the_cache_without_link_quality():
    it = bridge(qos=1)
    it.report("front", **it.lock("front").reading())
    topics = [topic for topic, _ in shown(it.start())]
    assert topics == [
        "bridge/state",
        "bridge/info",
        "bridge/devices",
        "bridge/groups",
        "front",
        "bridge/logging",
    ]
    cached = next(message for message in it.start() if message.topic == f"{BASE}/front")
    assert (json.loads(cached.payload), cached.qos) == (
        {"lock_state": "locked", "state": "LOCK"},
        1,
    )


def test_an_event_comes_first_and_shows_the_old_state():
    it = bridge()
    it.report("front", **it.lock("front").reading())
    event, state = (fields for _, fields in shown(it.act("front", "unlock", "keypad", 3)))
    assert (event["action"], event["action_user"], event["lock_state"]) == ("unlock", 3, "locked")
    assert "action" not in state
    assert state["lock_state"] == "unlocked"


@pytest.mark.parametrize("name", ["front", address(1)])
@pytest.mark.parametrize(
    ("tail", "value"),
    [
        ("set", {"state": "UNLOCK"}),
        ("set", b"unlock"),
        ("set/state", "UNLOCK"),
        ("set", {"state": {"state": "UNLOCK", "code": "1234"}}),
    ],
)
def test_commands_work_on_name_and_address(name, tail, value):
    it = bridge()
    answers = order(it, f"{name}/{tail}", value)
    assert [topic for topic, _ in answers] == ["front", "front"]
    assert it.lock("front").received == ["UNLOCK"]


def test_names_with_slashes_take_commands_too():
    it = bridge()
    order(it, "house/back/set", {"state": "UNLOCK"})
    assert it.lock("house/back").lock_state == "unlocked"


@pytest.mark.parametrize(
    ("behaviour", "answers", "bolt"),
    [
        (Behaviour.REFUSES, [], "locked"),
        (Behaviour.SILENT, ["bridge/logging"], "locked"),
        (Behaviour.NEVER_REPORTS, [], "unlocked"),
        (Behaviour.JAMS, ["front"], "not_fully_locked"),
    ],
)
def test_locks_misbehave_on_request(behaviour, answers, bolt):
    it = bridge()
    it.lock("front").behaviour = behaviour
    assert [topic for topic, _ in order(it, "front/set", {"state": "UNLOCK"})] == answers
    assert it.lock("front").lock_state == bolt


def test_a_question_is_answered_with_an_ordinary_state():
    assert order(bridge(), f"{address(1)}/get", {"state": ""}) == [
        ("front", {"linkquality": 120, "lock_state": "locked", "state": "LOCK"})
    ]


@pytest.mark.parametrize(
    ("tail", "value"),
    [
        ("nobody/set", {"state": "LOCK"}),
        ("front/set", {"state": "OPEN"}),
        ("front/set", b""),
        ("front/set", {"lock_state": "locked"}),
        ("front/get", {"battery": ""}),
    ],
)
def test_wrong_commands_give_an_error_line_and_nothing_else(tail, value):
    ((topic, line),) = order(bridge(), tail, value)
    assert (topic, line["level"]) == ("bridge/logging", "error")


def test_a_request_is_answered_with_its_transaction():
    it = bridge()
    answers = order(it, "bridge/request/permit_join", {"time": 20, "transaction": 17})
    assert [topic for topic, _ in answers] == ["bridge/info", "bridge/response/permit_join"]
    assert answers[-1][1] == {"data": {"time": 20}, "status": "ok", "transaction": 17}
    ((_, refused),) = order(it, "bridge/request/permit_join", {"time": 400})
    assert (refused["status"], "254" in refused["error"]) == ("error", True)
    assert order(it, "bridge/request/no_such_thing", {}) == []


def test_a_rename_clears_the_old_topic_and_shows_the_state_under_the_new_one():
    topics = [
        topic
        for topic, _ in order(
            bridge(), "bridge/request/device/rename", {"from": "front", "to": "gate"}
        )
    ]
    assert topics == ["front", "bridge/devices", "gate", "bridge/response/device/rename"]


def test_a_removed_lock_is_gone_from_the_list():
    it = bridge()
    answers = dict(order(it, "bridge/request/device/remove", {"id": "front"}))
    assert len(answers["bridge/devices"]) == 2
    ((_, refused),) = order(it, "bridge/request/device/remove", {"id": "front"})
    assert refused["status"] == "error"


def test_codes_are_kept_and_leak_where_the_real_one_leaks_them():
    it = bridge(expose_pin=True)
    pin = {"pin_code": {"user": 3, "pin_code": "4711"}}
    assert "4711" in json.dumps(order(it, "front/set", pin))
    it.lock("front").behaviour = Behaviour.SILENT
    ((topic, line),) = order(it, "front/set", pin)
    assert topic == "bridge/logging"
    assert "4711" in line["message"]


@pytest.mark.parametrize("kind", list(BadInput))
async def test_every_kind_of_nonsense_is_refused_by_the_driver(kind):
    it = bridge(qos=1)
    async with at_home(lock()) as house:
        message = it.misbehave("front", kind)
        await house.publish("front", message.payload, qos=message.qos)
        assert len(house.context.rejects) == 1


async def test_a_driver_lives_through_a_day_of_the_virtual_bridge():
    it = bridge(qos=1, availability=True)
    async with at_home() as house:

        async def happen(messages: list[Published]) -> None:
            for message in messages:
                tail = message.topic.removeprefix(f"{BASE}/")
                await house.publish(tail, message.payload, qos=message.qos, retain=message.retain)

        await happen(it.start())
        await happen(it.act("front", "unlock", "keypad", 3))
        await happen(it.join(lock("side", 3)))
        await happen([it.availability("front", online=False)])
        await happen(it.leave("side"))
        await happen(it.stop())
        assert house.heard() == [
            "device paired",
            "device paired",
            "unlock by keypad code 3",
            "bolt unlocked reported",
            "device paired",
            "battery 90",
            "unreachable: the bridge reports it offline",
            "removed by itself",
            "unreachable: the bridge is offline",
        ]


def test_all_that_the_virtual_bridge_publishes_decodes():
    it = bridge()
    names = {"front", "house/back"}
    messages = [*it.start(), *it.act("front", "lock", "rf"), *it.join(lock("x", 5)), *it.stop()]
    for message in messages:
        decode(Topics(BASE).place(message.topic, names), message.payload)
