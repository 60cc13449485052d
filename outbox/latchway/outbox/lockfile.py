"""One gateway per state folder: an exclusive lock that dies with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from latchway.outbox.errors import OutboxBusy, OutboxFailed


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file, or raise `OutboxBusy` naming who does. The file stays behind, empty."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutboxFailed(
            f"{path} cannot be opened ({error.strerror}). Create {path.parent} and let this user "
            "write there"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise OutboxBusy(
                f"{path.parent} is in use by another gateway, process {holder}. Stop that one "
                "first, or give this one a `state_dir` of its own"
            ) from error
        with suppress(OSError):  # a full disk takes not even that; the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
