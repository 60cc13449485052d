"""The demo on a terminal: the path of the events with its figures, and the last of them, live."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from latchway.gateway.demo.view import clock_time

if TYPE_CHECKING:
    from latchway.gateway.demo.view import Figures

_EVENTS = 10
"""Lines for events; on a low terminal fewer, so that the whole screen fits."""
_STEPS = 6
_OTHER_LINES = 12
"""Frames, the path, what is pinned, the last line, and one for the cursor."""
_PER_S = 8


class LiveView:
    """A screen that is redrawn; steps and the end stay readable after it is given back."""

    def __init__(self, seconds: Callable[[], float], out: TextIO | None = None) -> None:
        self._seconds = seconds
        self._console = Console(file=out, highlight=False)
        self._events: deque[str] = deque(maxlen=_EVENTS)
        self._steps: deque[str] = deque(maxlen=_STEPS)
        self._figures: Figures | None = None
        self._pinned: tuple[str, ...] = ()
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=_PER_S
        )
        self._open = True
        self._live.start()

    def say(self, text: str) -> None:
        if self._open:
            self._steps.append(f"{self._seconds():5.1f} s  {text}")
        else:
            self._console.print(text, markup=False)

    def pin(self, *lines: str) -> None:
        self._pinned = lines

    def event(self, text: str) -> None:
        self._events.append(text)

    def figures(self, figures: Figures) -> None:
        self._figures = figures

    def close(self) -> None:
        if self._open:
            self._open = False
            self._live.stop()

    def _draw(self) -> Group:
        room = self._console.size.height - _OTHER_LINES
        steps = max(1, min(_STEPS, room // 2))
        events = max(1, min(_EVENTS, room - steps))
        return Group(
            Panel(self._path(), title=self._title(), title_align="left"),
            Panel(_lines(self._events, events), title="Arriving at the cloud", title_align="left"),
            Panel(_lines(self._steps, steps), title="What happens", title_align="left"),
            *(Text(line, overflow="fold") for line in self._pinned),
            Text("Ctrl-C ends the demo with its account.", style="dim"),
        )

    def _title(self) -> str:
        figures = self._figures
        return "Latchway demo" if figures is None else f"Latchway demo, {clock_time(figures.hour)}"

    def _path(self) -> Table:
        table = Table.grid(padding=(0, 2))
        figures = self._figures
        if figures is None:
            table.add_row("Starting two brokers, the gateway and its worker ...")
            return table
        table.add_row("locks", "worker", "outbox", "waiting", "cloud")
        table.add_row(
            f"said {figures.published}",
            _state(figures.worker, well="running"),
            f"stored {figures.stored}",
            Text(str(figures.waiting), style="yellow" if figures.waiting else ""),
            Text.assemble(f"has {figures.received}  ", _state(figures.cloud, well="connected")),
        )
        return table


def _state(word: str, *, well: str) -> Text:
    return Text(word, style="green" if word == well else "bold red")


def _lines(lines: deque[str], height: int) -> Text:
    shown = list(lines)[-height:]
    return Text("\n".join(shown) + "\n" * (height - len(shown)), no_wrap=True, overflow="ellipsis")
