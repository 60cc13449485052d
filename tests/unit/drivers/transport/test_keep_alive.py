"""When to ping, and when to give up."""

from __future__ import annotations

from latchway.drivers.transport.mqtt.keep_alive import Due, KeepAlive


def test_a_talkative_connection_is_not_pinged() -> None:
    keep_alive = KeepAlive(8, now=0)
    for now in range(20):
        keep_alive.received(now)
        keep_alive.sent(now)
        assert keep_alive.due(now, reading=True) is Due.NOTHING


def test_silence_of_half_an_interval_is_pinged_once() -> None:
    keep_alive = KeepAlive(8, now=0)
    assert keep_alive.due(3.9, reading=True) is Due.NOTHING
    assert keep_alive.due(4, reading=True) is Due.PING
    assert keep_alive.due(5, reading=True) is Due.NOTHING


def test_a_broker_that_hears_nothing_of_us_is_pinged_although_it_talks() -> None:
    keep_alive = KeepAlive(8, now=0)
    keep_alive.received(4)
    assert keep_alive.due(4, reading=True) is Due.PING
    keep_alive.received(4.1)
    assert keep_alive.due(5, reading=True) is Due.NOTHING
    assert keep_alive.due(8, reading=True) is Due.PING


def test_an_unanswered_ping_gives_up_half_an_interval_later() -> None:
    keep_alive = KeepAlive(8, now=0)
    keep_alive.due(4, reading=True)
    assert keep_alive.due(7.9, reading=True) is Due.NOTHING
    assert keep_alive.due(8, reading=True) is Due.GIVE_UP


def test_whoever_does_not_read_cannot_say_that_the_broker_is_silent() -> None:
    keep_alive = KeepAlive(8, now=0)
    pings = 0
    for now in range(100):
        due = keep_alive.due(now, reading=False)
        assert due is not Due.GIVE_UP
        pings += due is Due.PING
    assert pings > 10  # the broker must still hear of us
