"""The demo's wiring: brokers, line, cloud, locks and the gateway, and a view of it all.

`run_demo` is what `latchway demo` calls; the plot is in `stage.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from latchway.gateway.demo import brokers, hub, locks
from latchway.gateway.demo.closing import Closing, Story, account_lines, close
from latchway.gateway.demo.cloud import Cloud, subscribed
from latchway.gateway.demo.hub import HubFiles
from latchway.gateway.demo.line import Line
from latchway.gateway.demo.scenario import HOUSE
from latchway.gateway.demo.stage import Plan, Stage
from latchway.gateway.demo.telling import tell
from latchway.gateway.demo.view import PlainView, View
from latchway.gateway.errors import OperatorError

DAY_S = 22.0
"""How long the locks' day takes, unless told otherwise."""
EXIT_HOLDS, EXIT_FAILED = 0, 1


def run_demo(*, json_output: bool, duration_s: float | None, interactive: bool) -> int:
    """Show the demo; return 0 if nothing was lost, invented or miscounted, else 1.

    A day takes `duration_s` seconds. On a terminal and without it, days go on until Ctrl-C;
    elsewhere one day is all. With `json_output`, stdout gets one line of JSON and nothing else.
    """
    began = time.monotonic()

    def seconds() -> float:
        return time.monotonic() - began

    plan = Plan(day_s=duration_s or DAY_S, forever=interactive and duration_s is None)
    view = _view(interactive=interactive, json_output=json_output, seconds=seconds)
    try:
        closing = asyncio.run(_run(plan, view))
    except OperatorError as error:
        view.close()
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    finally:
        view.close()
    if json_output:
        sys.stdout.write(f"{closing.to_json()}\n")
        sys.stdout.flush()
    return EXIT_HOLDS if closing.holds else EXIT_FAILED


def _view(*, interactive: bool, json_output: bool, seconds: Callable[[], float]) -> View:
    if not interactive:
        return PlainView(sys.stderr if json_output else sys.stdout, seconds)
    from latchway.gateway.demo.live import LiveView  # noqa: PLC0415 - rich, only for terminals

    return LiveView(seconds)


async def _run(plan: Plan, view: View) -> Closing:
    with tempfile.TemporaryDirectory(prefix="latchway-demo-") as name, _interrupts() as enough:
        files = HubFiles(Path(name))
        kind = brokers.choose_kind(os.environ)
        story = Story(broker=kind)
        async with (
            brokers.broker(kind, files.folder, "local") as local,
            brokers.broker(kind, files.folder, "cloud") as far,
            Line(far.port) as line,
        ):
            view.say(f"two {kind} brokers are up: the house's own, and the cloud's")
            names = {door.address: door.name for door in HOUSE}
            cloud = Cloud(lambda envelope: view.event(tell(envelope, names)))
            files.write_config(local_port=local.port, cloud_port=line.port)
            async with (
                subscribed(far.port, cloud),
                locks.connected(local.port, HOUSE) as house,
                hub.running(files) as gateway,
            ):
                view.pin(
                    f"Look inside with `{_command()} status` in another terminal, after",
                    f"    export LATCHWAY_RUNTIME_DIR={files.runtime}",
                )
                stage = Stage(view, gateway, line, cloud, house, story)
                await stage.perform(plan, enough)
                account = await stage.end(files)
            story.foreign = cloud.foreign
            closing = close(story, account, cloud.verdict(account))
            view.close()
            view.say("the account, recounted row by row from the database of the stopped gateway:")
            for text in (*account_lines(account), *closing.verdict_lines()):
                view.say(text)
            return closing


def _command() -> str:
    """Return what to type for `latchway` here: `make demo` puts it where no PATH leads."""
    beside = Path(sys.executable).with_name("latchway")
    if shutil.which("latchway") or not beside.exists():
        return "latchway"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


@contextlib.contextmanager
def _interrupts() -> Iterator[asyncio.Event]:
    """Turn Ctrl-C and SIGTERM into the wish to end; a second one ends at once."""
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def asked() -> None:
        enough.set()
        for each in signals:
            loop.remove_signal_handler(each)

    for each in signals:
        loop.add_signal_handler(each, asked)
    try:
        yield enough
    finally:
        for each in signals:
            loop.remove_signal_handler(each)
