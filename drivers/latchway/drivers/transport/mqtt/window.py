"""Published QoS 1 messages of one connection that the broker has not acknowledged yet."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from latchway.drivers.errors import MqttDisconnected, MqttRefused

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_REFUSAL = 0x80
"""Reason codes from here on say no."""


class SendWindow:
    """At most `size` messages under way; further ones wait their turn, first come, first served.

    `next_id` gives packet ids; one that is still under way is passed over.
    """

    def __init__(self, size: int, next_id: Callable[[], int]) -> None:
        self._free = size
        self._next_id = next_id
        self._under_way: dict[int, asyncio.Future[None]] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._lost: MqttDisconnected | None = None
        self.size = size

    def __len__(self) -> int:
        return len(self._under_way)

    async def reserve(self) -> None:
        """Wait for a free place; raises `MqttDisconnected` when the connection ends."""
        if self._lost is not None:
            raise self._lost
        if self._free and not self._waiting:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.release()
            raise

    def release(self) -> None:
        """Give a reserved place back."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1

    def begin(self) -> tuple[int, asyncio.Future[None]]:
        """Turn a reserved place into a packet id and the future of its acknowledgement."""
        if self._lost is not None:
            raise self._lost
        packet_id = self._next_id()
        while packet_id in self._under_way:
            packet_id = self._next_id()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._under_way[packet_id] = future
        return packet_id, future

    def acknowledge(self, packet_id: int, reason_code: int) -> None:
        """Take a PUBACK. One for a packet id that is not under way changes nothing."""
        future = self._under_way.pop(packet_id, None)
        if future is None:
            return
        self.release()
        if future.done():
            return
        if reason_code < FIRST_REFUSAL:
            future.set_result(None)
        else:
            future.set_exception(MqttRefused("a publish", reason_code, _name(reason_code)))

    def close(self, reason: MqttDisconnected) -> None:
        """End everything that is under way or waiting: what became of it is unknown."""
        self._lost = reason
        for future in (*self._under_way.values(), *self._waiting):
            if not future.done():
                future.set_exception(reason)
                future.exception()  # whoever waits still gets it; nobody else need hear of it
        self._under_way.clear()
        self._waiting.clear()


def _name(reason_code: int) -> str:
    try:
        return str(ReasonCode(PacketTypes.PUBACK, identifier=reason_code).getName())
    except (KeyError, ValueError):
        return "unknown reason"
