"""The consumer's check: what is missing, what came twice, what contradicts itself."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.schemas import (
    CompletenessCheck,
    DeviceUnreachable,
    Envelope,
    EnvelopeInvalid,
    EventDraft,
    Gap,
    LaneEpoch,
    LaneVoided,
    VoidReason,
    parse_structured,
    structured,
)
from latchway.schemas.ranges import Ranges
from support.events import DEVICE, attributes_of, envelope_of

LANE = "zigbee2mqtt/cloud/main"
BULK = "zigbee2mqtt/cloud/bulk"
FIRST_EPOCH = LaneEpoch(LANE, 1)


def event(
    position: int, *, lane: str = LANE, epoch: int = 1, reason: str | None = None
) -> Envelope:
    draft = EventDraft(DeviceUnreachable(reason=reason), device=DEVICE)
    event_id = f"event-{lane}-{epoch}-{position}"
    return envelope_of(draft, position=position, lane=lane, epoch=epoch, event_id=event_id)


def voided(
    position: int, *ranges: tuple[int, int], reason: VoidReason, lane: str = LANE
) -> Envelope:
    data = LaneVoided(lane=lane, epoch=1, positions=ranges, reason=reason)
    return envelope_of(EventDraft(data), position=position, event_id=f"void-{position}")


def checked(*envelopes: Envelope) -> CompletenessCheck:
    check = CompletenessCheck()
    for envelope in envelopes:
        check.receive(envelope)
    return check


def test_a_lane_without_holes_is_complete() -> None:
    verdict = checked(event(1), event(2), event(3)).verdict()

    assert verdict.complete
    assert (verdict.received, verdict.missing_count, verdict.duplicates) == (3, 0, 0)


def test_nothing_received_is_nothing_missing() -> None:
    assert CompletenessCheck().verdict().complete


def test_holes_are_named_by_lane_epoch_and_ends() -> None:
    verdict = checked(
        event(2), event(3), event(7), event(2, lane=BULK), event(2, epoch=2)
    ).verdict()

    assert verdict.missing == (
        Gap(BULK, 1, 1, 1),
        Gap(LANE, 1, 1, 1),
        Gap(LANE, 1, 4, 6),
        Gap(LANE, 2, 1, 1),
    )
    assert verdict.missing_count == 6
    assert not verdict.complete


def test_a_hole_that_is_filled_later_is_no_hole_but_out_of_order() -> None:
    verdict = checked(event(1), event(3), event(2)).verdict()

    assert verdict.complete
    assert verdict.out_of_order == 1


def test_the_same_event_again_is_a_duplicate_and_not_out_of_order() -> None:
    verdict = checked(event(1), event(2), event(1), event(1)).verdict()

    assert (verdict.received, verdict.duplicates, verdict.out_of_order) == (2, 2, 0)
    assert verdict.complete


def test_another_event_at_a_taken_position_is_a_conflict() -> None:
    other_content = event(1, reason="another")
    other_id = event(1).model_copy(update={"id": "another"})

    verdict = checked(event(1), other_content, other_id).verdict()

    assert (verdict.received, verdict.conflicting, verdict.duplicates) == (1, 2, 0)
    assert not verdict.complete


def test_voided_positions_are_not_missing() -> None:
    verdict = checked(
        event(1), voided(2, (3, 5), (7, 7), reason=VoidReason.EXPIRED), event(6), event(8)
    ).verdict()

    assert verdict.complete
    assert verdict.voided == 4


def test_void_of_another_lane_is_told_in_the_main_lane() -> None:
    """A bulk lane's events are telemetry, the word that they are void is critical."""
    verdict = checked(
        event(1),
        event(3, lane=BULK),
        voided(2, (1, 2), reason=VoidReason.COMPACTED, lane=BULK),
    ).verdict()

    assert verdict.complete


def test_positions_voided_at_the_end_of_a_lane_count_as_known() -> None:
    verdict = checked(voided(1, (3, 4), reason=VoidReason.DROPPED)).verdict()

    assert verdict.missing == (Gap(LANE, 1, 2, 2),)


