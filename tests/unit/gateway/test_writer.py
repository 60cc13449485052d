"""How frames of several vendors become commits, and who learns what afterwards."""

from __future__ import annotations

import asyncio

import pytest

from latchway.gateway.voice import HubVoice
from latchway.gateway.writer import FRAMES_PER_TURN, Writer, WriterHooks
from latchway.outbox import (
    Batch,
    BatchOutcome,
    BatchResult,
    Committed,
    LaneKey,
    LaneProgress,
    NewEvent,
    OutboxFailed,
)
from latchway.schemas import HubStopping, LaneClass, Priority
from support.delivery import HandClock, settle

LANE = LaneKey("a", "disk", LaneClass.MAIN)


class GatedStore:
    """An outbox whose commits end when they are told to."""

    def __init__(self, *, gated: bool = False) -> None:
        self.transactions = []
        self.gate = asyncio.Semaphore(0 if gated else 1_000_000)
        self.fails = False
        self.committed = asyncio.Event()

    async def commit(self, transaction):
        self.transactions.append(transaction)
        self.committed.set()
        await self.gate.acquire()
        if self.fails:
            raise OutboxFailed("disk error")
        results = tuple(
            BatchResult(
                BatchOutcome.STORED, sequences=tuple(f"1-{n:016}" for n, _ in enumerate(b.events))
            )
            for b in transaction.batches
        )
        return Committed(results, ())


class Deliveries:
    def __init__(self) -> None:
        self.progress_waiting = asyncio.Event()
        self.waiting: list[LaneProgress] = []
        self.offered = []

    def acknowledge(self, *numbers: int) -> None:
        self.waiting.append(LaneProgress(LANE, 1, numbers))
        self.progress_waiting.set()

    def take_progress(self):
        self.progress_waiting.clear()
        taken, self.waiting = tuple(self.waiting), []
        return taken

    def offer(self, deliveries) -> None:
        self.offered.append(deliveries)


class Worker:
    def __init__(self) -> None:
        self.answers: list[list[int]] = []

    def stored(self, results) -> None:
        self.answers.append([number for number, _ in results])


class Bench:
    def __init__(self, *, gated: bool = False) -> None:
        self.store = GatedStore(gated=gated)
        self.deliveries = Deliveries()
        self.clock = HandClock()
        self.events, self.states, self.owed = [], [], []
        hooks = WriterHooks(self._voids, self.events.extend, self.states.append)
        self.writer = Writer(self.store, self.deliveries, hooks, self.clock)

    def _voids(self):
        owed, self.owed = tuple(self.owed), []
        return owed

    def submit(self, worker: Worker, vendor: str, *numbers: int) -> None:
        for number in numbers:
            self.writer.submit(worker, number, batch(vendor, number))


def batch(vendor: str, number: int, **more) -> Batch:
    event = NewEvent(f"{vendor}-{number}", "type", None, Priority.STATE, {}, b"{}")
    return Batch(vendor=vendor, events=(event,), **more)


def vendors(transaction) -> dict[str, int]:
    names = [batch.vendor for batch in transaction.batches]
    return {name: names.count(name) for name in dict.fromkeys(names)}


@pytest.fixture
async def gated():
    bench = Bench(gated=True)
    task = asyncio.create_task(bench.writer.run())
    yield bench
    task.cancel()
    await asyncio.wait({task})


@pytest.fixture
async def bench():
    bench = Bench()
    task = asyncio.create_task(bench.writer.run())
    yield bench
    task.cancel()
    await asyncio.wait({task})


async def release(bench: Bench) -> None:
    bench.store.committed.clear()
    bench.store.gate.release()
    bench.clock.elapsed += 1.0
    await settle()


async def test_a_lone_frame_is_committed_at_once(bench):
    worker = Worker()

    bench.submit(worker, "a", 1)
    await settle()

    assert worker.answers == [[1]]
    assert bench.writer.queued("a") == 0


async def test_what_arrives_during_a_commit_is_the_next_group(gated):
    worker = Worker()
    gated.submit(worker, "a", 1)
    await settle()
    gated.submit(worker, "a", 2, 3, 4)
    assert worker.answers == []

    await release(gated)
    await release(gated)

    assert worker.answers == [[1], [2, 3, 4]]


