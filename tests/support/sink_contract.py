"""The contract kit of sinks: what delivery relies on, for every sink and for the scripted fake.

Subclass `SinkContract`, and give a `bench` fixture with a `SinkBench` of your sink.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

import pytest

from latchway.drivers.contract import Clock
from latchway.gateway.sinks.contract import Accepted, Answer, Sink, SinkEnvironment
from latchway.gateway.sinks.errors import SinkDisconnected, SinkUnreachable
from latchway.outbox.model import Delivery
from support.delivery import HandClock, delivery, numbers


def environment(clock: Clock | None = None) -> SinkEnvironment:
    return SinkEnvironment(hub="h1", clock=clock or HandClock(), random=Random(7))


@dataclass
class SinkBench:
    """A sink with its other end within reach."""

    sink: Sink
    unreachable: Sink
    """A sink of the same kind whose other end is not there."""
    received: Callable[[int], Awaitable[list[str]]]
    """Waits until the other end has that many events; returns their ids as they came."""
    hang_up: Callable[[], Awaitable[None]] | None = None
    """Ends the connection from the other side; None where that cannot happen."""


class Answers:
    """Collects reports, and waits until there are enough."""

    def __init__(self) -> None:
        self.given: list[tuple[Delivery, Answer]] = []
        self._more = asyncio.Event()

    def report(self, one: Delivery, answer: Answer) -> None:
        self.given.append((one, answer))
        self._more.set()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.given) < count:
                self._more.clear()
                await self._more.wait()


class SinkContract:
    """Every sink passes these."""

    async def test_every_event_is_answered_once_and_arrives(self, bench: SinkBench):
        answers = Answers()
        events = [delivery(number) for number in range(1, 21)]
        async with bench.sink.connect() as connection:
            assert connection.window >= 1
            await connection.send(events[:1], answers.report)
            await answers.reach(1)
            for event in events[1:]:
                await connection.send([event], answers.report)
            await answers.reach(20)

        assert sorted(numbers(one for one, _ in answers.given)) == list(range(1, 21))
        assert {type(answer) for _, answer in answers.given} == {Accepted}
        assert await bench.received(20) == [event.event.id for event in events]

    async def test_a_batch_arrives_in_the_order_given(self, bench: SinkBench):
        answers = Answers()
        events = [delivery(number) for number in range(1, 51)]
        async with bench.sink.connect() as connection:
            await connection.send(events, answers.report)
            await answers.reach(50)

        assert await bench.received(50) == [event.event.id for event in events]

    async def test_a_sink_can_be_connected_again_and_takes_the_same_event_twice(
        self, bench: SinkBench
    ):
        answers = Answers()
        for count in (1, 2):
            async with bench.sink.connect() as connection:
                await connection.send([delivery(1)], answers.report)
                await answers.reach(count)

        assert await bench.received(2) == [delivery(1).event.id] * 2

    async def test_a_live_connection_stays_open(self, bench: SinkBench):
        async with bench.sink.connect() as connection:
            closed = asyncio.ensure_future(connection.wait_closed())
            answers = Answers()
            await connection.send([delivery(1)], answers.report)
            await answers.reach(1)

            assert not closed.done()
            closed.cancel()

    async def test_a_send_that_is_cancelled_leaves_a_sink_that_works(self, bench: SinkBench):
        events = [delivery(number) for number in range(1, 400)]
        async with bench.sink.connect() as connection:
            sending = asyncio.ensure_future(connection.send(events, Answers().report))
            await asyncio.sleep(0)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

        answers = Answers()
        async with bench.sink.connect() as connection:
            await connection.send([delivery(1000)], answers.report)
            await answers.reach(1)

    async def test_an_end_that_is_not_there_is_unreachable_with_words(self, bench: SinkBench):
        with pytest.raises(SinkUnreachable) as raised:
            async with bench.unreachable.connect():
                pass

        assert len(str(raised.value)) > 10


class RemoteSinkContract(SinkContract):
    """Sinks with somebody at the other end, who can hang up, pass these too."""

    async def test_a_connection_that_the_other_end_ends_says_so(self, bench: SinkBench):
        assert bench.hang_up is not None
        async with bench.sink.connect() as connection:
            await bench.hang_up()

            with pytest.raises(SinkDisconnected) as raised:
                async with asyncio.timeout(10):
                    await connection.wait_closed()
            assert raised.value.by_server
            with pytest.raises(SinkDisconnected):
                await connection.send([delivery(1)], Answers().report)
