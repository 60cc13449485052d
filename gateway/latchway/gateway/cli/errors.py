"""How a command ends: the exit codes, and the one error that carries them."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; scripts rely on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    REFUSED = 5
    TIMED_OUT = 6
    UNKNOWN = 7
    DEGRADED = 8


MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "wrong usage",
    ExitCode.UNREACHABLE: "gateway not reachable",
    ExitCode.NOT_FOUND: "not found",
    ExitCode.REFUSED: "refused",
    ExitCode.TIMED_OUT: "timed out",
    ExitCode.UNKNOWN: "outcome unknown",
    ExitCode.DEGRADED: "degraded: something is not well",
}


class CommandError(Exception):
    """A command cannot do what was asked: what, why, what to do next, and the exit code."""

    def __init__(self, exit_code: ExitCode, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.fix = fix
