"""The config message, which carries a vendor's settings and all that is stored of its devices.

It is split over several frames where it does not fit into one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from latchway.drivers.errors import FrameInvalid, GenerationRefused
from latchway.drivers.wire.fields import Cutter, get, lengths, number
from latchway.drivers.wire.frame import GENERATION, MAXIMUM_FRAME, Frame, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import JsonValue

_SPLIT_AT = MAXIMUM_FRAME // 2


@dataclass(frozen=True, slots=True)
class Config:
    """The gateway's answer to hello. All byte values are JSON. `more`: a further part follows."""

    hub: str
    vendor: str
    settings: bytes
    states: Mapping[str, bytes] = field(default_factory=dict)
    cursors: Mapping[str, bytes] = field(default_factory=dict)
    heartbeat_s: float = 1.0
    more: bool = False
    generation: int = GENERATION

    def to_frame(self) -> Frame:
        header: dict[str, JsonValue] = {
            "generation": self.generation,
            "hub": self.hub,
            "vendor": self.vendor,
            "heartbeat_s": self.heartbeat_s,
            "more": self.more,
            "settings": len(self.settings),
            "states": {device: len(raw) for device, raw in self.states.items()},
            "cursors": {name: len(raw) for name, raw in self.cursors.items()},
        }
        payload = b"".join((self.settings, *self.states.values(), *self.cursors.values()))
        return Frame(Kind.CONFIG, header, payload)

    @classmethod
    def from_frame(cls, frame: Frame) -> Config:
        header, cut = frame.header, Cutter(frame.payload)
        generation = get(header, "generation", int)
        if generation != GENERATION:
            raise GenerationRefused(
                f"The gateway's wire is of generation {generation}, ours of {GENERATION}: "
                "install the same version of Latchway for both"
            )
        settings = cut.take(get(header, "settings", int))
        states = {d: cut.take(n) for d, n in lengths(header, "states").items() if n is not None}
        cursors = {c: cut.take(n) for c, n in lengths(header, "cursors").items() if n is not None}
        cut.finish()
        return cls(
            hub=get(header, "hub", str),
            vendor=get(header, "vendor", str),
            settings=settings,
            states=states,
            cursors=cursors,
            heartbeat_s=number(header, "heartbeat_s"),
            more=get(header, "more", bool),
        )


def config_frames(config: Config) -> Iterator[Frame]:
    """Yield the frames of a config, as many as its states and cursors need."""
    part = replace(config, states={}, cursors={}, more=True)
    states: dict[str, bytes] = {}
    cursors: dict[str, bytes] = {}
    size = len(config.settings)
    entries = [(states, *entry) for entry in config.states.items()]
    entries += [(cursors, *entry) for entry in config.cursors.items()]
    for target, name, raw in entries:
        cost = len(name.encode()) + len(raw) + 16
        if size + cost > _SPLIT_AT and (states or cursors):
            yield replace(part, states=dict(states), cursors=dict(cursors)).to_frame()
            part = replace(part, settings=b"")
            states.clear()
            cursors.clear()
            size = 0
        target[name] = raw
        size += cost
    yield replace(part, states=states, cursors=cursors, more=False).to_frame()


def merge_config(parts: Sequence[Config]) -> Config:
    """Put the parts of a config together; the first carries the settings."""
    if not parts:
        raise FrameInvalid("A config without parts")
    states: dict[str, bytes] = {}
    cursors: dict[str, bytes] = {}
    for part in parts:
        states.update(part.states)
        cursors.update(part.cursors)
    return replace(parts[0], states=states, cursors=cursors, more=False)
