"""A cancellation is never lost to work that handles it and goes on."""

from __future__ import annotations

import asyncio

import pytest

from latchway.gateway.apart import apart


async def test_the_result_of_the_work_is_handed_on():
    async def work() -> int:
        return 7

    assert await apart(work()) == 7


async def test_the_error_of_the_work_is_handed_on():
    async def work() -> None:
        raise KeyError("door")

    with pytest.raises(KeyError, match="door"):
        await apart(work())


@pytest.mark.parametrize("outcome", [None, ValueError("of its own")])
async def test_whoever_is_cancelled_ends_whatever_the_work_makes_of_it(outcome):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            if outcome is not None:
                raise outcome from None

    caller = asyncio.create_task(apart(work()))
    await begun.wait()
    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()
