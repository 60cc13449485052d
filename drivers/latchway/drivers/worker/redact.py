"""Tracebacks without what a payload may have put into them: codes and names stay in the process."""

from __future__ import annotations

import re
import traceback

from pydantic import ValidationError

_DIGITS = re.compile(r"\d{4,}")
_QUOTED = re.compile(r"""(['"])(?:(?!\1).){33,}\1""", re.DOTALL)
_MAXIMUM_MESSAGE = 300
_MAXIMUM_FRAMES = 30


def redacted_message(error: BaseException) -> str:
    """Return an exception's message with long quotes cut and numbers of 4 digits or more masked.

    A pydantic error names fields and what is wrong with them, never the input.
    """
    if isinstance(error, ValidationError):
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        text = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'as a whole'}: {problem['msg']}"
            for problem in problems
        )
    else:
        text = str(error)
    text = _QUOTED.sub("'...'", text)
    text = _DIGITS.sub("[digits]", text)
    return text if len(text) <= _MAXIMUM_MESSAGE else text[:_MAXIMUM_MESSAGE] + "..."


def redacted_traceback(error: BaseException) -> str:
    """Return the traceback of an exception and its causes: places and lines of code, no values."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        stack = traceback.extract_tb(current.__traceback__)[-_MAXIMUM_FRAMES:]
        block = ["Traceback (most recent call last):", *traceback.format_list(stack)]
        block.append(f"{type(current).__qualname__}: {redacted_message(current)}")
        if isinstance(current, BaseExceptionGroup):
            block += [redacted_traceback(inner) for inner in current.exceptions]
        lines = ["\n".join(line.rstrip("\n") for line in block), *lines]
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return "\n\n".join(lines)
