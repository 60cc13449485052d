"""Traffic of the real Zigbee2MQTT goes the whole way, and is the right events at the cloud.

All recordings are played at once, each into a mosquitto of its own, to one gateway process with a
worker for each; then the gateway is stopped, and the tests judge what is left.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import jsonschema
import pytest

from latchway.schemas import encode_data, parse_structured
from support import oracles
from support.shared import shared_json
from support.whole_path import (
    NOBODY,
    WRITTEN,
    Evidence,
    WholePath,
    device_of,
    leaks,
    places_of,
    structured_form,
)
from support.zigbee2mqtt_codes import codes_in
from support.zigbee2mqtt_expected import EXPECTED
from support.zigbee2mqtt_player import Player, Rehearsal, listed, rehearse, traffic
from support.zigbee2mqtt_replay import LOCKS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.shared

PLANTED = {"0042", "1111", "5555", "123123", "123456", "190283", "246810", "777777"}
"""Codes that the README and the commands of the recordings name."""
every_recording = pytest.mark.parametrize("name", sorted(LOCKS))


@pytest.fixture(scope="module")
def rehearsals() -> dict[str, Rehearsal]:
    """What the driver makes of each recording in memory."""
    return {name: asyncio.run(rehearse(name)) for name in LOCKS}


@pytest.fixture(scope="module")
def evidence(
    tmp_path_factory: pytest.TempPathFactory, rehearsals: dict[str, Rehearsal]
) -> Iterator[Evidence]:
    """What is left after all recordings have gone through."""
    with WholePath(tmp_path_factory.mktemp("recordings"), LOCKS) as path:

        def play(name: str) -> None:
            with Player(path, name) as player:
                player.play(rehearsals[name])
            path.wait_for_events(name, len(EXPECTED[name]))

        with ThreadPoolExecutor(len(LOCKS)) as threads:
            list(threads.map(play, LOCKS))
        yield path.stop()


def expected(name: str) -> dict[str, list[str]]:
    """Lines of each device, by its address: a name may change, and events do not carry it."""
    addresses = {NOBODY: NOBODY}
    for message in traffic(name):
        addresses |= {each["friendly_name"]: each["ieee_address"] for each in listed(message)}
    lines: dict[str, list[str]] = defaultdict(list)
    for text in EXPECTED[name]:
        device, _, words = text.partition(": ")
        lines[addresses[device]].append(words)
    return lines


def without_source(told: dict[str, list[str]]) -> dict[str, list[str]]:
    """Whether a state was read or reported depends on who asked first, which is a race here."""
    return {
        device: [text.removesuffix(" read").removesuffix(" reported") for text in lines]
        for device, lines in told.items()
    }


def comparable(event: tuple[str, str | None, dict]) -> str:
    """Write an event without what differs from one time to the next."""
    kind, device, data = event
    kept = {key: value for key, value in data.items() if key not in ("source", "since", "until")}
    return json.dumps([kind, device, kept], sort_keys=True)


@every_recording
def test_a_recording_ends_at_the_cloud_as_these_events(evidence: Evidence, name: str):
    assert without_source(evidence.told(name)) == without_source(expected(name))


@every_recording
def test_the_data_at_the_cloud_are_what_the_driver_said(
    evidence: Evidence, rehearsals: dict[str, Rehearsal], name: str
):
    said = [
        (draft.data.event_type, draft.device, json.loads(encode_data(draft.data)))
        for draft in rehearsals[name].drafts
    ]
    arrived = [
        (envelope.type, device_of(envelope), dict(envelope.data))
        for envelope in evidence.of_driver(name)
    ]
    assert sorted(map(comparable, arrived)) == sorted(map(comparable, said))


@every_recording
def test_nothing_of_a_recording_is_rejected_or_left_out(evidence: Evidence, name: str):
    assert [reject for reject in evidence.rejects if reject.vendor == name] == []
    (line,) = [line for line in evidence.account.intake if line.vendor == name]
    assert (line.rejected, line.refused) == (0, 0)
    assert line.stored >= len(EXPECTED[name])


def test_only_the_hub_has_events_beside_these(evidence: Evidence):
    told = sum(len(lines) for name in LOCKS for lines in evidence.told(name).values())
    others = {envelope.type.split(".")[2] for _, envelope in evidence.events}
    assert told == sum(map(len, EXPECTED.values()))
    assert {"hub", "vendor"} <= others


def test_the_cloud_and_the_file_have_all_that_is_stored_once_and_in_order(evidence: Evidence):
    numbers = {event.event.id: event.sequence for event in evidence.stored}
    assert oracles.total_queue(numbers, evidence.arrivals).clean
    assert oracles.sequences(numbers) == oracles.Sequences((), ())
    assert oracles.lane_gaps(evidence.arrivals) == ()
    assert oracles.out_of_order(evidence.arrivals) == ()
    archived = [parse_structured(line) for line in evidence.archive.splitlines()]
    assert sorted(envelope.id for envelope in archived) == sorted(numbers)
    told = {envelope.id: envelope for _, envelope in evidence.events}
    for envelope in archived:
        place = {"lane": envelope.lane, "lanepos": envelope.lanepos}
        assert told[envelope.id].model_copy(update=place) == envelope


def test_the_account_closes_and_the_rows_agree_with_it(evidence: Evidence):
    assert evidence.account.difference == 0
    assert evidence.audit == evidence.account


def test_every_message_fits_the_official_schema(evidence: Evidence):
    schema = shared_json("conformance", "cloudevents", "cloudevents-json-schema.json")["cases"]
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    for message, _ in evidence.events:
        validator.validate(structured_form(message))
    for line in evidence.archive.splitlines():
        validator.validate(json.loads(line))


def test_no_code_of_a_recording_is_written_anywhere(evidence: Evidence):
    codes = {code for name in LOCKS for message in traffic(name) for code in codes_in(message)}
    assert codes >= PLANTED
    haystacks = evidence.haystacks()
    assert set(places_of("0x00158d0000000001", haystacks)) >= WRITTEN, "this search finds nothing"
    assert leaks(codes, haystacks) == {}
