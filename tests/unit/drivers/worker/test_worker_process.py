"""A real worker process, seen from the gateway's end of its socket."""

from __future__ import annotations

import contextlib
import json

import pytest

from latchway.drivers.contract import BrokerDelivery, DeliveryClass, DeviceState
from latchway.drivers.states import decode_state, encode_state
from latchway.drivers.wire import (
    GENERATION,
    Config,
    Frame,
    Kind,
    StoredNote,
    encode,
)
from latchway.drivers.worker.host import Exit
from support.worker_peer import WorkerPeer, worker

PLANTED_CODE = "73915284"


async def started(peer: WorkerPeer, behaviour: str, **settings: object) -> None:
    await peer.hello()
    peer.configure({"behaviour": behaviour, **settings})


async def test_a_worker_says_hello_with_its_manifest() -> None:
    async with worker(vendor="house") as peer:
        hello = await peer.hello()

    assert (hello.vendor, hello.title, hello.pid) == ("house", "Test lock", peer.process.pid)
    assert hello.delivery_class is DeliveryClass.LIVE
    assert hello.event_types == ("io.latchway.lock.state_changed.v1",)
    assert hello.generation == GENERATION


async def test_emit_returns_when_the_gateway_says_stored() -> None:
    async with worker() as peer:
        await started(peer, "emit", count=2)
        first = await peer.batch()
        peer.stored(first.number)
        await peer.log("stored 0 duplicate=False")
        second = await peer.batch()
        peer.stored(second.number, StoredNote(second.number, duplicate=True))
        await peer.log("stored 1 duplicate=True")

    assert (first.number, second.number) == (1, 2)
    assert json.loads(first.drafts[0])["device"] == "lock-1"
    assert first.cursors == {"": b"0"}
    raw = first.states["lock-1"]
    assert raw is not None
    assert decode_state(raw).name == "door 0"
    assert second.delivery == BrokerDelivery(2, b"digest-8", duplicate=True)


async def test_batches_pipeline_within_the_credit_and_resolve_in_order() -> None:
    async with worker() as peer:
        await peer.hello()
        peer.configure({"behaviour": "pipeline", "count": 6}, credit=3)
        assert [(await peer.batch()).number for _ in range(3)] == [1, 2, 3]
        heartbeat = await peer.heartbeat()
        while heartbeat.queued < 3:
            heartbeat = await peer.heartbeat()
        assert not [frame for frame in peer.heard if frame.kind == Kind.BATCH][3:]
        peer.grant(1)
        assert (await peer.batch()).number == 4
        peer.stored(4)
        peer.grant(2)
        assert [(await peer.batch()).number for _ in range(2)] == [5, 6]
        peer.stored(6)
        await peer.log("5 stored=True")

    stored = [log.message for log in peer.logs() if "stored" in log.message]
    assert stored == [f"{number} stored=True" for number in range(6)]
    assert "submitted 1 cursor=1" in [log.message for log in peer.logs()]


async def test_heartbeats_tell_what_the_driver_reports() -> None:
    async with worker() as peer:
        await started(peer, "degraded")
        heartbeat = await peer.heartbeat()
        while not heartbeat.degraded:
            heartbeat = await peer.heartbeat()

    assert heartbeat.delivery_class is DeliveryClass.QUEUED
    assert heartbeat.class_reason == "the bridge publishes at QoS 1"
    assert heartbeat.degraded == ("the clock is off: set it",)


async def test_a_driver_that_blocks_its_loop_looks_dead() -> None:
    async with worker() as peer:
        await started(peer, "block")
        await peer.log("blocking")
        beats = 0
        with contextlib.suppress(TimeoutError):
            while beats < 5:
                await peer.receive(lambda frame: frame.kind == Kind.HEARTBEAT, patience_s=0.5)
                beats += 1

    assert beats < 5


