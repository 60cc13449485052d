"""A file of lines that survives being cut off: appended, synced, rotated, mended when opened.

Blocking; the sink calls it in a thread of its own. All methods raise `OSError`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_MODE: Final = 0o640
"""Events tell who came and went: not for everybody on the machine."""
_LOOK_BACK: Final = 64 * 1024


class LinesFile:
    """The newest of a row of files: `path`; closed ones are `path.1` (the newest), `path.2` ..."""

    def __init__(self, path: Path, *, rotate_bytes: int, keep_files: int) -> None:
        self._path = path
        self._rotate_bytes = rotate_bytes
        self._keep_files = keep_files
        self._descriptor: int | None = None
        self._size = 0

    def open(self) -> None:
        """Open or create the file; a last line that was cut off is cut away."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, _MODE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._size = _mend(self._descriptor)
            _sync_folder(self._path.parent)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; what was appended is on disk already."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def append(self, lines: Iterable[bytes]) -> None:
        """Append lines, each with its line feed, and return when they are on disk.

        After an error nobody knows what is: the file is closed, and mended by the next append.
        """
        if self._descriptor is None:
            self.open()
        try:
            pending: list[bytes] = []
            filled = self._size
            for line in lines:
                if filled and filled + len(line) > self._rotate_bytes:
                    self._write(b"".join(pending))
                    self._rotate()
                    pending, filled = [], 0
                pending.append(line)
                filled += len(line)
            self._write(b"".join(pending))
        except OSError:
            self._give_up()
            raise

    def _write(self, data: bytes) -> None:
        if not data or self._descriptor is None:
            return
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fsync(self._descriptor)
        self._size += len(data)

    def _give_up(self) -> None:
        """Close the file, without the lines of an append that failed if the disk lets us."""
        if self._descriptor is None:
            return
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            pass  # the lines are sent again with equal ids, a torn one is mended
        finally:
            self.close()

    def _rotate(self) -> None:
        self.close()
        self._numbered(self._keep_files).unlink(missing_ok=True)
        for number in range(self._keep_files - 1, 0, -1):
            if self._numbered(number).exists():
                self._numbered(number).rename(self._numbered(number + 1))
        self._path.rename(self._numbered(1))
        self.open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _mend(descriptor: int) -> int:
    """Cut away what follows the last line feed; return the size that is left."""
    size = end = os.fstat(descriptor).st_size
    kept = 0
    while end and not kept:
        begin = max(0, end - _LOOK_BACK)
        kept = begin + os.pread(descriptor, end - begin, begin).rfind(b"\n") + 1
        if kept == begin:  # no line feed in this part
            kept, end = 0, begin
    if kept < size:
        os.ftruncate(descriptor, kept)
        os.fsync(descriptor)
    return kept


def _sync_folder(folder: Path) -> None:
    """Make a name in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
