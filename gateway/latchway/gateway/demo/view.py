"""How the demo is shown: plain lines for pipes and CI; `live.py` has the view for terminals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Figures:
    """Where the demo stands."""

    hour: float
    """Of the locks' day."""
    published: int
    stored: int
    acknowledged: int
    waiting: int
    received: int
    cloud: str
    worker: str


class View(Protocol):
    """Somebody who watches."""

    def say(self, text: str) -> None:
        """Take note of a step of the demo, or of a line of its end."""
        ...

    def pin(self, *lines: str) -> None:
        """Keep lines in sight, whole, so that they can be copied."""
        ...

    def event(self, text: str) -> None:
        """Take note of an event that has arrived at the cloud."""
        ...

    def figures(self, figures: Figures) -> None:
        """Take note of where things stand; called a few times a second."""
        ...

    def close(self) -> None:
        """Give the screen back; what is said after it is plain."""
        ...


class PlainView:
    """Lines with the seconds since the start; of the events, only one in a few."""

    EVERY = 10
    FIGURES_EVERY_S = 2.0

    def __init__(self, out: TextIO, seconds: Callable[[], float]) -> None:
        self._out = out
        self._seconds = seconds
        self._events = 0
        self._figures_at = 0.0

    def say(self, text: str) -> None:
        self._line(text)

    def pin(self, *lines: str) -> None:
        for line in lines:
            self._line(line)

    def event(self, text: str) -> None:
        if self._events % self.EVERY == 0:
            self._line(f"    {text}")
        self._events += 1

    def figures(self, figures: Figures) -> None:
        if self._seconds() - self._figures_at >= self.FIGURES_EVERY_S:
            self._figures_at = self._seconds()
            self._line(
                f"  {clock_time(figures.hour)}  locks said {figures.published}, "
                f"stored {figures.stored}, waiting {figures.waiting}, "
                f"cloud has {figures.received} ({figures.cloud}; worker {figures.worker})"
            )

    def close(self) -> None:
        """Nothing to give back."""

    def _line(self, text: str) -> None:
        print(f"{self._seconds():5.1f} s  {text}", file=self._out, flush=True)


def clock_time(hour: float) -> str:
    """Return an hour of the day as a clock shows it."""
    minutes = int(hour * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
