"""Errors of routing."""

from __future__ import annotations

from latchway.gateway.errors import GatewayError


class PatternInvalid(GatewayError):
    """A pattern that cannot be compiled: where in it, what is wrong, and what to write instead.

    `place` is the path of keys into the pattern, such as `("data", "percent", 0)`; an integer is
    the index of an alternative.
    """

    def __init__(self, place: tuple[str | int, ...], problem: str, fix: str) -> None:
        self.place = place
        self.problem = problem
        self.fix = fix
        super().__init__(f"{spelled(place)}: {problem}; {fix}")


def spelled(place: tuple[str | int, ...]) -> str:
    """Write a place as people do: `data.percent[0]`, or `pattern` for the pattern itself."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text or "pattern"
