"""The two copies of registry.db, and the way back to them. Blocking: runs in a thread.

`registry.db.copy-1` is the newest. Nothing is ever deleted that could be all that is left: a
damaged file is set aside under a name that says when.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from latchway.gateway.errors import RegistryUnusable
from latchway.gateway.registry import queries

if TYPE_CHECKING:
    from datetime import datetime

GENERATIONS = 2


def make_private(path: Path) -> None:
    """See to it that the file is there, if need be empty, and that only its owner reads it."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def copy_path(path: Path, generation: int) -> Path:
    """Name the copy of that generation; 1 is the newest."""
    return path.with_name(f"{path.name}.copy-{generation}")


def rotate_in(path: Path, fresh: Path) -> None:
    """Make `fresh`, a complete database, the newest copy; the oldest goes."""
    _sync(fresh)
    for generation in range(GENERATIONS, 1, -1):
        newer = copy_path(path, generation - 1)
        if newer.exists():
            newer.replace(copy_path(path, generation))
    fresh.replace(copy_path(path, 1))
    _sync(path.parent)


def make_usable(path: Path, now: datetime) -> str | None:
    """See to it that `path` is sound or absent; say what was done, None if nothing.

    Raises `RegistryUnusable` where the file is damaged and no copy is sound.
    """
    condition = _condition(path)
    if condition is _Condition.SOUND:
        return None
    copies = [copy_path(path, generation) for generation in range(1, GENERATIONS + 1)]
    sound = next((copy for copy in copies if _condition(copy) is _Condition.SOUND), None)
    if sound is None:
        if condition is _Condition.EMPTY:
            return None
        raise RegistryUnusable(
            f"{path} is damaged and has no sound copy: restore a backup of it, or move it away "
            "to begin as a new hub (events then carry another hub id)"
        )
    what = "was missing"
    if path.exists():
        aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}")
        path.replace(aside)
        what = f"was damaged and is now {aside.name}"
    restored = path.with_name(f"{path.name}.restored")
    make_private(restored)
    shutil.copyfile(sound, restored)
    _sync(restored)
    restored.replace(path)
    _sync(path.parent)
    return f"{path.name} {what}; restored from {sound.name}"


class _Condition(Enum):
    SOUND = auto()
    EMPTY = auto()
    """Absent, or a hub that was never born: the first start was cut off."""
    DAMAGED = auto()


def _condition(path: Path) -> _Condition:
    if not path.exists():
        return _Condition.EMPTY
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            if connection.execute(queries.CHECK).fetchone() != ("ok",):
                return _Condition.DAMAGED
            if connection.execute(queries.GENERATION).fetchone() == (0,):
                return _Condition.EMPTY
            hub = connection.execute(queries.HUB).fetchone()
            return _Condition.EMPTY if hub is None else _Condition.SOUND
    except sqlite3.Error:
        return _Condition.DAMAGED


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
