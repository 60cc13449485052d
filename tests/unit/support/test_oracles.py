"""The judges of the fault tests find what is planted, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from support.oracles import Arrival, lane_gaps, out_of_order, published, sequences, total_queue


def arrivals(count: int) -> list[Arrival]:
    return [
        Arrival(
            id=f"event-{number}",
            type="io.latchway.access.granted.v1",
            source="/hubs/h/zigbee2mqtt/0x01",
            sequence=f"1-{number:016d}",
            lane="zigbee2mqtt/cloud/main",
            lanepos=f"{number:016d}",
            data=b"{}",
        )
        for number in range(1, count + 1)
    ]


def ids(events: list[Arrival]) -> list[str]:
    return [event.id for event in events]


def test_a_whole_record_is_clean() -> None:
    events = arrivals(20)
    assert total_queue(ids(events), [*events, events[3]]).clean
    found = sequences({event.id: event.sequence for event in events})
    assert (found.missing, found.reused) == ((), ())
    assert lane_gaps(events) == ()
    assert out_of_order([*events, events[3]]) == ()


def test_one_planted_loss_is_found() -> None:
    events = arrivals(20)
    assert total_queue(ids(events), events[:7] + events[8:]).lost == {"event-8"}
    assert lane_gaps(events[:7] + events[8:]) == ("zigbee2mqtt/cloud/main epoch 1 position 8",)


def test_an_event_that_nobody_stored_is_found() -> None:
    events = arrivals(3)
    assert total_queue(ids(events[:2]), events).unexpected == {"event-3"}


def test_a_copy_with_other_bytes_is_found() -> None:
    events = arrivals(3)
    other = replace(events[1], data=b'{"state":"locked"}')
    assert total_queue(ids(events), [*events, other]).conflicting == {"event-2"}


def test_one_reused_number_is_found() -> None:
    found = sequences({"a": "1-0000000000000001", "b": "1-0000000000000001"})
    assert found.reused == ("1-0000000000000001",)


def test_one_missing_number_is_found() -> None:
    found = sequences({"a": "1-0000000000000001", "b": "1-0000000000000003"})
    assert found.missing == ("1-0000000000000002",)


def test_a_late_first_arrival_is_found() -> None:
    events = arrivals(4)
    assert out_of_order([events[0], events[2], events[1], events[3]]) == ("event-2",)


def test_a_message_without_event_and_one_with_two_are_found() -> None:
    judged = published(["m1", "m2", "m3"], {"e1": "m1", "e2": "m3", "e3": "m3"})
    assert (judged.missing, judged.doubled) == (("m2",), ("m3",))
