"""What a transaction with batches changes: order, positions, duplicates, states, the account."""

import pytest

from latchway.outbox import BatchOutcome, LaneKey, LaneStatus, Position, PositionSet, Transaction
from latchway.schemas import LaneClass
from support.outbox_builders import (
    CLOUD,
    FILE,
    VENDOR,
    acknowledged,
    batch,
    event,
    events,
    match,
    redelivery,
    reject,
)


async def test_sequences_count_without_gaps_over_vendors_and_transactions(box):
    first = await box.commit(batch(*events(2)), batch(event("other"), vendor="nuki"))
    second = await box.store(event("last"))

    given = [text for result in (*first.results, *second.results) for text in result.sequences]
    assert given == [f"1-{number:016d}" for number in (1, 2, 3, 4)]


async def test_each_match_gets_the_next_position_of_its_lane(box):
    committed = await box.store(event("a", "cloud", "file"), event("b", "file"), event("c", "file"))

    assert [(one.lane, one.position.number, one.event.id) for one in committed.deliveries] == [
        (CLOUD, 1, "a"),
        (FILE, 1, "a"),
        (FILE, 2, "b"),
        (FILE, 3, "c"),
    ]


async def test_a_lane_is_vendor_sink_and_class(box):
    bulk = match(lane_class=LaneClass.BULK)
    await box.commit(
        batch(event("a", matches=(match(), bulk))), batch(event("b", "cloud"), vendor="nuki")
    )

    assert {(str(lane.lane), lane.next_number) for lane in box.outbox.lanes()} == {
        ("zigbee2mqtt/cloud/main", 2),
        ("zigbee2mqtt/cloud/bulk", 2),
        ("nuki/cloud/main", 2),
    }


async def test_two_routes_into_one_lane_are_two_deliveries(box):
    matches = (match(route="doors"), match(route="all", version=7, projection='{"a":1}'))
    await box.store(event(matches=matches))

    deliveries = await box.reader.deliveries(CLOUD, 1, 0, 10)
    assert tuple(one.match for one in deliveries) == matches


async def test_an_event_without_a_match_is_stored_and_goes_nowhere(box):
    committed = await box.store(event())

    assert committed.deliveries == ()
    assert await box.stored_ids() == ["event-1"]


async def test_a_delivery_reads_back_from_disk_as_it_was_committed(box):
    rich = event("a", matches=(match(), match("file", projection='{"x":[1]}', version=3)))
    committed = await box.store(rich, event("b", "cloud"))

    for delivery in committed.deliveries:
        after = delivery.position.number - 1
        assert await box.reader.deliveries(delivery.lane, 1, after, 1) == (delivery,)


async def test_an_id_from_a_log_is_stored_once(box):
    first = await box.store(event("log-1", "cloud", dedupe=True))
    second = await box.store(event("log-1", "cloud", dedupe=True), event("new", "cloud"))

    assert first.results[0].duplicates == ()
    assert second.results[0].outcome is BatchOutcome.STORED
    assert second.results[0].duplicates == (0,)
    assert second.results[0].sequences == (None, "1-0000000000000002")
    assert [one.event.id for one in second.deliveries] == ["new"]
    intake = await box.intake()
    assert (intake.received, intake.stored, intake.duplicate) == (3, 2, 1)


async def test_an_id_twice_in_one_transaction_is_stored_once(box):
    twice = event("log-1", "cloud", dedupe=True)
    committed = await box.commit(batch(twice, twice), batch(twice))

    assert [result.duplicates for result in committed.results] == [(1,), (0,)]
    assert await box.stored_ids() == ["log-1"]


async def test_an_id_is_known_after_opening_again(folder):
    async with folder.open() as box:
        await box.store(event("log-1", dedupe=True))
    async with folder.open() as box:
        committed = await box.store(event("log-1", dedupe=True))

    assert committed.results[0].duplicates == (0,)


