"""The send window: places in order, given back, ended by the loss of the connection."""

from __future__ import annotations

import asyncio
from itertools import cycle

import pytest

from latchway.drivers.errors import MqttDisconnected, MqttRefused
from latchway.drivers.testing import settle
from latchway.drivers.transport.mqtt.window import SendWindow


def window(size: int) -> SendWindow:
    identifiers = cycle(range(1, 65536))
    return SendWindow(size, lambda: next(identifiers))


async def test_places_are_given_in_order_of_asking() -> None:
    places = window(1)
    await places.reserve()
    first_id, _ = places.begin()
    order: list[int] = []

    async def ask(number: int) -> None:
        await places.reserve()
        order.append(number)
        places.begin()

    tasks = [asyncio.create_task(ask(number)) for number in range(3)]
    await settle()
    assert order == []
    for packet_id in (first_id, 2, 3):
        places.acknowledge(packet_id, 0)
        await settle()
    assert order == [0, 1, 2]
    await asyncio.gather(*tasks)


async def test_a_cancelled_wait_hands_its_place_on() -> None:
    places = window(1)
    await places.reserve()
    packet_id, _ = places.begin()
    cancelled = asyncio.create_task(places.reserve())
    waiting = asyncio.create_task(places.reserve())
    await settle()
    places.acknowledge(packet_id, 0)
    cancelled.cancel()
    await settle()
    assert waiting.done()
    assert cancelled.cancelled()


async def test_packet_ids_under_way_are_passed_over() -> None:
    identifiers = iter([1, 1, 1, 2])
    places = SendWindow(2, lambda: next(identifiers))
    await places.reserve()
    await places.reserve()
    assert [places.begin()[0], places.begin()[0]] == [1, 2]


async def test_refusals_raise_and_free_the_place() -> None:
    places = window(1)
    await places.reserve()
    packet_id, future = places.begin()
    places.acknowledge(packet_id, 0x97)
    with pytest.raises(MqttRefused, match="Quota exceeded"):
        await future
    await places.reserve()


async def test_the_loss_of_the_connection_ends_everything() -> None:
    places = window(1)
    await places.reserve()
    _, future = places.begin()
    waiting = asyncio.create_task(places.reserve())
    await settle()
    places.close(MqttDisconnected("gone"))
    for each in (future, waiting):
        with pytest.raises(MqttDisconnected):
            await each
    with pytest.raises(MqttDisconnected):
        await places.reserve()
