"""Keeps a cancellation from getting lost, for tasks that go on after whatever ended their work.

Before Python 3.13 a `TaskGroup` that is cancelled while it ends for an error of its own raises
only that error: whoever handles it and goes on would then never end.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


async def apart(work: Coroutine[object, object, T]) -> T:
    """Do the work in a task of its own, and return or raise what came of it.

    Cancelled, cancel the work, wait for its end, and raise `CancelledError` whatever that was.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    return task.result()
