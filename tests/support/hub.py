"""A real hub for tests: the gateway as a process of its own, on real folders and brokers."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

START = "import sys; from latchway.gateway.cli.main import main; sys.exit(main())"
POLL_S = 0.02


class Hub:
    """One gateway on one folder; can be killed and started again on what is on disk."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        self.config_file = folder / "config.toml"
        self.config_file.write_text(config, encoding="utf-8")
        self.log_file = folder / "gateway.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def runtime_dir(self) -> Path:
        return self.folder / "run"

    @property
    def outbox_file(self) -> Path:
        return self.folder / "state" / "outbox.db"

    def start(self) -> None:
        self.starts += 1
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, "run", "--config", str(self.config_file)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask the local API; raises `OSError` while it is not there."""
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.closing(connection):
            connection.sock.connect(str(self.runtime_dir / "api.sock"))
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def status(self) -> dict:
        return json.loads(self.get("/v1/status")[1])

    def ready(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/readyz")[0] == 200
        return False

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        self.wait_until(self.ready, "the gateway is ready", timeout_s)

    def wait_until(self, condition, what: str, timeout_s: float = 30.0) -> None:
        """Wait for a condition, or fail with the gateway's last words."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the gateway ended while waiting until {what}\n{self.tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout_s} s: {what}\n{self.tail()}")
            time.sleep(POLL_S)

    def workers(self) -> list[int]:
        """Process ids of the gateway's children."""
        assert self.process is not None
        pid = self.process.pid
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(child) for child in text.split()]

    def kill(self) -> None:
        """End the gateway with no chance to clean up; its workers see their socket close."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def stop(self, timeout_s: float = 60.0) -> int:
        """Stop as systemd does; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout_s)
        self.process = None
        return code

    def close(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def tail(self, lines: int = 40) -> str:
        if not self.log_file.exists():
            return "(no log)"
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
