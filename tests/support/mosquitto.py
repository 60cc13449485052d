"""A real mosquitto for tests: on a free port and a folder of its own; stops, freezes, returns."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
START_S = 10.0


def program() -> str:
    """Path of mosquitto; fails with the fix where it is not installed."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path=PROGRAMS)
    assert found, "mosquitto is missing: sudo apt-get install -y mosquitto"
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Mosquitto:
    """One broker on loopback. `lines` are further lines of its config.

    It keeps its port over `stop` and `start`; with `persistence true` also sessions and messages.
    """

    def __init__(self, folder: Path, *lines: str, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        base = [
            f"listener {self.port} 127.0.0.1",
            f"persistence_location {folder}/",
            f"log_dest file {folder}/mosquitto.log",
            "user root",
        ]
        if not any(line.startswith("allow_anonymous") for line in lines):
            base.append("allow_anonymous true")
        self.config_file = folder / "mosquitto.conf"
        self.config_file.write_text("\n".join([*base, *lines]) + "\n", encoding="utf-8")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start and wait until it listens."""
        self._process = subprocess.Popen(
            [program(), "-c", str(self.config_file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            assert self._process.poll() is None, f"mosquitto ended: {self.log()}"
            assert time.monotonic() < deadline, f"mosquitto does not listen: {self.log()}"
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop as its service does: it writes its store first."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """End it at once; what was not on its disk is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Stop it from running; its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        file = self.folder / "mosquitto.log"
        return file.read_text(errors="replace") if file.exists() else ""
