"""The outbox's error tree. Each class says who can act on it."""

from __future__ import annotations


class OutboxError(Exception):
    """Base of all errors of the outbox."""


class OutboxFailed(OutboxError):  # named for what happened
    """Reading or writing the file failed: nobody knows what is on disk. Close and open it again.

    The object that raised it refuses everything afterwards, because after a failed fsync the
    pages in memory can no longer be trusted.
    """


class OutboxFull(OutboxFailed):
    """The disk, or the outbox's share of it, is full: nothing of this transaction was stored."""


class OutboxBusy(OutboxError):  # named for what happened
    """Another process holds the outbox; nothing was changed. Somebody has to end that process."""


class OutboxTooNew(OutboxError):  # named for what happened
    """A newer Latchway wrote this file. Install that version again, or a newer one."""


class OutboxForeign(OutboxError):  # named for what happened
    """The file is a database, but not an outbox. The configured folder is wrong."""


class UnknownPosition(OutboxError):  # named for what happened
    """Progress was reported for a position that was never given out: a bug of the caller."""
