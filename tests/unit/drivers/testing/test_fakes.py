"""The fake context and the virtual clock do what a driver may rely on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from latchway.drivers.contract import BrokerDelivery, DeviceState
from latchway.drivers.errors import BatchTooLarge, GatewayLost
from latchway.drivers.testing import FakeContext, VirtualClock, settle
from latchway.schemas import DeviceId, EventDraft, LockState, LockStateChanged, Source
from support.echo_lock import echo_vendor

LOCK = DeviceId("lock-1")


def event() -> EventDraft:
    data = LockStateChanged(
        state=LockState.LOCKED, previous=LockState.UNKNOWN, source=Source.REPORTED
    )
    return EventDraft(data, device=LOCK)


async def test_sleepers_wake_in_the_order_they_are_due() -> None:
    clock, woken = VirtualClock(), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3, 1, 2, 9)]
    await clock.advance(5)
    assert woken == [(1, 1), (2, 2), (3, 3)]
    assert clock.monotonic() == 5
    await clock.advance(4)
    assert woken[-1] == (9, 9)
    await asyncio.gather(*tasks)


async def test_a_sleeper_that_sleeps_again_wakes_within_the_same_advance() -> None:
    clock, beats = VirtualClock(), []

    async def heart() -> None:
        while True:
            await clock.sleep(1)
            beats.append(clock.monotonic())

    task = asyncio.create_task(heart())
    await clock.advance(3)
    task.cancel()
    assert beats == [1, 2, 3]


async def test_a_step_of_the_wall_clock_moves_no_deadline() -> None:
    clock = VirtualClock()
    await clock.advance(10)
    clock.set_wall_time(datetime(1970, 1, 1, tzinfo=UTC))
    assert clock.monotonic() == 10
    await clock.advance(5)
    assert clock.now() == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=5)


async def test_receipts_wait_for_the_test_to_store_and_resolve_in_order() -> None:
    context, done = FakeContext(echo_vendor(), store_at_once=False), []
    for number in range(3):
        receipt = await context.submit(event(), cursor={"": number})
        receipt.add_done_callback(lambda _, number=number: done.append(number))
    emitting = asyncio.create_task(context.emit(event()))
    await settle()
    context.store(2)
    assert done == [0, 1]
    assert not emitting.done()
    context.store()
    assert not (await emitting).duplicate
    assert context.cursor() == 2


async def test_a_redelivery_is_answered_as_duplicate_until_deliveries_are_forgotten() -> None:
    context = FakeContext(echo_vendor())
    first = BrokerDelivery(5, b"digest-8", duplicate=False)
    again = BrokerDelivery(5, b"digest-8", duplicate=True)
    await context.emit(event(), delivery=first)
    assert (await context.emit(event(), delivery=again)).duplicate
    assert len(context.events) == 1
    assert not (await context.emit(event(), delivery=first)).duplicate
    await context.forget_deliveries()
    assert not (await context.emit(event(), delivery=again)).duplicate


async def test_a_next_start_knows_what_was_submitted() -> None:
    context = FakeContext(echo_vendor())
    await context.emit(cursor={"log": [1]}, state={LOCK: DeviceState("door")})
    again = context.restarted()
    assert again.state(LOCK) == DeviceState("door")
    assert again.cursor("log") == [1]
    await again.emit(state={LOCK: None})
    assert again.devices() == {}
    assert context.state(LOCK) is not None


async def test_a_lost_gateway_ends_every_wait() -> None:
    context = FakeContext(echo_vendor(), store_at_once=False)
    waiting = asyncio.create_task(context.emit(event()))
    await settle()
    context.lose_gateway()
    with pytest.raises(GatewayLost):
        await waiting
    with pytest.raises(GatewayLost):
        await context.submit(event())


async def test_what_the_wire_would_not_carry_is_refused_here_too() -> None:
    context = FakeContext(echo_vendor())
    with pytest.raises(BatchTooLarge):
        await context.submit(*[event()] * 5000)
    assert context.batches == []
