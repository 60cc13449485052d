"""A lane under any interleaving of commits, pages, cuts and answers loses and reorders nothing."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from latchway.gateway.delivery.lanes import LaneQueue
from latchway.gateway.delivery.pace import Pace
from support.delivery import delivery, lane

PACE = Pace(tail_deliveries=5, page=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(1, 9)),
        st.tuples(st.just("take"), st.integers(1, 6)),
        st.tuples(st.just("answer"), st.integers(0, 5)),
        st.tuples(st.just("postpone"), st.integers(0, 5)),
        st.tuples(st.just("cut"), st.just(0)),
        st.tuples(st.just("read"), st.integers(0, 6)),
    ),
    max_size=60,
)


@dataclass(frozen=True)
class Start:
    lane: object
    epoch: int
    next_number: int
    waiting: int


class Model:
    """The lane, the disk under it, and what was handed out."""

    def __init__(self, backlog: int) -> None:
        self.disk = {number: delivery(number) for number in range(1, backlog + 1)}
        self.next_number = backlog + 1
        self.queue = LaneQueue(lane(), PACE)
        self.queue.start(Start(lane(), 1, self.next_number, backlog))
        self.handed_out: list[int] = []
        self.in_flight: list[int] = []

    def commit(self, count: int) -> None:
        for _ in range(count):
            self.disk[self.next_number] = delivery(self.next_number)
            self.queue.offer(self.disk[self.next_number])
            self.next_number += 1

    def take(self, count: int) -> None:
        taken = [one.position.number for one in self.queue.take(count)]
        assert taken == sorted(taken)
        self.handed_out += taken
        self.in_flight += taken

    def answer(self, index: int) -> None:
        if index < len(self.in_flight):
            number = self.in_flight.pop(index)
            assert self.queue.settle(self.disk.pop(number))
            self.queue.waiting -= 1

    def postpone(self, index: int) -> None:
        if index < len(self.in_flight):
            number = self.in_flight.pop(index)
            assert self.queue.settle(self.disk[number])
            self.queue.postpone(self.disk[number])

    def cut(self, _: int) -> None:
        assert self.queue.recall() == len(self.in_flight)
        self.in_flight.clear()

    def read(self, commits_meanwhile: int) -> None:
        request = self.queue.page_request()
        if request is None:
            return
        above = sorted(number for number in self.disk if number > request.after)
        page = [self.disk[number] for number in above[: request.limit]]
        self.commit(commits_meanwhile)
        self.queue.load(page, request)


@settings(max_examples=300, deadline=None)
@given(backlog=st.integers(0, 12), steps=STEPS)
def test_every_position_goes_out_first_in_order_and_until_it_is_answered(backlog, steps):
    model = Model(backlog)
    for name, argument in steps:
        getattr(model, name)(argument)

    while model.disk:
        model.read(0)
        model.take(3)
        model.answer(0)

    first_sends = list(dict.fromkeys(model.handed_out))
    assert first_sends == list(range(1, model.next_number))
    assert model.queue.idle
    assert model.queue.waiting == 0
