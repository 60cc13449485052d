"""The feed of events that followers share."""

from __future__ import annotations

import asyncio

import pytest

from latchway.gateway.api.feed import EventFeed
from latchway.gateway.view import TooManyFollowers
from support.view import event


async def test_a_follower_gets_events_from_the_moment_it_follows_in_order():
    feed = EventFeed()
    feed.publish([event(1)])
    with feed.follow() as follower:
        feed.publish([event(2), event(3)])
        feed.publish([event(4)])
        assert await follower.next_events(2) == (event(2), event(3))
        assert await follower.next_events(2) == (event(4),)


async def test_a_waiting_follower_is_woken_by_the_next_event():
    feed = EventFeed()
    with feed.follow() as follower:
        waiting = asyncio.create_task(follower.next_events(10))
        await asyncio.sleep(0)
        feed.publish([event(1)])
        assert await waiting == (event(1),)


async def test_a_slow_follower_gets_what_it_holds_and_then_ends_with_the_count_of_the_rest():
    feed = EventFeed(buffer=2)
    with feed.follow() as slow, feed.follow() as quick:
        feed.publish([event(1), event(2), event(3)])
        feed.publish([event(4)])
        assert await slow.next_events(10) == (event(1), event(2))
        assert await slow.next_events(10) == ()
        assert slow.abandon() == 2
        assert await quick.next_events(10) == (event(1), event(2))


async def test_what_a_slow_follower_missed_in_the_middle_is_never_made_up_by_later_events():
    feed = EventFeed(buffer=2)
    with feed.follow() as slow:
        feed.publish([event(1), event(2), event(3)])
        assert await slow.next_events(10) == (event(1), event(2))
        feed.publish([event(4)])
        assert await slow.next_events(10) == ()
        assert slow.abandon() == 2


async def test_abandoning_counts_what_was_still_in_the_buffer():
    feed = EventFeed()
    with feed.follow() as follower:
        feed.publish([event(1), event(2)])
        assert follower.abandon() == 2
        assert await follower.next_events(10) == ()


async def test_closing_the_feed_ends_every_follower_after_what_it_holds():
    feed = EventFeed()
    with feed.follow() as follower:
        feed.publish([event(1)])
        feed.close()
        assert await follower.next_events(10) == (event(1),)
        assert await follower.next_events(10) == ()
        assert follower.abandon() == 0
    with feed.follow() as late:
        assert await late.next_events(10) == ()


async def test_more_followers_than_there_are_places_are_refused_until_one_leaves():
    feed = EventFeed(followers=1)
    with feed.follow(), pytest.raises(TooManyFollowers, match="end one of them"), feed.follow():
        pass
    with feed.follow():
        pass


async def test_a_cancelled_wait_loses_no_event():
    feed = EventFeed()
    with feed.follow() as follower:
        waiting = asyncio.create_task(follower.next_events(10))
        await asyncio.sleep(0)
        feed.publish([event(1)])
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await follower.next_events(10) == (event(1),)