async def test_a_flood_of_one_vendor_leaves_room_for_the_others(gated):
    flood, calm = Worker(), Worker()
    gated.submit(flood, "flood", *range(1, 101))
    gated.submit(calm, "calm", 1)
    await settle()

    await release(gated)

    assert vendors(gated.store.transactions[0]) == {"flood": FRAMES_PER_TURN, "calm": 1}
    assert calm.answers == [[1]]
    assert flood.answers == [list(range(1, FRAMES_PER_TURN + 1))]
    assert gated.writer.queued("flood") == 80


async def test_under_load_a_commit_waits_two_milliseconds_for_more():
    bench = Bench()
    task = asyncio.create_task(bench.writer.run())
    bench.submit(Worker(), "a", 1)
    await settle()
    bench.submit(Worker(), "a", 2)
    await settle()
    bench.submit(Worker(), "a", 3)

    assert len(bench.store.transactions) == 1
    bench.store.committed.clear()
    await asyncio.wait_for(bench.store.committed.wait(), 5)

    assert vendors(bench.store.transactions[1]) == {"a": 2}
    task.cancel()
    await asyncio.wait({task})


async def test_progress_rides_in_the_next_commit(bench):
    bench.deliveries.acknowledge(1, 2)

    bench.submit(Worker(), "a", 1)
    await settle()

    assert bench.store.transactions[0].progress == (LaneProgress(LANE, 1, (1, 2)),)


async def test_progress_alone_is_on_disk_within_a_second(bench):
    bench.deliveries.acknowledge(1)
    await bench.clock.advance(0.9)
    assert bench.store.transactions == []

    await bench.clock.advance(0.2)

    assert bench.store.transactions[0].progress == (LaneProgress(LANE, 1, (1,)),)


async def test_a_void_is_in_the_transaction_of_its_parking(bench):
    bench.deliveries.acknowledge(1)
    bench.owed.append(batch("a", 99))

    bench.submit(Worker(), "a", 1)
    await settle()

    [transaction] = bench.store.transactions
    assert [b.events[0].id for b in transaction.batches] == ["a-1", "a-99"]
    assert transaction.progress


async def test_observers_learn_of_events_and_states_once_they_are_on_disk(gated):
    gated.writer.submit(Worker(), 1, batch("a", 1, states={"0x01": b"{}"}))
    await settle()
    assert gated.events == []

    await release(gated)

    assert [stored.event.id for stored in gated.events] == ["a-1"]
    assert [b.states for b in gated.states] == [{"0x01": b"{}"}]


async def test_settled_waits_for_the_commit_of_that_vendor_only(gated):
    gated.submit(Worker(), "a", *range(1, 30))
    settled = asyncio.create_task(gated.writer.settled("a"))
    other = asyncio.create_task(gated.writer.settled("b"))
    await settle()
    assert other.done()
    await release(gated)
    assert not settled.done()

    await release(gated)

    assert settled.done()


async def test_after_a_disk_error_nobody_is_told_that_it_is_stored():
    bench, worker = Bench(), Worker()
    bench.store.fails = True
    bench.submit(worker, "a", 1)

    with pytest.raises(ExceptionGroup) as caught:
        await bench.writer.run()

    assert caught.group_contains(OutboxFailed)
    assert worker.answers == []
    assert not bench.writer.running


async def test_finish_stores_what_is_left_and_marks_the_stop_as_clean():
    bench, worker = Bench(), Worker()
    running = asyncio.create_task(bench.writer.run())
    await settle()
    bench.writer.stop()
    await running
    bench.submit(worker, "a", *range(1, 31))
    bench.deliveries.acknowledge(3)

    await bench.writer.finish()

    assert sum(len(answer) for answer in worker.answers) == 30
    assert [t.clean_stop for t in bench.store.transactions] == [False, False, True]


class Facts:
    def own(self, vendor: str, *facts) -> Batch:
        return batch(vendor, len(facts))


async def test_the_hub_hears_when_what_it_said_is_on_disk(gated):
    voice = HubVoice(Facts(), gated.writer)
    said = asyncio.create_task(voice.say_and_wait(HubStopping(reason="SIGTERM")))
    await settle()
    assert not said.done()

    await release(gated)

    assert said.done()
    assert vendors(gated.store.transactions[0]) == {"hub": 1}
