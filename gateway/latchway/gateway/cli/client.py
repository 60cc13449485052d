"""A small HTTP client for the local API's Unix socket, on the standard library alone."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from latchway.gateway.cli.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_RUNTIME_DIR: Final = Path("/run/latchway")
RUNTIME_DIR_VARIABLE: Final = "LATCHWAY_RUNTIME_DIR"
TIMEOUT_S: Final = 10.0

_EXIT_CODES: Final = {
    400: ExitCode.USAGE,
    403: ExitCode.REFUSED,
    404: ExitCode.NOT_FOUND,
    504: ExitCode.TIMED_OUT,
}


def find_socket(config: Path | None, environment: Mapping[str, str]) -> Path:
    """Return where the socket should be: the variable wins, then the config, then the default."""
    named = environment.get(RUNTIME_DIR_VARIABLE)
    if named:
        return Path(named) / "api.sock"
    if config is not None:
        return _runtime_dir(config) / "api.sock"
    return DEFAULT_RUNTIME_DIR / "api.sock"


def _runtime_dir(config: Path) -> Path:
    """Read only `hub.runtime_dir`; `latchway config check` is the one to judge the file."""
    fix = f"see `latchway config check {config}`"
    try:
        hub = tomllib.loads(config.read_text(encoding="utf-8")).get("hub", {})
    except OSError as error:
        message = f"{config}: cannot be read: {error.strerror}"
        elsewhere = "name another file with --config"
        raise CommandError(ExitCode.NOT_FOUND, "no_config", message, elsewhere) from None
    except ValueError as error:
        message = f"{config}: {error}"
        raise CommandError(ExitCode.FAILED, "config_invalid", message, fix) from None
    named = hub.get("runtime_dir") if isinstance(hub, dict) else None
    return Path(named) if isinstance(named, str) else DEFAULT_RUNTIME_DIR


class ApiClient:
    """Reads the API of the gateway whose socket is at `path`."""

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._path = path
        self._timeout_s = timeout_s

    def get(self, target: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the answer as parsed JSON. Raises `CommandError`."""
        with self._response(target, query) as (response, _), self._explained():
            answer: dict[str, Any] = json.loads(response.read())
        return answer

    @contextlib.contextmanager
    def stream(
        self, target: str, query: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[bytes]]:
        """Open a stream of lines, which may stay silent for any time. Raises `CommandError`."""
        with self._response(target, query) as (response, connection):
            connection.settimeout(None)
            yield self._lines(response)

    def _lines(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        while True:
            with self._explained():
                line = response.readline()
            if not line:
                return
            yield line

    @contextlib.contextmanager
    def _response(
        self, target: str, query: Mapping[str, str] | None
    ) -> Iterator[tuple[http.client.HTTPResponse, socket.socket]]:
        connection = _UnixConnection(self._path, self._timeout_s)
        try:
            with self._explained():
                connection.request("GET", f"{target}?{urlencode(query)}" if query else target)
                raw = connection.sock
                response = connection.getresponse()
                if response.status != http.HTTPStatus.OK:
                    raise _refusal(response)
            yield response, raw
        finally:
            connection.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in words why the gateway cannot be reached, and what to do."""
        try:
            yield
        except TimeoutError:
            message = f"the gateway at {self._path} did not answer within {self._timeout_s:.0f} s"
            fix = "look at `systemctl status latchway` and `journalctl -u latchway`; try again"
            raise CommandError(ExitCode.TIMED_OUT, "timed_out", message, fix) from None
        except PermissionError:
            message = f"you may not use the gateway's socket {self._path}"
            fix = "use sudo, or join the group: `sudo usermod -aG latchway $USER`, log in again"
            raise CommandError(ExitCode.REFUSED, "no_rights", message, fix) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unreachable(self._path, error) from None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("latchway", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path; the host name is only for the Host header."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))


def _unreachable(path: Path, error: Exception) -> CommandError:
    match error:
        case FileNotFoundError():
            cause = "there is no socket"
        case ConnectionRefusedError():
            cause = "nobody listens there any more"
        case _:
            cause = str(error) or type(error).__name__
    fix = (
        "is it running? start it with `latchway run`, or look at `systemctl status latchway`; "
        f"if its runtime folder is elsewhere, set {RUNTIME_DIR_VARIABLE}"
    )
    message = f"no gateway can be reached at {path}: {cause}"
    return CommandError(ExitCode.UNREACHABLE, "unreachable", message, fix)


def _refusal(response: http.client.HTTPResponse) -> CommandError:
    try:
        report = json.loads(response.read())
        code, message, fix = report["code"], report["message"], report["fix"]
    except (ValueError, KeyError, TypeError):
        code, message = "http", f"the gateway answered {response.status} {response.reason}"
        fix = "is it a Latchway gateway, and of the same version? see `latchway --version`"
    exit_code = _EXIT_CODES.get(response.status, ExitCode.FAILED)
    return CommandError(exit_code, str(code), str(message), str(fix))
