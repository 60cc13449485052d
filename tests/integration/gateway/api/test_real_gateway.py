"""The command and the local API in front of the real gateway: process, worker, databases."""

from __future__ import annotations

import asyncio
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.command import LIMIT_S, begin, latchway
from support.hub import Hub

CONFIG = """
[hub]
name = "front building"
state_dir = "{folder}/state"
runtime_dir = "{folder}/run"

[vendors.zigbee2mqtt]
mqtt = {{ host = "127.0.0.1", port = 1 }}

[sinks.archive]
type = "file"
path = "{folder}/events.jsonl"
"""
HUB_STARTED = '{"type":[{"prefix":"io.latchway.hub.started."}]}'


@pytest.fixture
async def hub(tmp_path):
    hub = Hub(tmp_path, CONFIG.format(folder=tmp_path))
    hub.start()
    try:
        await asyncio.to_thread(hub.wait_ready)
        yield hub
    finally:
        hub.close()


async def metrics(hub):
    status, text = await asyncio.to_thread(hub.get, "/metrics")
    assert status == 200
    return [
        sample
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    ]


async def test_status_names_the_broker_that_is_not_there_and_what_to_do(hub):
    def degraded():
        return any("zigbee2mqtt" in each["problem"] for each in hub.status()["problems"])

    await asyncio.to_thread(hub.wait_until, degraded, "the missing broker is reported")
    ended = await latchway(hub.runtime_dir, "status")
    assert ended.code == 8
    assert 'hub "front building"' in ended.out
    assert "! zigbee2mqtt: " in ended.out
    assert "fix: " in ended.out
    assert "account closes" in ended.out


async def test_the_first_event_of_a_hub_is_in_its_history_with_every_attribute(hub):
    ended = await latchway(hub.runtime_dir, "events", "--json", "--pattern", HUB_STARTED)
    (event,) = [json.loads(line) for line in ended.out.splitlines()]
    assert event["specversion"] == "1.0"
    assert event["sequence"].startswith("1-")
    assert event["data"]["epoch"] == 1


async def test_metrics_and_account_say_the_same(hub):
    ended = await latchway(hub.runtime_dir, "outbox", "--json")
    account = json.loads(ended.out)
    assert account["account_difference"] == 0
    samples = await metrics(hub)
    received = {
        each.labels["vendor"]: each.value
        for each in samples
        if each.name == "latchway_intake_received_total"
    }
    for line in account["intake"]:
        assert received[line["vendor"]] >= line["received"]
    (difference,) = [each.value for each in samples if each.name == "latchway_account_difference"]
    assert difference == 0


async def test_a_follower_sees_the_gateway_stop_and_ends_with_3(hub):
    process = await begin(hub.runtime_dir, "events", "--follow", "--limit", "1", "--json")
    async with asyncio.timeout(LIMIT_S):
        await process.stdout.readline()
        assert await asyncio.to_thread(hub.stop) == 0
        out, err = await process.communicate()
    types = [json.loads(line)["type"] for line in out.decode().splitlines()]
    assert "io.latchway.hub.stopping.v1" in types
    assert process.returncode == 3
    assert json.loads(err)["code"] == "stopping"
    assert (await latchway(hub.runtime_dir, "status")).code == 3


async def test_a_second_gateway_on_the_same_folders_is_refused_in_words(hub):
    ended = await latchway(hub.runtime_dir, "run", "--config", str(hub.config_file))
    assert ended.code == 1
    assert "CRITICAL" in ended.err
    assert (await latchway(hub.runtime_dir, "status")).code in {0, 8}


async def test_the_variable_moves_the_socket_of_run_too(tmp_path):
    hub = Hub(tmp_path, CONFIG.format(folder=tmp_path))
    elsewhere = tmp_path / "elsewhere"
    process = await begin(elsewhere, "run", "--config", str(hub.config_file))
    try:
        async with asyncio.timeout(LIMIT_S):
            async for line in process.stderr:
                if b"ready" in line:
                    break
        assert (await latchway(elsewhere, "status")).code in {0, 8}
        assert not hub.runtime_dir.exists()
    finally:
        process.terminate()
        await process.communicate()
