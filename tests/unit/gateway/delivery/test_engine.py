"""What delivery promises, over a scripted sink and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from latchway.gateway.delivery import BacklogUnreadable, DeliveryEngine, LaneVoid, Pace
from latchway.gateway.sinks.contract import ACCEPTED, Refused, Retry
from latchway.gateway.sinks.errors import SinkUnreachable
from latchway.gateway.view import SinkState
from latchway.outbox import OutboxFailed
from latchway.outbox.model import LaneProgress, Voiding
from latchway.schemas import MAX_VOID_RANGES, LaneVoided, VoidReason
from support.delivery import (
    BULK,
    DiskLanes,
    HandClock,
    HighestChance,
    ScriptedSink,
    accept,
    delivery,
    lane,
    numbers,
    settle,
)


class Bench:
    """An engine with all its surroundings within reach."""

    def __init__(self, sinks: dict[str, ScriptedSink], disk: DiskLanes, pace: Pace) -> None:
        self.disk = disk
        self.clock = HandClock()
        self.voided: list[LaneVoid] = []
        self.engine = DeliveryEngine(
            sinks,
            disk.lanes(),
            disk,
            clock=self.clock,
            random=HighestChance(),
            voided=self.voided.append,
            pace=pace,
        )

    async def commit(self, *deliveries) -> None:
        self.engine.offer(self.disk.commit(*deliveries))
        await settle()

    def progress(self) -> dict[str, LaneProgress]:
        return {str(line.lane): line for line in self.engine.take_progress()}

    def acknowledged(self) -> list[int]:
        lines = self.engine.take_progress()
        self.disk.done(lines)
        return [number for line in lines for number in line.acknowledged]


@asynccontextmanager
async def running(*, disk=None, pace=None, **sinks):
    bench = Bench(sinks, disk or DiskLanes(), pace or Pace())
    task = asyncio.create_task(bench.engine.run())
    await settle()
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_deliveries_go_out_in_order_up_to_the_window():
    cloud = ScriptedSink(window=3)
    async with running(cloud=cloud) as bench:
        await bench.commit(*[delivery(n) for n in range(1, 6)])

        assert numbers(cloud.sent) == [1, 2, 3]


async def test_acknowledgements_out_of_order_free_places_and_are_handed_to_the_writer_once():
    cloud = ScriptedSink(window=3)
    async with running(cloud=cloud) as bench:
        await bench.commit(*[delivery(n) for n in range(1, 6)])

        cloud.last.answer(3, 1)
        await settle()

        assert numbers(cloud.sent) == [1, 2, 3, 4, 5]
        assert bench.engine.progress_waiting.is_set()
        assert bench.progress()["z2m/cloud/main"].acknowledged == (3, 1)
        assert not bench.engine.progress_waiting.is_set()
        assert bench.progress() == {}


async def test_after_a_disconnect_all_that_is_unacknowledged_goes_again_from_the_lowest():
    cloud = ScriptedSink(window=4)
    async with running(cloud=cloud) as bench:
        await bench.commit(*[delivery(n) for n in range(1, 9)])
        cloud.last.answer(2)
        await settle()
        assert cloud.last.unanswered == [1, 3, 4, 5]

        cloud.last.drop()
        await bench.clock.advance(1)

        assert numbers(cloud.last.sent) == [1, 3, 4, 5]
        cloud.last.answer_all()
        await settle()
        assert numbers(cloud.last.sent) == [1, 3, 4, 5, 6, 7, 8]


async def test_an_answer_that_comes_after_its_connection_ended_counts_for_nothing():
    cloud = ScriptedSink(window=2)
    async with running(cloud=cloud) as bench:
        await bench.commit(delivery(1))
        first = cloud.last
        first.drop()
        await settle()

        first.answer(1)

        assert bench.progress() == {}
        await bench.clock.advance(1)
        assert numbers(cloud.last.sent) == [1]


async def test_a_refusal_parks_the_event_and_the_lane_goes_on():
    cloud = ScriptedSink(window=1)
    async with running(cloud=cloud) as bench:
        await bench.commit(delivery(1), delivery(2))

        cloud.last.answer(1, answer=Refused("payload format invalid"))
        await settle()
        cloud.last.answer(2)

        line = bench.progress()["z2m/cloud/main"]
        assert line.voided == {1: Voiding(VoidReason.PARKED, "payload format invalid")}
        assert line.acknowledged == (2,)
        [void] = bench.voided
        assert void.data() == LaneVoided(
            lane="z2m/cloud/main",
            epoch=1,
            positions=((1, 1),),
            reason=VoidReason.PARKED,
            detail="payload format invalid",
        )
        assert void.match == delivery(1).match


async def test_refusals_of_one_commit_share_one_voided_event():
    cloud = ScriptedSink(window=9, answers=lambda one: Refused(f"no {one.position.number}"))
    async with running(cloud=cloud) as bench:
        await bench.commit(delivery(1), delivery(2), delivery(3))

        assert set(bench.progress()["z2m/cloud/main"].voided) == {1, 2, 3}
        [void] = bench.voided
        assert void.data().positions == ((1, 3),)


async def test_refusals_too_scattered_for_one_voided_event_are_spread_over_several():
    every = range(1, 2 * MAX_VOID_RANGES + 4)

    def answer(one):
        return Refused("no") if one.position.number % 2 else ACCEPTED

    cloud = ScriptedSink(window=len(every), answers=answer)
    async with running(cloud=cloud, pace=Pace(tail_deliveries=len(every))) as bench:
        await bench.commit(*map(delivery, every))
        bench.progress()

        positions = [place for void in bench.voided for place in void.data().positions]
        assert positions == [(number, number) for number in every if number % 2]


async def test_a_refused_voided_event_makes_no_event_but_rides_in_the_next_one():
    cloud = ScriptedSink(window=9, answers=lambda _: Refused("no"))
    async with running(cloud=cloud) as bench:
        await bench.commit(delivery(1, event_type=LaneVoided.event_type))
        assert set(bench.progress()["z2m/cloud/main"].voided) == {1}
        assert bench.voided == []

        await bench.commit(delivery(2), delivery(3))
        bench.progress()

        assert bench.voided[0].data().positions == ((1, 3),)


async def test_a_refusal_of_one_lane_does_not_touch_another():
    vendor_a, vendor_b = lane("a"), lane("b")
    cloud = ScriptedSink(
        window=2, answers=lambda one: Refused("no") if one.lane == vendor_a else ACCEPTED
    )
    async with running(cloud=cloud) as bench:
        await bench.commit(*[delivery(n, key=key) for n in (1, 2) for key in (vendor_a, vendor_b)])

        progress = bench.progress()
        assert set(progress["a/cloud/main"].voided) == {1, 2}
        assert progress["b/cloud/main"].acknowledged == (1, 2)


async def test_a_sink_that_asks_for_patience_gets_it_and_then_the_same_event_first():
    cloud = ScriptedSink(window=2)
    async with running(cloud=cloud) as bench:
        await bench.commit(*[delivery(n) for n in (1, 2, 3, 4)])

        cloud.last.answer(1, answer=Retry(5.0, "quota exceeded"))
        cloud.last.answer(2)
        await bench.clock.advance(5.4)
        assert numbers(cloud.sent) == [1, 2]
        [status] = bench.engine.status()
        assert status.throttled
        assert status.detail == "takes nothing for 5.5 s: quota exceeded"
        assert status.retry_at is not None

        await bench.clock.advance(0.2)
        assert numbers(cloud.sent) == [1, 2, 1, 3]
        assert not bench.engine.status()[0].throttled


async def test_one_sink_that_is_down_or_silent_never_delays_the_other():
    down, silent, up = ScriptedSink(), ScriptedSink(window=1), ScriptedSink(answers=accept)
    down.failures = [SinkUnreachable("no route")] * 100
    async with running(down=down, silent=silent, up=up) as bench:
        await bench.commit(
            *[
                delivery(n, key=lane(sink=sink))
                for n in range(1, 51)
                for sink in ("down", "silent", "up")
            ]
        )

        assert numbers(up.sent) == list(range(1, 51))
        assert numbers(silent.sent) == [1]
        assert down.sent == []


async def test_a_fault_inside_one_sink_is_retried_and_leaves_the_others_alone(caplog):
    broken, up = ScriptedSink(answers=lambda _: 1 / 0), ScriptedSink(answers=accept)
    async with running(broken=broken, up=up) as bench:
        await bench.commit(delivery(1, key=lane(sink="broken")), delivery(1, key=lane(sink="up")))
        await bench.clock.advance(1)

        assert broken.attempts > 1
        assert numbers(up.sent) == [1]
        assert "fault in the sink itself" in caplog.text


async def test_lanes_take_turns_four_to_one_between_main_and_bulk():
    main, bulk = lane(), lane(lane_class=BULK)
    cloud = ScriptedSink(window=1, answers=accept)
    disk = DiskLanes()
    disk.commit(*[delivery(n, key=key) for key in (bulk, main) for n in range(1, 41)])
    async with running(cloud=cloud, disk=disk):
        await settle()

        first = [str(one.lane.lane_class) for one in cloud.sent[:20]]
        assert first.count("main") == 16
        assert first.count("bulk") == 4


async def test_vendors_share_the_sink_equally():
    cloud = ScriptedSink(window=10)
    async with running(cloud=cloud) as bench:
        await bench.commit(*[delivery(n, key=lane("flood")) for n in range(1, 101)])
        await bench.commit(*[delivery(n, key=lane("quiet")) for n in range(1, 6)])

        cloud.last.answer(*range(1, 11), key=lane("flood"))
        await settle()

        in_flight = [one.lane.vendor for one in cloud.sent[10:20]]
        assert in_flight.count("quiet") == 5


async def test_a_backlog_delays_a_new_main_event_by_no_more_than_one_window():
    cloud = ScriptedSink(window=8)
    async with running(cloud=cloud) as bench:
        await bench.commit(*[delivery(n, key=lane(lane_class=BULK)) for n in range(1, 201)])
        await bench.commit(delivery(1))

        cloud.last.answer(1, key=lane(lane_class=BULK))
        await settle()

        assert cloud.sent[-1].lane == lane()


async def test_a_tail_that_overflows_is_read_from_disk_in_order():
    cloud = ScriptedSink(window=2)
    pace = Pace(tail_deliveries=5, page=4)
    async with running(cloud=cloud, pace=pace) as bench:
        for n in range(1, 31):
            await bench.commit(delivery(n))
        while cloud.last.unanswered:
            cloud.last.answer_all()
            bench.acknowledged()
            await settle()

        assert numbers(cloud.sent) == list(range(1, 31))
        assert bench.disk.reads != []
        read_before = len(bench.disk.reads)
        await bench.commit(delivery(31))
        assert numbers(cloud.sent)[-1] == 31
        assert len(bench.disk.reads) == read_before, "a lane that caught up lives in memory again"


async def test_a_tail_is_bounded_in_bytes_too():
    cloud = ScriptedSink(window=1)
    pace = Pace(tail_bytes=5000)
    async with running(cloud=cloud, pace=pace) as bench:
        await bench.commit(*[delivery(n, data=b'"' + b"x" * 4000 + b'"') for n in range(1, 6)])
        while cloud.last.unanswered:
            cloud.last.answer_all()
            await settle()

        assert numbers(cloud.sent) == [1, 2, 3, 4, 5]
        assert bench.disk.reads != []


async def test_commits_while_a_page_is_read_are_neither_lost_nor_sent_twice():
    cloud = ScriptedSink(window=50, answers=accept)
    disk = DiskLanes()
    disk.commit(*[delivery(n) for n in range(1, 10)])
    async with running(cloud=cloud, disk=disk, pace=Pace(page=3)) as bench:
        for n in range(10, 40):
            bench.engine.offer(bench.disk.commit(delivery(n)))
            await asyncio.sleep(0)
        await settle()

        assert numbers(cloud.sent) == list(range(1, 40))


async def test_a_restart_resumes_from_the_lowest_unacknowledged():
    disk = DiskLanes()
    disk.commit(delivery(3), delivery(7), delivery(8))
    cloud = ScriptedSink(window=9)
    async with running(cloud=cloud, disk=disk) as bench:
        await bench.commit(delivery(9))

        assert numbers(cloud.sent) == [3, 7, 8, 9]


async def test_older_epochs_of_a_lane_drain_first():
    disk = DiskLanes()
    disk.commit(delivery(1, epoch=3), delivery(5, epoch=2), delivery(2, epoch=1))
    cloud = ScriptedSink(window=9)
    async with running(cloud=cloud, disk=disk) as bench:
        await bench.commit(delivery(2, epoch=3))

        places = [(one.position.epoch, one.position.number) for one in cloud.sent]
        assert places == [(1, 2), (2, 5), (3, 1), (3, 2)]
        cloud.last.answer_all()
        assert {(line.epoch, line.acknowledged) for line in bench.engine.take_progress()} == {
            (1, (2,)),
            (2, (5,)),
            (3, (1, 2)),
        }


async def test_events_of_a_device_keep_their_order_through_cuts():
    cloud = ScriptedSink(window=3)
    async with running(cloud=cloud) as bench:
        for n in range(1, 41):
            await bench.commit(delivery(n, device=f"0xa{n % 2}"))
            if n % 7 == 0:
                cloud.last.drop()
                await bench.clock.advance(60)
            cloud.last.answer_all()
            await settle()

        first_sends = list(dict.fromkeys(numbers(cloud.sent)))
        assert first_sends == list(range(1, 41))


async def test_an_unreachable_sink_is_tried_with_growing_delays_and_says_why():
    cloud = ScriptedSink()
    cloud.failures = [SinkUnreachable("no route to host")] * 20
    async with running(cloud=cloud) as bench:
        down_since = bench.clock.now()
        [status] = bench.engine.status()
        assert status.state is SinkState.WAITING
        assert status.detail == "no route to host"
        assert (status.retry_at - bench.clock.now()).total_seconds() == 0.5

        attempts = []
        for seconds in (0.5, 1, 2, 4, 8, 16, 32, 60, 60):
            await bench.clock.advance(seconds)
            attempts.append(cloud.attempts)

        assert attempts == [2, 3, 4, 5, 6, 7, 8, 9, 10]
        assert bench.engine.status()[0].since == down_since, "it is down since then, not again"


async def test_a_connection_that_lasted_begins_the_back_off_anew():
    cloud = ScriptedSink()
    cloud.failures = [SinkUnreachable("no route")] * 4
    async with running(cloud=cloud) as bench:
        await bench.clock.advance(0.5 + 1 + 2 + 4)
        assert len(cloud.connections) == 1
        await bench.clock.advance(30)

        cloud.last.drop()
        await settle()
        assert cloud.attempts == 6, "a lost link after a good time is tried again at once"
        assert len(cloud.connections) == 2

        cloud.last.drop()
        await bench.clock.advance(0.4)
        assert len(cloud.connections) == 2
        await bench.clock.advance(0.2)
        assert len(cloud.connections) == 3


async def test_a_server_that_ended_the_connection_is_given_a_random_while():
    cloud = ScriptedSink()
    async with running(cloud=cloud) as bench:
        await bench.clock.advance(30)

        cloud.last.drop(by_server=True)
        await bench.clock.advance(4.9)
        assert len(cloud.connections) == 1

        await bench.clock.advance(0.2)
        assert len(cloud.connections) == 2


async def test_drained_waits_for_sinks_that_are_up_and_for_no_other():
    up, down = ScriptedSink(), ScriptedSink()
    down.failures = [SinkUnreachable("no route")] * 9
    async with running(up=up, down=down) as bench:
        await bench.commit(delivery(1, key=lane(sink="up")), delivery(1, key=lane(sink="down")))
        drained = asyncio.create_task(bench.engine.drained())
        await settle()
        assert not drained.done()

        up.last.answer(1)
        await settle()

        assert drained.done()


async def test_drained_ends_when_the_last_sink_with_work_goes_down():
    cloud = ScriptedSink()
    async with running(cloud=cloud) as bench:
        await bench.commit(delivery(1))
        drained = asyncio.create_task(bench.engine.drained())
        await settle()

        cloud.failures = [SinkUnreachable("no route")] * 9
        cloud.last.drop()
        await settle()

        assert drained.done()


@pytest.mark.parametrize("steps", range(12))
async def test_delivery_can_be_ended_at_any_moment_of_a_connections_end(steps):
    """Steps of the event loop between the end of the connection and the cancellation."""
    cloud = ScriptedSink()
    cloud.slow_to_end = True
    engine = DeliveryEngine(
        {"cloud": cloud},
        (),
        DiskLanes(),
        clock=HandClock(),
        random=HighestChance(),
        voided=lambda _: None,
    )
    task = asyncio.create_task(engine.run())
    await settle()
    engine.offer([delivery(1)])
    await settle()

    cloud.last.drop()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await settle()

    assert task.cancelled()


async def test_a_lane_that_cannot_be_read_ends_delivery_with_words():
    disk = DiskLanes()
    disk.commit(delivery(1))
    disk.broken = OutboxFailed("disk I/O error")
    cloud = ScriptedSink()
    bench = Bench({"cloud": cloud}, disk, Pace())

    with pytest.raises(ExceptionGroup) as raised:
        await bench.engine.run()

    [error] = raised.value.exceptions
    assert isinstance(error, BacklogUnreadable)
    assert "z2m/cloud/main cannot be read from the outbox: disk I/O error" in str(error)


async def test_deliveries_for_a_sink_that_is_not_configured_stay_where_they_are():
    disk = DiskLanes()
    disk.commit(delivery(1, key=lane(sink="gone")))
    async with running(cloud=ScriptedSink(), disk=disk) as bench:
        await bench.commit(delivery(2, key=lane(sink="gone")))

        assert bench.progress() == {}
        assert [status.sink for status in bench.engine.status()] == ["cloud"]


async def test_the_status_counts_what_waits_is_in_flight_and_is_done():
    cloud = ScriptedSink(window=2)
    disk = DiskLanes()
    disk.commit(*[delivery(n) for n in (1, 2, 3)])
    async with running(cloud=cloud, disk=disk) as bench:
        bench.engine.take_progress()
        cloud.last.answer(1)
        await bench.clock.advance(2)
        cloud.last.answer(2, answer=Refused("no"))
        await settle()

        [status] = bench.engine.status()
        assert status.state is SinkState.CONNECTED
        assert (status.waiting, status.in_flight, status.window) == (1, 1, 2)
        assert status.acknowledged_per_s == 0.5
        assert status.connects == 1
        [traffic] = status.lanes
        assert (traffic.waiting, traffic.acknowledged, traffic.parked) == (1, 1, 1)
