"""What can become of a position: acknowledged, voided for a reason, waiting again."""

import pytest

from latchway.outbox import LaneProgress, PositionSet, UnknownPosition, Voiding
from latchway.schemas import VoidReason
from support.outbox_builders import (
    CLOUD,
    FILE,
    acknowledged,
    events,
    parked,
    replayed,
    voided,
)

GIVEN_UP = [reason for reason in VoidReason if reason is not VoidReason.PARKED]


@pytest.fixture
async def lane(box):
    """An outbox whose cloud lane has five deliveries waiting."""
    await box.store(*events(5, "cloud"))
    return box


async def test_acknowledgements_in_any_order_leave_the_rest_waiting(lane):
    await lane.progress(acknowledged(4, 2))

    assert await lane.waiting() == [1, 3, 5]
    (status,) = lane.outbox.lanes()
    assert (status.done, status.waiting) == (PositionSet([(2, 2), (4, 4)]), 3)
    account = await lane.lane_account()
    assert (account.routed, account.acknowledged, account.waiting) == (5, 2, 3)


async def test_progress_survives_opening_again(folder):
    async with folder.open() as box:
        await box.store(*events(5, "cloud"))
        await box.progress(acknowledged(1, 2, 4), parked(5))
    async with folder.open() as box:
        (status,) = box.outbox.lanes()
        assert status.done.to_text() == "1-2,4-5"
        assert await box.waiting() == [3]
        committed = await box.store(*events(1, "cloud", first=6))
        assert committed.deliveries[0].position.number == 6
        await box.closed_account()


async def test_the_same_acknowledgement_twice_counts_once(lane):
    await lane.progress(acknowledged(1, 1), acknowledged(1))
    await lane.progress(acknowledged(1))

    assert (await lane.lane_account()).acknowledged == 1


async def test_the_first_word_about_a_position_stands(lane):
    await lane.progress(acknowledged(1), parked(1, 2), acknowledged(2))

    account = await lane.lane_account()
    assert (account.acknowledged, account.parked) == (1, 1)


async def test_a_parked_position_keeps_its_event_and_the_words_of_the_sink(lane):
    await lane.progress(parked(2, detail="not authorised"))

    (kept,) = await lane.reader.parked(10)
    assert (kept.lane, kept.position.number, kept.detail) == (CLOUD, 2, "not authorised")
    assert (kept.event.id, kept.sequence) == ("event-2", "1-0000000000000002")
    assert kept.at == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("reason", GIVEN_UP)
async def test_a_position_given_up_is_counted_under_its_reason(lane, reason):
    await lane.progress(voided(reason, 1, 2, 4))

    account = await lane.lane_account()
    assert getattr(account, reason.value) == 3
    assert await lane.waiting() == [3, 5]


async def test_one_report_may_void_for_several_reasons(lane):
    why = {
        1: Voiding(VoidReason.EXPIRED),
        2: Voiding(VoidReason.PARKED, "no"),
        3: Voiding(VoidReason.EXPIRED),
        4: Voiding(VoidReason.WITHDRAWN),
    }
    await lane.progress(LaneProgress(CLOUD, 1, voided=why))

    account = await lane.lane_account()
    assert (account.expired, account.parked, account.withdrawn, account.waiting) == (2, 1, 1, 1)


async def test_a_replayed_acknowledgement_waits_again_at_its_position(lane):
    await lane.progress(acknowledged(1, 2, 3))
    committed = await lane.progress(replayed(2))

    assert committed.not_replayable == ()
    assert await lane.waiting() == [2, 4, 5]
    account = await lane.lane_account()
    assert (account.acknowledged, account.waiting) == (2, 3)
    await lane.progress(acknowledged(2))
    assert (await lane.lane_account()).acknowledged == 3


async def test_a_replayed_parked_position_is_parked_no_more(lane):
    await lane.progress(parked(1, 2))
    await lane.progress(replayed(1))

    account = await lane.lane_account()
    assert (account.parked, account.waiting) == (1, 4)
    await lane.progress(parked(1))
    assert [one.position.number for one in await lane.reader.parked(10)] == [1, 2]


@pytest.mark.parametrize("reason", GIVEN_UP)
async def test_a_position_given_up_cannot_be_replayed_and_the_caller_is_told(lane, reason):
    await lane.progress(voided(reason, 2, 3), acknowledged(4))
    committed = await lane.progress(replayed(2, 3, 4))

    named = [(lane, position.number) for lane, position in committed.not_replayable]
    assert named == [(CLOUD, 2), (CLOUD, 3)]
    assert await lane.waiting() == [1, 4, 5]
    await lane.closed_account()


async def test_a_replay_of_what_waits_anyway_changes_nothing(lane):
    committed = await lane.progress(replayed(1))

    assert committed.not_replayable == ()
    assert (await lane.lane_account()).waiting == 5


@pytest.mark.parametrize(
    "progress",
    [
        acknowledged(6),
        acknowledged(0),
        parked(-1),
        replayed(6),
        acknowledged(1, lane=FILE),
        acknowledged(1, epoch=2),
    ],
)
async def test_progress_of_a_position_never_given_out_is_refused_whole(lane, progress):
    with pytest.raises(UnknownPosition, match=r"lane zigbee2mqtt/(cloud|file)/main"):
        await lane.progress(acknowledged(1), progress)

    assert await lane.waiting() == [1, 2, 3, 4, 5]
    await lane.closed_account()


async def test_lanes_of_an_earlier_epoch_go_on(folder):
    async with folder.open() as box:
        await box.store(*events(2, "cloud"))
    async with folder.open(minimum_epoch=2) as box:
        await box.store(*events(1, "cloud", first=3))
        await box.progress(acknowledged(2, epoch=1), acknowledged(1, epoch=2))

        assert await box.waiting(epoch=1) == [1]
        assert await box.waiting(epoch=2) == []
        await box.closed_account()
