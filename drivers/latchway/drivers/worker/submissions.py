"""Batches and rejects on their way to the disk: their numbers, the credit for them, the receipts.

One owner per connection. Nothing is ever sent without credit, and receipts resolve in the order
of submission.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from latchway.drivers.contract import StoredBatch
from latchway.drivers.errors import BatchTooLarge, FrameInvalid, FrameTooLarge, GatewayLost
from latchway.drivers.wire import MAXIMUM_FRAME, Frame, Stored, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from latchway.drivers.contract import Receipt


class PendingReceipt:
    """The receipt of one batch or reject; implements the contract's `Receipt`."""

    __slots__ = ("_callbacks", "_future", "_lost", "_result", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._result: StoredBatch | None = None
        self._lost: GatewayLost | None = None
        self._future: asyncio.Future[None] | None = None
        self._callbacks: list[Callable[[Receipt], None]] = []

    def __await__(self) -> Generator[object, None, StoredBatch]:
        if self._result is None and self._lost is None:
            if self._future is None:
                self._future = asyncio.get_running_loop().create_future()
            yield from asyncio.shield(self._future)
        if self._lost is not None:
            raise self._lost
        assert self._result is not None  # noqa: S101 - resolve() sets one of the two
        return self._result

    def add_done_callback(self, callback: Callable[[Receipt], None]) -> None:
        """Call back when stored, or when the gateway is lost; at once if that is known."""
        if self._result is not None or self._lost is not None:
            callback(self)
        else:
            self._callbacks.append(callback)

    def stored(self) -> bool:
        """Tell whether the batch is known to be on disk."""
        return self._result is not None

    def resolve(self, outcome: StoredBatch | GatewayLost) -> None:
        """Make the outcome known; called once, by `Submissions`."""
        if isinstance(outcome, GatewayLost):
            self._lost = outcome
        else:
            self._result = outcome
        if self._future is not None and not self._future.done():
            self._future.set_result(None)
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)


class Submissions:
    """Sends frames as credit allows and resolves their receipts as the gateway stores them."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._credit = 0
        self._number = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._pending: deque[PendingReceipt] = deque()
        self._settled = asyncio.Event()
        self._settled.set()
        self._lost: GatewayLost | None = None

    @property
    def queued(self) -> int:
        """Batches and rejects that are sent but not known to be stored."""
        return len(self._pending)

    @property
    def number(self) -> int:
        """How many batches and rejects were sent."""
        return self._number

    async def submit(
        self, build: Callable[[int], Frame], sent: Callable[[], None] | None = None
    ) -> PendingReceipt:
        """Wait for credit, then send the frame that `build` makes of its number.

        `sent` is called in the same step, so that whoever keeps state keeps it in this order.
        Raises `BatchTooLarge`, having sent nothing, or `GatewayLost`.
        """
        await self._take_credit()
        try:
            encoded = encode(build(self._number + 1))
        except FrameTooLarge as error:
            self.grant(1)
            raise BatchTooLarge(
                f"{error} ({MAXIMUM_FRAME // 1024} KiB): submit fewer events or states at once"
            ) from None
        except BaseException:
            self.grant(1)
            raise
        self._send(encoded)
        self._number += 1
        receipt = PendingReceipt(self._number)
        self._pending.append(receipt)
        self._settled.clear()
        if sent is not None:
            sent()
        return receipt

    async def _take_credit(self) -> None:
        if self._lost is not None:
            raise self._lost
        if self._credit and not self._waiting:
            self._credit -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.grant(1)
            raise

    def grant(self, frames: int) -> None:
        """Take credit from the gateway and hand it to whoever waits longest."""
        self._credit += frames
        while self._credit and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._credit -= 1
                turn.set_result(None)

    def stored(self, message: Stored) -> None:
        """Resolve the receipts of everything that is now on disk; raises `FrameInvalid`."""
        if message.through > self._number:
            raise FrameInvalid(
                f"The gateway stored batch {message.through}; {self._number} were sent"
            )
        notes = {note.number: note for note in message.notes}
        pending = self._pending
        while pending and pending[0].number <= message.through:
            receipt = pending.popleft()
            note = notes.get(receipt.number)
            receipt.resolve(
                _PLAIN if note is None else StoredBatch(note.duplicate, note.rejections)
            )
        if not pending:
            self._settled.set()

    async def settled(self) -> None:
        """Wait until everything that was sent is stored."""
        await self._settled.wait()

    def lose(self, error: GatewayLost) -> None:
        """End everything that waits: nobody can tell what became of it."""
        self._lost = error
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(error)
        while self._pending:
            self._pending.popleft().resolve(error)


_PLAIN = StoredBatch()
