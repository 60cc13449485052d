"""The MQTT client of drivers and of the MQTT sink: aiomqtt's connection, our own hot path.

aiomqtt connects, subscribes and waits; this subclass reads and writes the socket, several packets
a wake-up, and closes aiomqtt's holes: acknowledging before the consumer has the message, and
taking a refused publish for success.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self, cast

import aiomqtt

from latchway.drivers.errors import (
    MqttDisconnected,
)
from latchway.drivers.transport.mqtt.connection import (
    Limits,
    check_granted,
    connect_problem,
    connect_properties,
    read_limits,
    subscribe_options,
    will_properties,
)
from latchway.drivers.transport.mqtt.inbox import Inbox, InboxBounds, MqttCounters
from latchway.drivers.transport.mqtt.keep_alive import KeepAliveTimer
from latchway.drivers.transport.mqtt.link import PahoLink
from latchway.drivers.transport.mqtt.message import Messages
from latchway.drivers.transport.mqtt.packets import (
    PUBACK,
    PUBLISH,
    Malformed,
    PublishParts,
    cut,
    decode_puback,
    encode_puback,
    publish_flags,
)
from latchway.drivers.transport.mqtt.stream import SocketStream
from latchway.drivers.transport.mqtt.window import SendWindow

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from paho.mqtt import client as paho
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from latchway.drivers.transport.mqtt.message import MqttMessage, PublishProperties
    from latchway.drivers.transport.mqtt.settings import MqttSettings, MqttWill

_GOODBYE_S = 2.0


class MqttClient(aiomqtt.Client):
    """One connection to a broker, as an async context manager; never used for a second one.

    Entering raises `MqttUnreachable` or `MqttRefused`. What fails because the connection ended
    raises `MqttDisconnected`. One task may iterate `messages`. Reading pauses while the broker
    overruns `receive_maximum`, unless something is waited for that only the broker can say.
    """

    def __init__(self, settings: MqttSettings, *, will: MqttWill | None = None) -> None:
        super().__init__(
            settings.host,
            settings.port,
            protocol=aiomqtt.ProtocolVersion.V5,
            keepalive=settings.keep_alive_s,
            clean_start=settings.clean_start,
            properties=connect_properties(settings),
            timeout=settings.connect_timeout_s,
        )
        self._settings = settings
        self._where = f"the MQTT broker at {settings.host}:{settings.port}"
        self._stream = SocketStream(self._loop, self._feed, self._lose)
        self._link = PahoLink(settings.client_id, self._stream.write)
        self._adopt(self._link, will)
        self._inbox = Inbox(InboxBounds(settings.receive_maximum))
        self._limits = Limits()
        self._window = SendWindow(settings.send_window, self._link.next_packet_id)
        self._keep_alive = KeepAliveTimer(self._loop, self._link.ping, self._lose)
        self._waiter: asyncio.Future[None] | None = None
        self._buffer = bytearray()
        self._paused = False
        self._subscribing = 0
        self._leaving = False
        self._used = False
        self.session_present = False
        """Whether the broker resumed our session: without it, subscribe anew."""
        self.closed: asyncio.Future[MqttDisconnected] = self._loop.create_future()
        """Done when the connection is over; its result says why. Never raises."""

    def _adopt(self, link: PahoLink, will: MqttWill | None) -> None:
        link.on_connect = self._on_connect
        link.tell_disconnect(self._lose)
        link.on_subscribe = self._on_subscribe
        link.on_unsubscribe = self._on_unsubscribe
        link.connect_timeout = self._settings.connect_timeout_s
        if will is not None:
            link.will_set(will.topic, will.payload, will.qos, will.retain, will_properties(will))
        self._client = link

    # Connecting and parting

    async def __aenter__(self) -> Self:
        if self._used:
            raise RuntimeError("An MqttClient is one connection: make a new one for the next")
        self._used = True
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await super().__aenter__()
        except (TimeoutError, aiomqtt.MqttError, OSError, ValueError) as error:
            problem = connect_problem(error, self._where, self._settings.connect_timeout_s)
            self._lose(str(problem))
            raise problem from None
        except BaseException:
            self._lose("given up while connecting")
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            if not self.closed.done():
                await self._say_goodbye()
        except TimeoutError:
            pass  # a broker that reads nothing gets no goodbye
        finally:
            self._lose("closed by us")

    async def _say_goodbye(self) -> None:
        """Send what is left and DISCONNECT, and wait until the broker closes.

        Only then has it read our last PUBACKs: a next connection of the same session could
        overtake them.
        """
        self._leaving = True
        self._resume()
        self._client.disconnect()
        async with asyncio.timeout(_GOODBYE_S):
            await self._stream.sent()
            await asyncio.wait((self.closed,))

    def _client_connect(self) -> None:
        """Connect, in a thread: reading files, resolving names and the TLS handshake block."""
        settings = self._settings
        if settings.username is not None:
            self._link.username_pw_set(settings.username, settings.read_password())
        if settings.tls is not None:
            self._link.use_tls(settings.tls.context())
        super()._client_connect()
        try:
            self._loop.call_soon_threadsafe(self._attach)
        except RuntimeError:  # the loop was closed meanwhile
            self._link.close_socket()

    def _attach(self) -> None:
        connected = self._link.open_socket()
        if self.closed.done():
            self._link.close_socket()
        elif connected is not None:
            self._stream.attach(cast("socket.socket", connected))
            self._keep_alive.start(self._settings.keep_alive_s)

    def _lose(self, why: str) -> None:
        if self.closed.done():
            return
        if self._leaving:
            why = "closed by us"
        reason = MqttDisconnected(f"The connection to {self._where} ended: {why}")
        self.closed.set_result(reason)
        self._keep_alive.stop()
        self._stream.detach()
        self._link.close_socket()
        self._window.close(reason)
        self._buffer.clear()
        for pending in self._pending_subscribes.values():
            if not pending.done():
                pending.set_exception(aiomqtt.MqttError(why))
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError(why))
            self._connected.exception()  # nobody need be waiting any more
        if not self._disconnected.done():
            self._disconnected.set_result(None)
        self._wake()

    def _on_connect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.session_present = flags.session_present
        self._limits = read_limits(properties)
        size = min(self._settings.send_window, self._limits.receive_maximum)
        self._window = SendWindow(size, self._link.next_packet_id)
        if self._limits.keep_alive_s:
            self._keep_alive.start(self._limits.keep_alive_s)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def abandon(self, why: str) -> None:
        """End the connection at once, without a goodbye: the broker publishes our last will."""
        self._lose(why)

    # Receiving

    @property
    def counters(self) -> MqttCounters:
        """What happened on this connection so far."""
        return self._inbox.counters

    @property
    def unacknowledged(self) -> int:
        """QoS 1 messages received on this connection whose PUBACK has not left."""
        return self._inbox.unacknowledged

    @property
    def messages(self) -> Messages:  # type: ignore[override] # of our own kind
        """Messages in order of arrival; after the last one of a lost connection it raises."""
        return Messages(self.receive)

    async def receive(self) -> MqttMessage:
        """Wait for the next message; raises `MqttDisconnected` once there will be none."""
        while (message := self.receive_nowait()) is None:
            self._raise_if_closed()
            self._waiter = self._loop.create_future()
            await self._waiter
        return message

    def receive_nowait(self) -> MqttMessage | None:
        """Return the next message if there is one, so that a consumer can drain cheaply."""
        message = self._inbox.take()
        self._resume()
        return message

    def acknowledge(self, message: MqttMessage) -> None:
        """Say that a message is dealt with. PUBACKs leave in order of arrival.

        No effect at QoS 0, a second time, after the end, or for another connection's message:
        the broker delivers that one again.
        """
        self._inbox.acknowledge(message)
        self._send_acknowledgements()
        self._resume()

    def _send_acknowledgements(self) -> None:
        released = self._inbox.releasable()
        if released and not self.closed.done():
            self._send(b"".join([encode_puback(packet_id) for packet_id in released]))

    def _feed(self, data: bytes) -> None:
        if self._leaving:
            return
        self._keep_alive.received()
        self._buffer += data
        self._process()

    def _must_pause(self) -> bool:
        """Tell whether to read no more.

        Never while a SUBACK or PUBACK is awaited: it may stand behind what the broker kept for
        the session, and who waits for it may not consume meanwhile.
        """
        if self._inbox.full and not self._leaving:
            return self._inbox.flooded or not (self._subscribing or len(self._window))
        return False

    def _process(self) -> None:
        buffer, inbox, start = self._buffer, self._inbox, 0
        limit = self._settings.maximum_packet_size
        try:
            while not self._must_pause() and (packet := cut(buffer, start, limit)) is not None:
                first_byte, body, start = packet
                kind = first_byte & 0xF0
                if kind == PUBLISH:
                    inbox.receive(first_byte, body)
                elif kind == PUBACK:
                    self._window.acknowledge(*decode_puback(body))
                else:
                    self._link.receive(first_byte, body)
        except Malformed as error:
            self._lose(str(error))
            return
        del buffer[:start]
        self._send_acknowledgements()
        if self._must_pause() and not self._paused:
            self._paused = True
            inbox.counters.pauses += 1
            self._keep_alive.reading = False
            self._stream.pause()
        self._wake()

    def _resume(self) -> None:
        if self._paused and not self._must_pause() and not self.closed.done():
            self._paused = False
            self._keep_alive.reading = True
            self._stream.resume()
            self._loop.call_soon(self._process)

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done() and (self._inbox or self.closed.done()):
            waiter.set_result(None)

    # Sending

    def _on_subscribe(
        self,
        client: paho.Client,  # noqa: ARG002 - paho's signature
        userdata: Any,  # noqa: ARG002
        mid: int,
        reason_codes: list[ReasonCode],
        properties: Properties | None = None,  # noqa: ARG002
    ) -> None:
        waiting = self._pending_subscribes.pop(mid, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(reason_codes)

    @property
    def send_window(self) -> int:
        """How many QoS 1 messages may be under way: the smaller of ours and the broker's."""
        return self._window.size

    async def subscribe(  # type: ignore[override] # one way to subscribe, and errors that are errors
        self, *topics: tuple[str, int], retain_handling: int = 0
    ) -> None:
        """Subscribe to filters, each with its highest QoS (0 or 1), in one packet.

        Raises `MqttRefused` for the first filter that the broker refuses.
        """
        self._subscribing += 1
        self._resume()
        try:
            codes = await super().subscribe(subscribe_options(topics, retain_handling))
        except aiomqtt.MqttError as error:
            self._raise_if_closed()
            raise MqttDisconnected(f"No SUBACK from {self._where}: {error}") from None
        finally:
            self._subscribing -= 1
        check_granted(topics, cast("list[ReasonCode]", codes))

    async def publish(  # type: ignore[override] # at QoS 1 unless told otherwise, and typed
        self,
        topic: str,
        payload: bytes | str,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: PublishProperties | None = None,
    ) -> None:
        """Publish and, at QoS 1, wait for the broker's word.

        Raises `MqttRefused`, `MqttPacketTooLarge`, `MqttDisconnected` (then what became of it is
        unknown), or `ValueError` for a topic that nobody can publish to.
        """
        sent = self.publish_soon(topic, payload, qos=qos, retain=retain, properties=properties)
        await (await sent)

    async def publish_soon(
        self,
        topic: str,
        payload: bytes | str,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: PublishProperties | None = None,
    ) -> asyncio.Future[None]:
        """Publish as soon as the window has room and return the future of the broker's word.

        A QoS 0 message's future is done when it is handed to the socket.
        """
        flags = publish_flags(qos, retain=retain)
        parts = PublishParts.of(topic, payload, properties)
        self._limits.check(topic, parts.size(flags), qos=qos, retain=retain)
        if qos == 0:
            await self._stream.room()
            self._raise_if_closed()
            future: asyncio.Future[None] = self._loop.create_future()
            future.set_result(None)
            self._send(parts.encode(flags, 0))
            return future
        await self._window.reserve()
        packet_id, future = self._window.begin()
        self._send(parts.encode(flags, packet_id))
        self._resume()
        return future

    def _raise_if_closed(self) -> None:
        if self.closed.done():
            raise self.closed.result()

    def _send(self, packet: bytes) -> None:
        self._stream.write(packet)
        self._keep_alive.sent()