async def test_ids_are_forgotten_after_ninety_days(box):
    await box.store(event("log-1", dedupe=True))
    box.clocks.advance(89 * 86_400)
    await box.outbox.prune()
    known = await box.store(event("log-1", dedupe=True))
    box.clocks.advance(2 * 86_400)
    await box.outbox.prune()
    forgotten = await box.store(event("log-1", dedupe=True))

    assert known.results[0].duplicates == (0,)
    assert forgotten.results[0].duplicates == ()


async def test_cursors_and_states_move_with_their_events(folder):
    async with folder.open() as box:
        await box.store(event(), cursors={"log": b"1"}, states={"a": b'{"x":1}', "b": b"{}"})
        await box.store(cursors={"log": b"2"}, states={"b": None})
        await box.store(vendor="nuki", states={"a": b'{"y":2}'})
    async with folder.open() as box:
        assert await box.outbox.cursors(VENDOR) == {"log": b"2"}
        assert await box.outbox.states(VENDOR) == {"a": b'{"x":1}'}
        assert await box.outbox.states("nuki") == {"a": b'{"y":2}'}


async def test_the_last_batch_of_a_transaction_decides_states_and_cursors(box):
    await box.commit(
        batch(states={"a": b"1", "b": b"1"}, cursors={"": b"1"}),
        batch(states={"a": None, "b": b"2"}, cursors={"": b"2"}),
        batch(states={"c": None}),
    )

    assert await box.outbox.states(VENDOR) == {"b": b"2"}
    assert await box.outbox.cursors(VENDOR) == {"": b"2"}


async def test_a_redelivered_message_changes_nothing_but_the_count(box):
    stored = batch(
        event("a", "cloud"), rejects=(reject(),), states={"d": b"1"}, redelivery=redelivery()
    )
    again = batch(
        event("b", "cloud"),
        rejects=(reject(),),
        states={"d": b"2"},
        redelivery=redelivery(duplicate=True),
    )
    await box.commit(stored)
    committed = await box.commit(again)

    assert committed.results[0].outcome is BatchOutcome.DUPLICATE
    assert committed.deliveries == ()
    assert await box.outbox.states(VENDOR) == {"d": b"1"}
    intake = await box.intake()
    assert (intake.received, intake.stored, intake.rejected, intake.duplicate) == (4, 1, 1, 2)
    assert len(await box.reader.rejected(10)) == 1


async def test_a_repeat_without_events_leaves_the_account_alone(box):
    await box.store(redelivery=redelivery())
    await box.store(redelivery=redelivery(duplicate=True))

    assert (await box.reader.account()).intake == ()


@pytest.mark.parametrize(
    "later",
    [
        redelivery(duplicate=False),
        redelivery(digest=b"digest-2", duplicate=True),
        redelivery(packet_id=2, duplicate=True),
    ],
    ids=["not marked as duplicate", "another message", "another packet id"],
)
async def test_what_is_no_exact_repeat_is_stored(box, later):
    await box.store(event("a"), redelivery=redelivery())
    committed = await box.store(event("b"), redelivery=later)

    assert committed.results[0].outcome is BatchOutcome.STORED
    assert await box.stored_ids() == ["a", "b"]


async def test_each_new_message_takes_the_place_of_the_old_under_its_packet_id(box):
    await box.store(redelivery=redelivery(digest=b"old"))
    await box.store(redelivery=redelivery(digest=b"new", duplicate=True))

    old = await box.store(event("a"), redelivery=redelivery(digest=b"old", duplicate=True))
    assert old.results[0].outcome is BatchOutcome.STORED


async def test_a_repeat_is_recognised_inside_one_transaction(box):
    committed = await box.commit(
        batch(event("a"), redelivery=redelivery()),
        batch(event("a"), redelivery=redelivery(duplicate=True)),
        batch(event("a"), vendor="nuki", redelivery=redelivery(duplicate=True)),
    )

    assert [result.outcome for result in committed.results] == ["stored", "duplicate", "stored"]


async def test_a_repeat_is_recognised_after_opening_again(folder):
    async with folder.open() as box:
        await box.store(event("a"), redelivery=redelivery())
    async with folder.open() as box:
        committed = await box.store(event("a"), redelivery=redelivery(duplicate=True))

    assert committed.results[0].outcome is BatchOutcome.DUPLICATE