async def test_stop_cancels_the_driver_waits_for_what_it_submitted_and_exits_with_0() -> None:
    async with worker() as peer:
        await started(peer, "slow_stop")
        first = await peer.batch()
        peer.stop(grace_s=10)
        second = await peer.batch()
        peer.stored(first.number)
        await peer.heartbeat()
        assert peer.process.returncode is None
        peer.stored(second.number)
        assert await peer.exit_status() == Exit.STOPPED


async def test_stop_waits_no_longer_than_its_grace_for_the_disk() -> None:
    async with worker() as peer:
        await started(peer, "slow_stop")
        await peer.batch()
        peer.stop(grace_s=0.2)
        await peer.log("not known to be stored")
        assert await peer.exit_status() == Exit.STOPPED


async def test_a_driver_that_ignores_stop_is_ended_after_the_grace() -> None:
    async with worker() as peer:
        await started(peer, "hang")
        await peer.heartbeat()
        await peer.heartbeat()
        peer.stop(grace_s=0.2)
        await peer.log("did not stop within")
        assert await peer.exit_status() == Exit.STOP_IGNORED


async def test_stop_before_the_config_ends_at_once() -> None:
    async with worker() as peer:
        await peer.hello()
        peer.stop()
        assert await peer.exit_status() == Exit.STOPPED


@pytest.mark.parametrize("behaviour", ["idle", "hang", "emit"])
async def test_a_worker_whose_gateway_is_gone_exits_at_once(behaviour: str) -> None:
    async with worker() as peer:
        await started(peer, behaviour)
        await peer.heartbeat()
        peer.stream.link.abort()
        assert await peer.exit_status() == Exit.GATEWAY_LOST
        assert await peer.printed() == ""


async def test_a_driver_that_fails_is_logged_with_its_traceback_but_not_its_payload() -> None:
    async with worker() as peer:
        await started(peer, "crash")
        log = await peer.log("the driver failed")
        assert await peer.exit_status() == Exit.DRIVER_FAILED
        printed = await peer.printed()

    assert log.traceback is not None
    assert "testlock_drivers.py" in log.traceback
    assert "ValueError: cannot decode [digits]" in log.traceback
    assert "ValueError" in printed
    assert PLANTED_CODE not in log.traceback + log.message + printed


async def test_a_failing_callback_of_a_receipt_fails_the_driver() -> None:
    async with worker() as peer:
        await started(peer, "crash_in_callback")
        peer.stored((await peer.batch()).number)
        log = await peer.log("a callback of the driver failed")
        assert await peer.exit_status() == Exit.DRIVER_FAILED

    assert log.traceback is not None
    assert "in a callback" in log.traceback


async def test_a_driver_that_returns_has_failed() -> None:
    async with worker() as peer:
        await started(peer, "return")
        await peer.log("ended by itself")
        assert await peer.exit_status() == Exit.DRIVER_FAILED


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        ("testlock_broken", "testlock_missing"),
        ("testlock_empty", "registers nothing"),
        ("no_such_driver", "There is no driver 'no_such_driver'"),
    ],
)
async def test_a_driver_that_cannot_be_loaded_is_named(driver: str, words: str) -> None:
    async with worker(driver) as peer:
        log = await peer.log("cannot be loaded")
        assert await peer.exit_status() == Exit.NOT_STARTED
        printed = await peer.printed()

    assert log.traceback is not None
    assert words in log.traceback
    assert words in printed


async def test_a_config_that_does_not_fit_is_named_by_field_without_its_value() -> None:
    async with worker() as peer:
        await peer.hello()
        peer.configure({"behaviour": "idle", "count": PLANTED_CODE + "x"})
        log = await peer.log("does not fit driver")
        assert await peer.exit_status() == Exit.NOT_STARTED

    assert "count" in log.message
    assert PLANTED_CODE not in log.message


