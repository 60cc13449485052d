"""The messages about the worker itself: hello, credit, heartbeat, log, stop.

`from_frame` raises `FrameInvalid`; unknown header keys are ignored.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from latchway.drivers.contract import DeliveryClass, Quotas
from latchway.drivers.wire.fields import delivery_class_of, get, number, optional_text, texts
from latchway.drivers.wire.frame import GENERATION, Frame, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Hello:
    """First frame of a worker: who it is and what its driver's manifest says."""

    vendor: str
    title: str
    delivery_class: DeliveryClass
    pid: int
    event_types: tuple[str, ...] = ()
    quotas: Quotas = field(default_factory=Quotas)
    versions: Mapping[str, str] = field(default_factory=dict)
    generation: int = GENERATION

    def to_frame(self) -> Frame:
        header: dict[str, JsonValue] = {
            "generation": self.generation,
            "vendor": self.vendor,
            "title": self.title,
            "delivery_class": self.delivery_class.value,
            "pid": self.pid,
            "event_types": list(self.event_types),
            "quotas": {
                "events_per_s": self.quotas.events_per_s,
                "burst": self.quotas.burst,
                "memory_mb": self.quotas.memory_mb,
            },
            "versions": dict(self.versions),
        }
        return Frame(Kind.HELLO, header)

    @classmethod
    def from_frame(cls, frame: Frame) -> Hello:
        header = frame.header
        quotas = get(header, "quotas", dict)
        return cls(
            vendor=get(header, "vendor", str),
            title=get(header, "title", str),
            delivery_class=delivery_class_of(header),
            pid=get(header, "pid", int),
            event_types=texts(header, "event_types"),
            quotas=Quotas(
                events_per_s=get(quotas, "events_per_s", int),
                burst=get(quotas, "burst", int),
                memory_mb=get(quotas, "memory_mb", int),
            ),
            versions={str(k): str(v) for k, v in get(header, "versions", dict).items()},
            generation=get(header, "generation", int),
        )


@dataclass(frozen=True, slots=True)
class Credit:
    """That many more batches and rejects may be under way at once."""

    frames: int

    def to_frame(self) -> Frame:
        return Frame(Kind.CREDIT, {"frames": self.frames})

    @classmethod
    def from_frame(cls, frame: Frame) -> Credit:
        return cls(get(frame.header, "frames", int))


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life of the worker's event loop, each second, with what `status` shows."""

    delivery_class: DeliveryClass
    class_reason: str = ""
    degraded: tuple[str, ...] = ()
    queued: int = 0
    """Batches and rejects that are sent but not stored yet."""
    loop_lag_ms: float = 0.0
    counters: Mapping[str, int] = field(default_factory=dict)

    def to_frame(self) -> Frame:
        header: dict[str, JsonValue] = {
            "delivery_class": self.delivery_class.value,
            "class_reason": self.class_reason,
            "degraded": list(self.degraded),
            "queued": self.queued,
            "loop_lag_ms": self.loop_lag_ms,
            "counters": dict(self.counters),
        }
        return Frame(Kind.HEARTBEAT, header)

    @classmethod
    def from_frame(cls, frame: Frame) -> Heartbeat:
        header = frame.header
        counters = get(header, "counters", dict, {})
        return cls(
            delivery_class=delivery_class_of(header),
            class_reason=get(header, "class_reason", str, ""),
            degraded=texts(header, "degraded"),
            queued=get(header, "queued", int, 0),
            loop_lag_ms=number(header, "loop_lag_ms", 0.0),
            counters={str(k): v for k, v in counters.items() if isinstance(v, int)},
        )


@dataclass(frozen=True, slots=True)
class Log:
    """One log record of the worker. `dropped` counts the records lost before it."""

    level: int
    logger: str
    message: str
    traceback: str | None = None
    dropped: int = 0

    def to_frame(self) -> Frame:
        header: dict[str, JsonValue] = {
            "level": self.level,
            "logger": self.logger,
            "message": self.message,
        }
        if self.traceback is not None:
            header["traceback"] = self.traceback
        if self.dropped:
            header["dropped"] = self.dropped
        return Frame(Kind.LOG, header)

    @classmethod
    def from_frame(cls, frame: Frame) -> Log:
        header = frame.header
        return cls(
            level=get(header, "level", int, logging.INFO),
            logger=get(header, "logger", str, ""),
            message=get(header, "message", str),
            traceback=optional_text(header, "traceback"),
            dropped=get(header, "dropped", int, 0),
        )


@dataclass(frozen=True, slots=True)
class Stop:
    """End the driver, wait at most that long for what it submitted, and exit with 0."""

    grace_s: float

    def to_frame(self) -> Frame:
        return Frame(Kind.STOP, {"grace_s": self.grace_s})

    @classmethod
    def from_frame(cls, frame: Frame) -> Stop:
        return cls(number(frame.header, "grace_s"))
