"""Makes the API's socket: right owner and mode before anybody can connect, replaced if stale."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import socket
import stat
from typing import TYPE_CHECKING, Final

from latchway.gateway.api.errors import SocketInUse, SocketUnusable
from latchway.gateway.logs import fields

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from pathlib import Path

SOCKET_NAME: Final = "api.sock"
GROUP: Final = "latchway"
MODE: Final = 0o660
PATH_LIMIT: Final = 107
"""Bytes of a Unix socket's path that Linux takes (unix(7): 108 with the closing zero)."""
PROBE_S: Final = 1.0


@contextlib.contextmanager
def listening_socket(
    runtime_dir: Path, log: logging.Logger
) -> Iterator[tuple[socket.socket, Path]]:
    """Make the socket, and remove it in the end if it is still ours.

    It is bound under another name, given its mode and group, and only then moved to its place,
    so that nobody ever meets it with other rights; a stale one is replaced in the same step.
    """
    path = runtime_dir / SOCKET_NAME
    under_way = runtime_dir / f".{SOCKET_NAME}.{os.getpid()}"
    if len(os.fsencode(under_way)) > PATH_LIMIT:
        raise SocketUnusable(
            f"{path}: longer than a socket's path may be ({PATH_LIMIT} bytes); "
            "choose a shorter hub.runtime_dir"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            runtime_dir.mkdir(parents=True, exist_ok=True)
            _refuse_if_in_use(path)
            under_way.unlink(missing_ok=True)
            listener.bind(os.fspath(under_way))
            under_way.chmod(MODE)
            _give_to_group(under_way, log)
            listener.listen()
            under_way.replace(path)
            ours = _identity(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                under_way.unlink()
            raise SocketUnusable(
                f"{path}: cannot make the local API's socket: {error.strerror}; "
                "make the folder writable for the gateway, or set hub.runtime_dir"
            ) from None
        try:
            yield listener, path
        finally:
            with contextlib.suppress(OSError):
                if _identity(path) == ours:
                    path.unlink()


def _identity(path: Path) -> tuple[int, int]:
    """Tell one socket from its successor at the same path, which may reuse the inode."""
    found = path.stat()
    return found.st_ino, found.st_ctime_ns


def _refuse_if_in_use(path: Path) -> None:
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise SocketUnusable(f"{path}: is there, but is no socket; move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(os.fspath(path))
        except OSError as error:
            if error.errno in (errno.ECONNREFUSED, errno.ENOENT):
                return
            raise
    raise SocketInUse(
        f"{path}: another gateway answers there; stop it (`systemctl stop latchway`), "
        "or set another hub.runtime_dir"
    )


def _give_to_group(path: Path, log: logging.Logger) -> None:
    try:
        group = grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return
    try:
        os.chown(path, -1, group)
    except PermissionError:
        log.info("the socket stays with our own group", extra=fields(not_in=GROUP, path=path))
