"""Brings a file to the schema that this version knows: numbered SQL files, each run once whole.

Each file sets `user_version` to its number, in the transaction that changes the schema.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path

from latchway.outbox import statements
from latchway.outbox.errors import OutboxForeign, OutboxTooNew

APPLICATION_ID = 0x4C575842
"""Marks a SQLite file as an outbox (`PRAGMA application_id`): LWXB."""


def migrations() -> tuple[str, ...]:
    """The text of all migrations, in order: the first brings an empty file to version 1."""
    folder = resources.files("latchway.outbox") / "sql" / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return tuple(file.read_text(encoding="utf-8") for file in files)


def migrate(connection: sqlite3.Connection) -> None:
    """Run what is missing."""
    (version,) = connection.execute(statements.USER_VERSION).fetchone()
    for script in migrations()[version:]:
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nCOMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute(statements.ROLLBACK)
            raise


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `OutboxForeign` or `OutboxTooNew` if the file is not one that we know to handle."""
    (version,) = connection.execute(statements.USER_VERSION).fetchone()
    (application,) = connection.execute(statements.APPLICATION_ID).fetchone()
    (objects,) = connection.execute(statements.COUNT_OBJECTS).fetchone()
    newest = len(migrations())
    if application != APPLICATION_ID and (objects or version or application):
        raise OutboxForeign(
            f"{path} is a database of another program. Point `state_dir` to a folder of its own"
        )
    if version > newest:
        raise OutboxTooNew(
            f"{path} has schema version {version}, but this Latchway knows versions up to "
            f"{newest}. Install the Latchway that wrote it, or a newer one"
        )
