"""The API's socket: its rights, stale and live predecessors, and what is left behind."""

from __future__ import annotations

import logging
import socket
import stat

import pytest

from latchway.gateway.api.errors import SocketInUse, SocketUnusable
from latchway.gateway.api.listener import listening_socket

LOG = logging.getLogger("test.listener")


def connects(path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def test_the_socket_is_for_owner_and_group_only_and_gone_afterwards(tmp_path):
    with listening_socket(tmp_path / "run", LOG) as (_, path):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o660
        assert connects(path)
    assert list((tmp_path / "run").iterdir()) == []


def test_a_stale_socket_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(tmp_path / "api.sock"))
    with listening_socket(tmp_path, LOG) as (_, path):
        assert connects(path)


def test_a_socket_on_which_somebody_answers_is_refused_and_left_alone(tmp_path):
    with listening_socket(tmp_path, LOG) as (_, path):
        with (
            pytest.raises(SocketInUse, match="another gateway answers"),
            listening_socket(tmp_path, LOG),
        ):
            pass
        assert connects(path)


def test_a_file_that_is_no_socket_is_never_removed(tmp_path):
    (tmp_path / "api.sock").write_text("mine")
    with pytest.raises(SocketUnusable, match="no socket"), listening_socket(tmp_path, LOG):
        pass
    assert (tmp_path / "api.sock").read_text() == "mine"


def test_a_path_that_is_too_long_for_a_socket_is_named_with_the_way_out(tmp_path):
    with (
        pytest.raises(SocketUnusable, match="choose a shorter"),
        listening_socket(tmp_path / ("x" * 100), LOG),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_named_with_the_cause(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SocketUnusable, match="Not a directory"),
        listening_socket(tmp_path / "file" / "run", LOG),
    ):
        pass


def test_a_socket_that_another_gateway_put_in_its_place_is_not_removed_at_the_end(tmp_path):
    with listening_socket(tmp_path, LOG) as (listener, path):
        listener.close()
        path.unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.bind(str(path))
    assert path.exists()
