"""The pure parts of the sink `mqtt`: topics, verdicts, config."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from latchway.gateway.sinks.catalogue import SinkConfig
from latchway.gateway.sinks.contract import Refused, Retry
from latchway.gateway.sinks.mqtt.answers import UNCLEAR_TRIES, Verdict, verdict_on
from latchway.gateway.sinks.mqtt.sink import UnclearRefusals
from latchway.gateway.sinks.mqtt.topics import TopicTemplate, family_and_fact
from support.delivery import delivery
from support.sink_contract import environment


def test_a_topic_is_filled_level_by_level():
    family, fact = family_and_fact("io.latchway.lock.state_changed.v1")
    template = TopicTemplate("latchway/{hub}/{vendor}/{device}/{family}/{fact}")

    topic = template.fill(hub="h1", vendor="z2m", device="0xa1", family=family, fact=fact)

    assert topic == "latchway/h1/z2m/0xa1/lock/state_changed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a/{hob}", r"holds \{hob\}; only \{hub\}, \{vendor\}"),
        ("a/{hub", "unpaired brace"),
        ("a/#", "no topic may"),
        ("a/+/{hub}", "no topic may"),
        ("a/{hub!r}", "can be filled in"),
        ("", "must be 1 to 1024 bytes"),
        ("$SYS/{hub}", "not begin with"),
    ],
)
def test_a_template_that_makes_no_topic_says_why(text, words):
    with pytest.raises(ValueError, match=words):
        TopicTemplate(text)


@pytest.mark.parametrize(
    ("reason_code", "verdict"),
    [
        (0x80, Verdict.UNCLEAR),
        (0x83, Verdict.UNCLEAR),
        (0x87, Verdict.PARK),
        (0x89, Verdict.RETRY),
        (0x90, Verdict.PARK),
        (0x91, Verdict.RECONNECT),
        (0x95, Verdict.PARK),
        (0x97, Verdict.RETRY),
        (0x99, Verdict.PARK),
        (0x9B, Verdict.RECONNECT),
        (0xFE, Verdict.UNCLEAR),
    ],
)
def test_each_reason_code_has_its_verdict(reason_code, verdict):
    assert verdict_on(reason_code) is verdict


def test_an_event_refused_without_a_clear_reason_is_given_up_in_the_end():
    refusals = UnclearRefusals()

    answers = [refusals.answer(delivery(1), "unspecified") for _ in range(UNCLEAR_TRIES)]

    assert all(isinstance(answer, Retry) for answer in answers[:-1])
    assert answers[-1] == Refused("unspecified, 10 times")
    assert isinstance(refusals.answer(delivery(1), "unspecified"), Retry)


def test_the_config_section_takes_the_keys_of_the_connection_and_of_the_sink():
    config = TypeAdapter(SinkConfig).validate_python(
        {"type": "mqtt", "host": "bus.example", "port": 8883, "tls": {}, "messages_per_s": 100}
    )

    sink = config.build("cloud", environment())

    assert sink.type == "mqtt"


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({"type": "mqtt", "hosst": "x"}, ("mqtt", "hosst")),
        ({"type": "mqtt", "topic": "a/#"}, ("mqtt", "topic")),
        ({"type": "mqtt", "status_topic": "a/{device}"}, ("mqtt", "status_topic")),
        ({"type": "file", "path": "relative.jsonl"}, ("file", "path")),
        ({"type": "file", "path": "/x", "rotate_mb": 0}, ("file", "rotate_mb")),
    ],
)
def test_a_wrong_key_or_value_is_named(section, place):
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(SinkConfig).validate_python(section)

    assert [error["loc"] for error in raised.value.errors()] == [place]
