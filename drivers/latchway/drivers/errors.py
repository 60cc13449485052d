"""Everything that can go wrong between a driver, its transports and the gateway: one tree.

Each class says who can act. Raised by the wire, the worker host, the transports and the codecs.
"""

from __future__ import annotations


class DriversError(Exception):
    """Base of every error that this package raises on purpose."""


class WireError(DriversError):
    """The other end of the socket broke the wire's rules: end the connection."""


class FrameTooLarge(WireError):
    """A frame is above the limit; a sender must make it smaller, a receiver ends the connection."""


class FrameInvalid(WireError):
    """A frame's header or payload is not what its kind promises."""


class GenerationRefused(WireError):
    """The other end speaks another generation of the wire: install matching versions."""


class GatewayLost(DriversError):
    """The gateway is gone: whether the last batches are stored, nobody can tell. Exit."""


class BatchTooLarge(DriversError):
    """A batch does not fit into one frame: the driver must submit it in smaller parts."""


class VendorInvalid(DriversError):
    """A driver cannot be loaded: it is not installed, does not import, or registers nothing."""


class SettingsInvalid(DriversError):
    """The vendor's config section does not fit the driver's model: fix the config."""


class StateInvalid(DriversError):
    """A device state or cursor that cannot be written or read as JSON."""


class PayloadInvalid(DriversError):
    """An input that a codec does not take. `code` is machine-readable, `reason` for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class MqttError(DriversError):
    """Base of what can go wrong with a broker."""


class MqttUnreachable(MqttError):
    """No connection to the broker came about: try again later, with back-off."""


class MqttDisconnected(MqttError):
    """The connection ended; what was not acknowledged on it is unknown. Connect anew."""


class MqttRefused(MqttError):
    """The broker answered with a reason code >= 0x80: it will not do what was asked."""

    def __init__(self, what: str, reason_code: int, name: str) -> None:
        super().__init__(f"The broker refused {what}: {name} (0x{reason_code:02X})")
        self.reason_code = reason_code
        self.name = name


class MqttPacketTooLarge(MqttError):
    """A packet above the broker's Maximum Packet Size; it was not sent."""