async def test_a_lost_session_makes_packet_ids_begin_anew(box):
    await box.commit(batch(redelivery=redelivery()), batch(vendor="nuki", redelivery=redelivery()))
    await box.store(forget_deliveries=True)

    again = redelivery(duplicate=True)
    committed = await box.commit(
        batch(event("a"), redelivery=again), batch(vendor="nuki", redelivery=again)
    )
    assert [result.outcome for result in committed.results] == ["stored", "duplicate"]


async def test_forgetting_and_remembering_go_in_order_inside_one_transaction(box):
    await box.store(redelivery=redelivery())
    committed = await box.commit(
        batch(forget_deliveries=True, redelivery=redelivery(duplicate=True)),
        batch(redelivery=redelivery(duplicate=True)),
    )

    assert [result.outcome for result in committed.results] == ["stored", "duplicate"]


async def test_the_intake_account_counts_every_input_once(box):
    await box.store(*events(3), rejects=(reject(), reject(keep=False)), refused=4, vendor="nuki")

    intake = await box.intake("nuki")
    assert (intake.received, intake.stored, intake.rejected, intake.refused) == (9, 3, 2, 4)


async def test_a_reject_is_kept_with_its_reason_unless_it_is_only_counted(box):
    await box.store(rejects=(reject("first"), reject("not kept", keep=False)))
    await box.store(rejects=(reject("other"),), vendor="nuki")

    newest, oldest = await box.reader.rejected(10)
    assert (newest.vendor, newest.reason) == ("nuki", "other")
    assert (oldest.code, oldest.raw, oldest.topic) == ("not_json", b"\xff\xfe", "zigbee2mqtt/Door")
    assert oldest.at == "2026-01-01T00:00:00.000Z"
    assert await box.reader.rejected(10, VENDOR) == (oldest,)


async def test_a_reject_with_half_a_surrogate_pair_is_kept(box):
    await box.store(rejects=(reject("name \ud83d is cut"),))

    (kept,) = await box.reader.rejected(1)
    assert kept.reason == "name \\ud83d is cut"


async def test_progress_rides_in_the_same_transaction_as_batches(box):
    await box.store(event("a", "cloud"))
    await box.outbox.commit(Transaction((batch(event("b", "cloud")),), progress=(acknowledged(1),)))

    assert box.outbox.lanes() == (LaneStatus(CLOUD, 1, 3, PositionSet([(1, 1)]), 1),)


async def test_a_new_epoch_begins_positions_anew_and_goes_on_with_the_sequence(folder):
    async with folder.open() as box:
        await box.store(*events(2, "cloud"))
    async with folder.open(minimum_epoch=5) as box:
        committed = await box.store(event("new", "cloud"))

        (delivery,) = committed.deliveries
        assert delivery.position == Position(5, 1)
        assert delivery.sequence == "5-0000000000000003"
        assert await box.waiting(epoch=1) == [1, 2]
        assert await box.waiting(epoch=5) == [1]
        assert {(lane.epoch, lane.waiting) for lane in box.outbox.lanes()} == {(1, 2), (5, 1)}
        await box.closed_account()


async def test_the_epoch_never_goes_back(folder):
    async with folder.open(minimum_epoch=5) as box:
        assert box.outbox.epoch == 5
    async with folder.open(minimum_epoch=2) as box:
        assert box.outbox.epoch == 5


async def test_a_transaction_with_a_value_that_cannot_be_stored_leaves_no_trace(box):
    await box.store(event("a", "cloud"))
    with pytest.raises(Exception, match="supported"):
        await box.commit(
            batch(event("b", "cloud"), states={"d": b"1"}), batch(cursors={"": object()})
        )
    committed = await box.store(event("c", "cloud"))

    assert committed.deliveries[0].sequence == "1-0000000000000002"
    assert committed.deliveries[0].position.number == 2
    assert await box.outbox.states(VENDOR) == {}
    await box.closed_account()


async def test_an_unknown_lane_has_no_deliveries(box):
    assert await box.reader.deliveries(LaneKey("no", "such", LaneClass.MAIN), 1, 0, 5) == ()
