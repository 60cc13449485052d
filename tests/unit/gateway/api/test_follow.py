"""Following events over the API: live, filtered, and never at the cost of the gateway."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from support.api_client import api_client, get_json
from support.view import FakeView, WatchedFeed, event, served

LARGE = "x" * 4000


@pytest.fixture
def view():
    return FakeView()


async def lines(response, count):
    return [json.loads(await response.content.readline()) for _ in range(count)]


async def test_a_follower_gets_each_event_as_it_is_stored(view, tmp_path):
    async with (
        served(view, tmp_path) as path,
        api_client(path) as client,
        client.get("/v1/events", params={"follow": "true"}) as response,
    ):
        assert response.headers["Content-Type"] == "application/x-ndjson"
        view.store(event(1))
        assert [each["id"] for each in await lines(response, 1)] == ["event-1"]
        view.store(event(2), event(3))
        assert [each["id"] for each in await lines(response, 2)] == ["event-2", "event-3"]


async def test_a_follower_with_a_pattern_gets_only_what_matches(view, tmp_path):
    query = {"follow": "true", "pattern": json.dumps({"data": {"state": ["jammed"]}})}
    async with (
        served(view, tmp_path) as path,
        api_client(path) as client,
        client.get("/v1/events", params=query) as response,
    ):
        view.store(event(1), event(2, state="jammed"), event(3))
        assert [each["id"] for each in await lines(response, 1)] == ["event-2"]


async def test_a_follower_that_goes_frees_its_place(view, tmp_path):
    view.feed = WatchedFeed(followers=1)
    async with served(view, tmp_path) as path, api_client(path) as client:
        async with client.get("/v1/events", params={"follow": "true"}) as response:
            assert response.status == 200
            status, answer = await get_json(client, "/v1/events", follow="true")
            assert (status, answer["code"]) == (503, "too_many_followers")
            view.feed.left.clear()
            response.close()
            await view.feed.left.wait()
        async with client.get("/v1/events", params={"follow": "true"}) as response:
            assert response.status == 200


async def test_a_stopping_gateway_says_so_in_the_last_line(view, tmp_path):
    async with (
        served(view, tmp_path) as path,
        api_client(path) as client,
        client.get("/v1/events", params={"follow": "true"}) as response,
    ):
        view.store(event(1))
        view.feed.close()
        first, last = await lines(response, 2)
        assert first["id"] == "event-1"
        assert (last["end"], last["missed"]) == ("stopping", 0)
        assert await response.content.read() == b""


def raw_follower(path):
    """A client that asks to follow and reads nothing until told to."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    client.connect(str(path))
    client.send(b"GET /v1/events?follow=true HTTP/1.1\r\nHost: latchway\r\n\r\n")
    return client


async def read_all(client):
    loop = asyncio.get_running_loop()
    received = b""
    async with asyncio.timeout(10):
        while chunk := await loop.sock_recv(client, 65536):
            received += chunk
            if b'"end":' in received and received.endswith(b"0\r\n\r\n"):
                break
    return received


async def test_a_follower_that_reads_too_slowly_gets_a_last_line_with_what_it_missed(
    view, tmp_path
):
    view.feed = WatchedFeed(buffer=50)
    total = 1000
    async with served(view, tmp_path) as path:
        with raw_follower(path) as client:
            await view.feed.joined.wait()
            for number in range(1, total + 1):
                view.store(event(number, note=LARGE))
                await asyncio.sleep(0)
            received = await read_all(client)
    found = [json.loads(line) for line in received.split(b"\r\n") if line.startswith(b'{"end"')]
    events = received.count(b'"specversion"')
    (end,) = found
    assert end["end"] == "too_slow"
    assert end["missed"] > 0
    assert events + end["missed"] == total


async def test_a_follower_that_reads_nothing_holds_neither_the_gateway_nor_its_place(
    view, tmp_path
):
    view.feed = WatchedFeed(buffer=50)
    async with served(view, tmp_path, stall_s=0.05) as path:
        with raw_follower(path):
            await view.feed.joined.wait()
            for number in range(1, 1000):
                view.store(event(number, note=LARGE))
            async with api_client(path) as client:
                assert (await get_json(client, "/healthz"))[0] == 200
            await view.feed.left.wait()


async def test_a_follower_that_goes_while_lines_wait_for_it_is_no_error(view, tmp_path, caplog):
    async with served(view, tmp_path) as path:
        with raw_follower(path):
            await view.feed.joined.wait()
            for number in range(1, 300):
                view.store(event(number, note=LARGE))
                await asyncio.sleep(0)
        view.store(event(300))
        await view.feed.left.wait()
    assert [each for each in caplog.records if each.levelname in {"WARNING", "ERROR"}] == []
