"""The paho client beneath `MqttClient`: it makes and reads the packets that are not hot.

This file alone touches paho's private parts; `tests/unit/drivers/transport` proves that the
installed paho still has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.exception import MalformedPacket

from latchway.drivers.transport.mqtt.packets import Malformed

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from paho.mqtt.client import MQTTMessageInfo, SocketLike
    from paho.mqtt.reasoncodes import ReasonCode


class PahoLink(paho.Client):
    """A paho client that neither reads nor writes its socket: packets go in and out as bytes."""

    def __init__(self, client_id: str | None, outgoing: Callable[[bytes], None]) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._outgoing = outgoing
        self._tls: ssl.SSLContext | None = None

    def use_tls(self, context: ssl.SSLContext) -> None:
        """Connect by TLS only."""
        self.tls_set_context(context)
        self._tls = context

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """Shake hands; paho leaves the socket open where that fails."""
        if self._tls is None:
            raise RuntimeError("TLS without a context")
        wrapped = self._tls.wrap_socket(
            tcp_sock, server_hostname=self._host, do_handshake_on_connect=False
        )
        try:
            wrapped.settimeout(self.connect_timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def _packet_queue(
        self,
        command: int,  # noqa: ARG002 - paho's signature
        packet: bytes | bytearray,
        mid: int,  # noqa: ARG002
        qos: int,  # noqa: ARG002
        info: MQTTMessageInfo | None = None,  # noqa: ARG002
    ) -> MQTTErrorCode:
        self._outgoing(bytes(packet))
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def receive(self, first_byte: int, body: bytes) -> None:
        """Let paho read a packet and call back; raises `Malformed` if it is none."""
        self._in_packet = {
            "command": first_byte,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        try:
            result = self._packet_handle()
        except (MalformedPacket, ValueError, IndexError, KeyError) as error:
            raise Malformed(f"The broker sent a packet that cannot be read: {error}") from None
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise Malformed(f"The broker broke the protocol: {paho.error_string(result)}")

    def tell_disconnect(self, lost: Callable[[str], None]) -> None:
        """Call back with the words of the broker's DISCONNECT."""

        def disconnected(
            _: object, __: object, ___: object, reason: ReasonCode, *____: object
        ) -> None:
            lost(f"the broker said {reason.getName()!r} (0x{reason.value:02X})")

        self.on_disconnect = disconnected

    def ping(self) -> None:
        """Send a PINGREQ."""
        self._send_pingreq()

    def next_packet_id(self) -> int:
        """Return the next packet id, from the same count as subscriptions use."""
        return self._mid_generate()

    def open_socket(self) -> SocketLike | None:
        """Return the socket while there is one."""
        return self._sock

    def close_socket(self) -> None:
        """Close the socket without a word to the broker."""
        self._sock_close()
