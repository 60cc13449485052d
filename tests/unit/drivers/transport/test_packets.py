"""PUBLISH and PUBACK as bytes, against paho's own packer and against random bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import client as paho

from latchway.drivers.transport.mqtt import PublishProperties
from latchway.drivers.transport.mqtt.link import PahoLink
from latchway.drivers.transport.mqtt.packets import (
    Malformed,
    PublishParts,
    cut,
    decode_properties,
    decode_puback,
    decode_publish,
    encode_puback,
    publish_flags,
)

LIMIT = 1_000_000

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0+#"), min_size=1)
properties = st.builds(
    PublishProperties,
    content_type=st.none() | texts,
    user_properties=st.lists(st.tuples(texts, texts), max_size=4).map(tuple),
    message_expiry_s=st.none() | st.integers(0, 2**32 - 1),
)


@given(texts, st.binary(max_size=400), st.sampled_from([0, 1]), st.booleans(), properties)
def test_what_is_encoded_is_decoded(topic, payload, qos, retain, sent) -> None:
    parts = PublishParts.of(topic, payload, sent)
    flags = publish_flags(qos, retain=retain)
    encoded = parts.encode(flags, 513)
    packet = cut(bytearray(encoded) + b"more", 0, LIMIT)

    assert packet is not None
    assert packet.end == len(encoded) == parts.size(flags)
    received = decode_publish(packet.first_byte, packet.body)
    assert received.topic.decode() == topic
    assert received.payload == payload
    assert received.packet_id == (513 if qos else 0)
    assert decode_properties(received.properties) == (sent.content_type, sent.user_properties)


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 20_000])
def test_a_publish_is_the_same_bytes_as_pahos(qos: int, size: int) -> None:
    sent: list[bytes] = []
    link = PahoLink("test", sent.append)
    link._sock = object()
    link._send_publish(7, b"a/b", b"x" * size, qos, False)
    link._sock = None

    assert sent == [
        PublishParts.of("a/b", b"x" * size, None).encode(publish_flags(qos, retain=False), 7)
    ]


def test_an_acknowledgement_is_the_same_bytes_as_pahos() -> None:
    sent: list[bytes] = []
    link = PahoLink("test", sent.append)
    link.ack(0xABCD, 1)

    assert sent == [encode_puback(0xABCD)]


@given(st.binary(max_size=300))
def test_random_bytes_are_packets_or_malformed_and_nothing_else(data: bytes) -> None:
    buffer, start = bytearray(data), 0
    try:
        while (packet := cut(buffer, start, LIMIT)) is not None:
            assert packet.end > start
            start = packet.end
            decode_publish(packet.first_byte, packet.body)
            decode_puback(packet.body)
    except Malformed:
        pass


@given(st.binary(max_size=100))
def test_random_properties_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode_properties(data)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 200))
def test_a_packet_in_pieces_waits_for_its_last_byte(payload: bytes, at: int) -> None:
    encoded = PublishParts.of("t", payload, None).encode(publish_flags(1, retain=False), 1)
    at = min(at, len(encoded) - 1)

    assert cut(bytearray(encoded[:at]), 0, LIMIT) is None
    assert cut(bytearray(encoded), 0, LIMIT) is not None


def test_qos_2_is_not_ours() -> None:
    with pytest.raises(ValueError, match="QoS 2"):
        publish_flags(2, retain=False)


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"\x00\x01", (1, 0)), (b"\x00\x01\x87", (1, 0x87)), (b"\x01\x00\x10\x00", (256, 0x10))],
)
def test_a_puback_without_reason_means_success(body: bytes, expected) -> None:
    assert decode_puback(body) == expected


def test_the_installed_paho_has_the_parts_that_the_link_uses() -> None:
    """A paho that renames these needs a new `link.py`."""
    link = PahoLink("test", lambda _: None)
    for name in (
        "_packet_queue",
        "_packet_handle",
        "_ssl_wrap_socket",
        "_send_pingreq",
        "_mid_generate",
        "_sock_close",
    ):
        assert callable(getattr(paho.Client, name)), name
    assert set(link._in_packet) == {
        "command",
        "have_remaining",
        "remaining_count",
        "remaining_mult",
        "remaining_length",
        "packet",
        "to_process",
        "pos",
    }
