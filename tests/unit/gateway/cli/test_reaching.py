"""How the command finds the gateway, and what it says when it cannot."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from latchway.gateway.cli.client import ApiClient
from latchway.gateway.cli.errors import CommandError, ExitCode
from support.command import latchway
from support.view import FakeView, served


@pytest.mark.parametrize(
    "command",
    [("status",), ("devices",), ("events",), ("events", "--follow"), ("outbox", "rejected")],
)
async def test_without_a_gateway_it_ends_with_3_and_says_where_it_looked_and_what_to_do(
    tmp_path, command
):
    ended = await latchway(tmp_path, *command)
    assert ended.code == 3
    assert ended.out == ""
    for words in (f"{tmp_path}/api.sock", "latchway run", "systemctl", "LATCHWAY_RUNTIME_DIR"):
        assert words in ended.err


async def test_a_socket_that_nobody_listens_on_is_no_gateway_either(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(tmp_path / "api.sock"))
    ended = await latchway(tmp_path, "status")
    assert ended.code == 3
    assert "nobody listens" in ended.err


async def test_errors_for_programs_are_json_on_stderr(tmp_path):
    ended = await latchway(tmp_path, "status", "--json")
    assert (ended.code, ended.out) == (3, "")
    assert json.loads(ended.err).keys() == {"code", "message", "fix"}


async def test_the_config_says_where_to_look_and_the_variable_wins_over_it(tmp_path):
    folder, elsewhere = tmp_path / "run", tmp_path / "empty"
    config = tmp_path / "config.toml"
    config.write_text(f'[hub]\nruntime_dir = "{folder}"\n')
    async with served(FakeView(), folder):
        by_config = await latchway("", "status", "--config", str(config))
        by_variable = await latchway(elsewhere, "status", "--config", str(config))
    assert by_config.code == 0
    assert by_variable.code == 3
    assert str(elsewhere) in by_variable.err


async def test_a_config_that_is_not_there_ends_with_4(tmp_path):
    ended = await latchway("", "status", "--config", str(tmp_path / "none.toml"))
    assert ended.code == 4
    assert "none.toml" in ended.err


def test_a_socket_without_the_rights_for_it_is_refused_with_the_way_to_get_them(monkeypatch):
    def refuse(_self, _address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("latchway.gateway.cli.client.socket.socket.connect", refuse)
    with pytest.raises(CommandError, match="may not use") as caught:
        ApiClient(Path("/run/latchway/api.sock")).get("/v1/status")
    assert caught.value.exit_code is ExitCode.REFUSED
    assert "usermod -aG latchway" in caught.value.fix


def test_a_gateway_that_does_not_answer_in_time_ends_with_6(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(tmp_path / "api.sock"))
        silent.listen()
        client = ApiClient(tmp_path / "api.sock", timeout_s=0.05)
        with pytest.raises(CommandError, match="did not answer") as caught:
            client.get("/v1/status")
        assert caught.value.exit_code is ExitCode.TIMED_OUT


class Answering:
    """A peer on the socket that says fixed bytes to whoever asks, and hangs up."""

    def __init__(self, folder, words):
        self._words = words
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / "api.sock"))
        self._listener.listen()
        self._thread = threading.Thread(target=self._answer)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._thread.join()
        self._listener.close()

    def _answer(self):
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(self._words)


async def test_something_that_is_no_gateway_is_said_to_be_none(tmp_path):
    for words in (b"SSH-2.0-Other\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops"):
        (tmp_path / "api.sock").unlink(missing_ok=True)
        with Answering(tmp_path, words):
            ended = await latchway(tmp_path, "status")
        assert ended.code == 3
        assert "no gateway can be reached" in ended.err


async def test_a_gateway_that_is_killed_in_the_middle_of_a_line_ends_following_with_3(tmp_path):
    words = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"specversion":"1'
    with Answering(tmp_path, words):
        ended = await latchway(tmp_path, "events", "--follow")
    assert ended.code == 3
    assert ended.out == ""
