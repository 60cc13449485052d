"""Readers look on without being in the way."""

import sqlite3

import pytest

from latchway.outbox import Reader
from latchway.outbox import connection as connections
from support.outbox_builders import CLOUD, acknowledged, event, events, parked


async def test_deliveries_come_in_order_above_a_position_up_to_a_limit(box):
    await box.store(*events(10, "cloud"))
    await box.progress(acknowledged(1, 2, 5, 6, 7))

    assert await box.waiting(after=0, limit=3) == [3, 4, 8]
    assert await box.waiting(after=4, limit=2) == [8, 9]
    assert await box.waiting(after=10) == []
    assert await box.waiting(limit=0) == []


async def test_a_limit_is_filled_across_many_done_positions(box):
    await box.store(*events(60, "cloud"))
    await box.progress(acknowledged(*(number for number in range(1, 61) if number % 10)))

    assert await box.waiting(limit=4) == [10, 20, 30, 40]


async def test_history_comes_newest_first_and_pages_by_sequence(box):
    await box.store(*events(5))

    page = await box.reader.events(2)
    assert [one.event.id for one in page] == ["event-5", "event-4"]
    next_page = await box.reader.events(2, before=page[-1].sequence)
    assert [one.event.id for one in next_page] == ["event-3", "event-2"]


@pytest.mark.parametrize("text", ["", "7", "1-x", "x-1", "1-", "1--1"])
async def test_a_page_before_nonsense_is_refused(box, text):
    with pytest.raises(ValueError, match="no sequence"):
        await box.reader.events(1, before=text)


async def test_history_shows_where_an_event_went_also_after_its_deliveries_are_gone(box):
    both = event("both", "cloud", "file")
    await box.store(both, *events(1, "file"))
    await box.progress(acknowledged(1))
    await box.outbox.prune()
    box.clocks.advance(600)
    await box.outbox.prune()

    stored = await box.reader.events(10)
    assert stored[-1].event == both


async def test_the_reader_sees_what_was_committed_when_it_looks(box):
    await box.store(event("a", "cloud"))
    before = await box.waiting()
    await box.store(event("b", "cloud"))

    assert (before, await box.waiting()) == ([1], [1, 2])


async def test_a_snapshot_held_by_a_reader_keeps_no_commit_waiting(box):
    await box.store(event("a"))
    holder = sqlite3.connect(f"{box.path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    holder.execute("BEGIN")
    holder.execute("SELECT count(*) FROM events").fetchone()
    try:
        await box.store(event("b"))
        seen = holder.execute("SELECT count(*) FROM events").fetchone()
    finally:
        holder.close()

    assert seen == (1,)
    assert await box.stored_ids() == ["a", "b"]


async def test_a_reader_cannot_write(box):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await box.reader._connection.run(lambda raw: raw.execute("DELETE FROM events"))


async def test_closing_the_last_reader_moves_nothing_out_of_the_wal(folder):
    async with folder.open() as box:
        await box.store(event("a"))
        size = connections.wal_path(folder.path).stat().st_size
        async with Reader.open(folder.path) as other:
            await other.account()
        assert connections.wal_path(folder.path).stat().st_size == size > 0


async def test_lanes_are_told_as_the_outbox_tells_them(box):
    await box.store(*events(3, "cloud", "file"))
    await box.progress(acknowledged(2), parked(3))

    assert await box.reader.lane_epochs() == box.outbox.lanes()


async def test_the_size_counts_file_wal_and_free_pages(box):
    await box.store(*events(500, data=b"x" * 2000))
    await box.outbox.prune()
    box.clocks.advance(600)
    await box.outbox.prune()

    size = await box.reader.size()
    assert size.file >= size.free > 500_000
    assert size.wal > 0


async def test_the_file_gives_free_pages_back_and_the_wal_stays_bounded(box, monkeypatch):
    monkeypatch.setattr(connections, "SPARE_PAGES", 100)
    monkeypatch.setattr(connections, "WAL_LIMIT_BYTES", 100_000)
    await box.store(*events(500, data=b"x" * 2000))
    full = (await box.reader.size()).file
    for _ in range(3):
        box.clocks.advance(600)
        await box.outbox.prune()

    size = await box.reader.size()
    assert size.file < full / 2
    assert size.wal <= 100_000


async def test_the_audit_finds_a_row_that_is_missing(box):
    await box.store(*events(3, "cloud"))
    await box.outbox._run(lambda raw: raw.execute("DELETE FROM events WHERE seq = 2"))

    account, audit = await box.reader.account(), await box.reader.audit()
    assert account.difference == 0
    assert audit.difference > 0
    assert audit != account


async def test_the_audit_finds_a_parked_delivery_that_is_missing(box):
    await box.store(*events(3, "cloud"))
    await box.progress(parked(2))
    await box.outbox._run(lambda raw: raw.execute("DELETE FROM deliveries WHERE position = 2"))

    assert await box.reader.audit() != await box.reader.account()


async def test_two_readers_of_one_lane_see_the_same(box):
    await box.store(*events(3, "cloud"))
    async with Reader.open(box.path) as other:
        assert await other.deliveries(CLOUD, 1, 0, 9) == await box.reader.deliveries(CLOUD, 1, 0, 9)