async def test_a_batch_above_the_frame_limit_is_an_error_that_the_driver_survives() -> None:
    async with worker() as peer:
        await started(peer, "too_large")
        log = await peer.log("too large")
        batch = await peer.batch()
        assert batch.number == 1
        peer.stored(1)
        await peer.log("went on")

    assert "256 KiB" in log.message


async def test_a_config_in_parts_gives_the_driver_all_its_states_and_cursors() -> None:
    states = {
        f"lock-{number}": encode_state(DeviceState(name=f"n{number} " + "x" * 20_000))
        for number in range(40)
    }
    async with worker() as peer:
        await peer.hello()
        peer.configure({"behaviour": "echo_state"}, states=states, cursors={"log": b'{"index":7}'})
        log = await peer.log("knows ")
        batch = await peer.batch()
        peer.stored(batch.number)
        await peer.log("now None")

    assert log.message.endswith("...")  # long ones are cut
    assert batch.states == {"lock-1": None}


async def test_a_stored_state_that_cannot_be_read_is_begun_anew() -> None:
    async with worker() as peer:
        await peer.hello()
        peer.configure({"behaviour": "echo_state"}, states={"lock-1": b"damage"})
        await peer.log("cannot be read")
        log = await peer.log("knows []")

    assert log.level == 20


async def test_rejects_are_numbered_and_answered_like_batches() -> None:
    async with worker() as peer:
        await started(peer, "reject", count=100_000)
        reject = await peer.reject()
        peer.stored(reject.number)
        batch = await peer.batch()
        peer.stored(batch.number)
        await peer.log("kept")

    assert (reject.number, batch.number) == (1, 2)
    assert (reject.topic, reject.device) == ("t", "lock-1")
    assert len(reject.raw) == 64 * 1024
    assert reject.reason.startswith("not_utf8: byte 0 (the first 65536 of 100000 bytes")
    assert batch.forget_deliveries


async def test_log_records_beyond_the_bound_are_dropped_and_counted() -> None:
    async with worker() as peer:
        await peer.hello()
        peer.stream.link.pause_reading()
        peer.configure({"behaviour": "log_flood", "count": 2000})
        await peer.settled_for(0.5)
        peer.stream.link.resume_reading()
        batch = await peer.batch()
        peer.stored(batch.number)
        heartbeat = await peer.heartbeat()
        while not heartbeat.counters["logs_dropped"]:
            heartbeat = await peer.heartbeat()
        peer.stop()
        assert await peer.exit_status() == Exit.STOPPED

    received = [log for log in peer.logs() if log.message.endswith("xxx")]
    assert len(received) + heartbeat.counters["logs_dropped"] == 2000


async def test_unknown_kinds_of_frames_are_ignored() -> None:
    async with worker() as peer:
        await peer.hello()
        peer.send(Frame(200, {"x": 1}, b"later"))
        peer.configure({"behaviour": "emit"})
        peer.send(Frame(Kind.PERMIT, {"x": 1}))
        assert (await peer.batch()).number == 1


async def test_a_gateway_of_another_generation_is_refused_with_the_fix() -> None:
    async with worker() as peer:
        await peer.hello()
        peer.send(Config("hub", "testlock", b"{}", generation=GENERATION + 1).to_frame())
        log = await peer.log("generation")
        assert await peer.exit_status() == Exit.WIRE_REFUSED

    assert "install the same version of Latchway" in log.message


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xff\xff\xff",
        encode(Frame(Kind.STORED, {"through": "x"})),
        encode(Frame(Kind.STORED, {"through": 99})),
        encode(Frame(Kind.CREDIT, {})),
    ],
)
async def test_nonsense_from_the_gateway_ends_the_worker_with_a_reason(sent: bytes) -> None:
    async with worker() as peer:
        await started(peer, "idle")
        await peer.heartbeat()
        peer.stream.link.send_bytes(sent)
        assert await peer.exit_status() == Exit.WIRE_REFUSED
        assert "worker of testlock: " in await peer.printed()
