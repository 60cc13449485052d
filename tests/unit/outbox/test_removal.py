"""What is done with is removed once its replay window has passed, and not before."""

from dataclasses import replace

import pytest

from latchway.outbox import ReplayWindow
from latchway.schemas import VoidReason
from support.outbox_builders import (
    FILE,
    OutboxFolder,
    acknowledged,
    event,
    events,
    parked,
    replayed,
    voided,
)

MINUTE = 60.0
STEP = 20.0
"""The window is kept in steps: a prune less than a step after the one before sees no progress."""


async def prune_all(box):
    """Prune now, and again when the window of everything done by now has passed."""
    box.clocks.advance(STEP)
    removed = await box.outbox.prune()
    box.clocks.advance(10 * MINUTE)
    return removed + await box.outbox.prune()


async def test_an_event_stays_for_the_window_after_its_last_delivery_was_done(box):
    await box.store(event("a", "cloud", "file"))
    await box.progress(acknowledged(1))
    assert await prune_all(box) == 0

    await box.progress(acknowledged(1, lane=FILE))
    box.clocks.advance(STEP)
    await box.outbox.prune()
    box.clocks.advance(9 * MINUTE)
    assert await box.outbox.prune() == 0
    box.clocks.advance(1 * MINUTE)
    assert await box.outbox.prune() == 1

    assert await box.stored_ids() == []
    await box.closed_account()


async def test_what_waits_stays_and_holds_back_nothing_of_other_lanes(box):
    await box.store(event("both", "cloud", "file"), event("cloud only", "cloud"))
    await box.progress(acknowledged(1, 2))

    assert await prune_all(box) == 1
    assert await box.stored_ids() == ["both"]
    assert await box.waiting(FILE) == [1]
    await box.closed_account()


async def test_an_event_without_a_match_goes_after_the_window(box):
    await box.store(*events(3))
    assert await box.outbox.prune() == 0
    assert await prune_all(box) == 3
    await box.closed_account()


@pytest.mark.parametrize("reason", [reason for reason in VoidReason if reason != "parked"])
async def test_an_event_given_up_by_its_last_lane_goes(box, reason):
    await box.store(*events(2, "cloud"))
    await box.progress(voided(reason, 1), acknowledged(2))

    assert await prune_all(box) == 2
    await box.closed_account()


async def test_a_parked_event_stays_until_it_was_replayed_and_done(box):
    await box.store(*events(3, "cloud"))
    await box.progress(acknowledged(1, 3), parked(2))

    assert await prune_all(box) == 2
    assert await box.stored_ids() == ["event-2"]
    await box.closed_account()

    await box.progress(replayed(2))
    assert await box.waiting() == [2]
    await box.progress(acknowledged(2))
    assert await prune_all(box) == 1
    await box.closed_account()


async def test_a_replay_within_the_window_works_and_restarts_its_window(box):
    await box.store(*events(3, "cloud"))
    await box.progress(acknowledged(1, 2, 3))
    await box.outbox.prune()
    box.clocks.advance(9 * MINUTE)
    await box.progress(replayed(2))
    await box.progress(acknowledged(2))
    box.clocks.advance(2 * MINUTE)
    await box.outbox.prune()

    committed = await box.progress(replayed(2))
    assert committed.not_replayable == ()
    assert await box.waiting() == [2]
    await box.closed_account()


async def test_a_replay_after_the_window_is_told_to_be_in_vain(box):
    await box.store(*events(2, "cloud"))
    await box.progress(acknowledged(1, 2))
    await prune_all(box)

    committed = await box.progress(replayed(1, 2))
    assert [position.number for _, position in committed.not_replayable] == [1, 2]
    await box.closed_account()


async def test_numbers_go_on_after_everything_was_removed_and_opened_again(folder):
    async with folder.open() as box:
        await box.store(*events(3, "cloud"))
        await box.progress(acknowledged(1, 2, 3))
        assert await prune_all(box) == 3
    async with folder.open() as box:
        committed = await box.store(event("new", "cloud"))

        (delivery,) = committed.deliveries
        assert (delivery.sequence, delivery.position.number) == ("1-0000000000000004", 4)
        await box.closed_account()


async def test_opening_again_begins_the_window_anew(folder):
    async with folder.open() as box:
        await box.store(*events(1, "cloud"))
        await box.progress(acknowledged(1))
        await box.outbox.prune()
    folder.clocks.boot = 5.0  # the machine was restarted: its boot time begins anew
    async with folder.open() as box:
        assert await box.outbox.prune() == 0
        assert await prune_all(box) == 1


async def test_more_bytes_than_the_window_holds_go_before_the_time(tmp_path):
    folder = OutboxFolder(tmp_path, window=ReplayWindow(seconds=600, size_bytes=100_000))
    async with folder.open() as box:
        for number in range(1, 31):
            await box.store(event(f"event-{number}", "cloud", "file", data=b"x" * 10_000))
            await box.progress(acknowledged(number), acknowledged(number, lane=FILE))
            await box.outbox.prune()

        kept = await box.stored_ids()
        assert 3 <= len(kept) <= 5  # two lanes share 100 kB
        assert kept[-1] == "event-30"
        await box.closed_account()


async def test_bytes_of_events_without_a_match_count_too(tmp_path):
    folder = OutboxFolder(tmp_path, window=ReplayWindow(seconds=600, size_bytes=100_000))
    async with folder.open() as box:
        for number in range(1, 31):
            await box.store(event(f"event-{number}", data=b"x" * 10_000))
            await box.outbox.prune()

        assert len(await box.stored_ids()) <= 11
        await box.closed_account()


async def test_bytes_stored_before_opening_again_count_too(tmp_path):
    folder = OutboxFolder(tmp_path, window=ReplayWindow(seconds=600, size_bytes=100_000))
    async with folder.open() as box:
        for number in range(1, 31):
            await box.store(event(f"event-{number}", "cloud", data=b"x" * 10_000))
            await box.progress(acknowledged(number))
    async with folder.open() as box:
        await box.outbox.prune()
        assert len(await box.stored_ids()) <= 10
        await box.closed_account()


async def test_many_events_go_in_small_steps_between_which_commits_find_room(box):
    many = tuple(replace(one, id=f"id-{n}") for n, one in enumerate(events(1200, "cloud", "file")))
    await box.store(*many)
    numbers = tuple(range(1, 1201))
    await box.progress(acknowledged(*numbers), acknowledged(*numbers, lane=FILE))

    assert await prune_all(box) == 1200
    assert await box.stored_ids() == []
    await box.closed_account()