def test_a_parked_event_may_arrive_after_all() -> None:
    verdict = checked(event(1), voided(3, (2, 2), reason=VoidReason.PARKED), event(2)).verdict()

    assert verdict.complete
    assert (verdict.received, verdict.unexpected, verdict.voided) == (3, 0, 0)


def test_an_event_that_was_given_up_must_not_arrive() -> None:
    verdict = checked(event(1), voided(3, (2, 2), reason=VoidReason.WITHDRAWN), event(2)).verdict()

    assert verdict.unexpected == 1
    assert not verdict.complete


def test_the_tail_is_missing_only_if_somebody_says_that_it_was_sent() -> None:
    check = checked(event(1))
    assert check.verdict().complete

    check.expect(FIRST_EPOCH, up_to=3)

    assert check.verdict().missing == (Gap(LANE, 1, 2, 3),)


def test_a_consumer_may_begin_in_the_middle_of_a_lane() -> None:
    check = CompletenessCheck(after={FIRST_EPOCH: 100})
    check.receive(event(102))

    assert check.verdict().missing == (Gap(LANE, 1, 101, 101),)


def test_memory_is_bounded_and_old_repeats_still_count_as_duplicates() -> None:
    check = CompletenessCheck(remember=2)
    for position in (1, 2, 3, 4):
        check.receive(event(position))

    check.receive(event(1, reason="another, but nobody can tell any more"))

    assert (check.verdict().duplicates, check.verdict().conflicting) == (1, 0)


def test_a_void_whose_data_does_not_fit_is_an_error_and_counts_nothing() -> None:
    attributes = attributes_of(
        EventDraft(LaneVoided(lane=LANE, epoch=1, positions=((1, 1),), reason=VoidReason.PARKED))
    )
    check = CompletenessCheck()

    with pytest.raises(EnvelopeInvalid):
        check.receive(parse_structured(structured(attributes, b'{"lane":1}')))
    assert check.verdict().received == 0


@given(st.lists(st.integers(1, 30), max_size=60), st.sets(st.integers(1, 30)))
def test_the_verdict_agrees_with_counting_by_hand(arrivals: list[int], void: set[int]) -> None:
    check = CompletenessCheck()
    for position in arrivals:
        check.receive(event(position, lane=BULK))
    for number, position in enumerate(sorted(void), start=1):
        check.receive(voided(number, (position, position), reason=VoidReason.PARKED, lane=BULK))
    verdict = check.verdict()
    known = set(arrivals) | void
    missing = {n for gap in verdict.missing for n in range(gap.first, gap.last + 1)}

    assert missing == set(range(1, max(known, default=0) + 1)) - known
    assert verdict.received == len(set(arrivals)) + len(void)
    assert verdict.duplicates == len(arrivals) - len(set(arrivals))
    assert verdict.voided == len(void - set(arrivals))
    firsts = list(dict.fromkeys(arrivals))
    assert verdict.out_of_order == sum(
        position < max(firsts[:index], default=0) for index, position in enumerate(firsts)
    )


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5))), st.integers(0, 60))
def test_ranges_hold_exactly_what_was_added(added: list[tuple[int, int]], upper: int) -> None:
    ranges, model = Ranges(), set()
    for first, length in added:
        ranges.add(first, first + length)
        model |= set(range(first, first + length + 1))

    assert {n for first, last in ranges for n in range(first, last + 1)} == model
    assert all(n in ranges for n in model)
    assert ranges.highest == max(model, default=None)
    gaps = {n for first, last in ranges.missing(0, upper) for n in range(first, last + 1)}
    assert gaps == set(range(upper + 1)) - model
    spans = list(ranges)
    assert all(left[1] + 1 < right[0] for left, right in itertools.pairwise(spans))


def test_a_range_that_runs_backwards_is_an_error() -> None:
    with pytest.raises(ValueError, match="upwards"):
        Ranges().add(2, 1)
