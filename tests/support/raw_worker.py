"""A worker that speaks the wire by itself, to break its rules one at a time."""

from __future__ import annotations

import json
import os
import struct
import threading
import time
from typing import TYPE_CHECKING

from latchway.drivers.contract import DeliveryClass
from latchway.drivers.wire import Batch, Frame, FrameDecoder, Heartbeat, Hello, Kind, encode
from latchway.schemas import encode_draft
from support.vendors import change

if TYPE_CHECKING:
    import socket


def hello(vendor: str = "test", generation: int = 1) -> bytes:
    said = Hello(vendor, "raw", DeliveryClass.LIVE, os.getpid(), generation=generation)
    return encode(said.to_frame())


def greet(peer: socket.socket) -> None:
    """Say hello and wait for the first credit."""
    peer.sendall(hello())
    decoder = FrameDecoder()
    while not any(frame.kind == Kind.CREDIT for frame in decoder.feed(peer.recv(65536))):
        pass


def begin(peer: socket.socket) -> None:
    """Greet, then beat in a thread."""
    greet(peer)
    beat = encode(Heartbeat(DeliveryClass.LIVE).to_frame())

    def keep_beating() -> None:
        while True:
            peer.sendall(beat)
            time.sleep(0.1)

    threading.Thread(target=keep_beating, daemon=True).start()


def batch(number: int, *drafts: bytes) -> bytes:
    return encode(Batch(number, drafts or (encode_draft(change(0)),)).to_frame())


def never_reads(peer: socket.socket) -> None:
    peer.sendall(hello())
    while True:
        peer.sendall(encode(Heartbeat(DeliveryClass.LIVE).to_frame()))
        time.sleep(0.02)


def noise(peer: socket.socket) -> None:
    peer.sendall(b"\xfe" * 4096)


def a_gigabyte(peer: socket.socket) -> None:
    begin(peer)
    peer.sendall(struct.pack(">IBI", 1 << 30, Kind.BATCH, 2) + b"{}")


def broken_header(peer: socket.socket) -> None:
    begin(peer)
    peer.sendall(struct.pack(">IBI", 8, Kind.BATCH, 3) + b"{]}")


def wrong_lengths(peer: socket.socket) -> None:
    begin(peer)
    peer.sendall(encode(Frame(Kind.BATCH, {"batch": 1, "drafts": [1000, -3]}, b"short")))


def old_generation(peer: socket.socket) -> None:
    peer.sendall(hello(generation=0))


def other_name(peer: socket.socket) -> None:
    peer.sendall(hello("somebody"))


def no_credit(peer: socket.socket) -> None:
    begin(peer)
    peer.sendall(b"".join(batch(number) for number in range(1, 66)))


def skipped_number(peer: socket.socket) -> None:
    begin(peer)
    peer.sendall(batch(2))


def half_a_frame(peer: socket.socket) -> None:
    greet(peer)
    peer.sendall(batch(1)[:-5])
    os._exit(0)


def closed_socket(peer: socket.socket) -> None:
    begin(peer)
    peer.shutdown(2)


def silence(peer: socket.socket) -> None:
    pass


def unknown_kind(peer: socket.socket) -> None:
    begin(peer)
    peer.sendall(encode(Frame(200, {"of": "a later version"}, b"?")) + batch(1))


def bad_event(peer: socket.socket) -> None:
    begin(peer)
    bad = json.dumps({"type": "io.latchway.door.exploded.v9", "data": {}}).encode()
    peer.sendall(batch(1, bad, encode_draft(change(0))))


def crowded_batch(peer: socket.socket) -> None:
    begin(peer)
    peer.sendall(encode(Frame(Kind.BATCH, {"batch": 1, "drafts": [1] * 60_000}, b"x" * 60_000)))


def many_bad_events(peer: socket.socket) -> None:
    begin(peer)
    frames = [batch(number, *[b"x"] * 1000) for number in range(1, 13)]
    peer.sendall(b"".join(frames) + batch(13))


def late_hello(peer: socket.socket) -> None:
    time.sleep(1.0)
    greet(peer)
    time.sleep(0.2)
    beat = encode(Heartbeat(DeliveryClass.LIVE).to_frame())
    while True:
        peer.sendall(beat)
        time.sleep(0.1)


BEHAVIOURS = {
    behaviour.__name__: behaviour
    for behaviour in (
        noise,
        a_gigabyte,
        broken_header,
        wrong_lengths,
        old_generation,
        other_name,
        no_credit,
        skipped_number,
        half_a_frame,
        closed_socket,
        silence,
        unknown_kind,
        bad_event,
        crowded_batch,
        many_bad_events,
        late_hello,
        never_reads,
    )
}
