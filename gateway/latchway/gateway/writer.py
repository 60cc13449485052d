"""The only task that writes to the outbox: one transaction per group commit.

Vendors take turns: a commit holds at most 20 frames of each, so that a flood of one is a queue of
its own. Progress of the lanes rides in the next commit, at the latest after a second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from latchway.outbox import Batch, BatchOutcome, BatchResult, Committed, StoredEvent, Transaction

if TYPE_CHECKING:
    from latchway.drivers.contract import Clock
    from latchway.outbox import Delivery, LaneProgress

FRAMES_PER_TURN = 20
"""Frames of one vendor in one commit (design section 7)."""

GATHER_S = 0.002
"""Under load a commit begins no sooner than this after the one before began: it then holds
several events, which halves the CPU of each. A lone event never waits."""

PROGRESS_WITHIN_S = 1.0
"""Acknowledged positions are on disk after this time, even when nothing else is stored."""


class Store(Protocol):
    """What the writer asks of the outbox."""

    async def commit(self, transaction: Transaction) -> Committed:
        """Make all of it durable. Raises `OutboxFailed`."""
        ...


class Deliveries(Protocol):
    """What the writer asks of the delivery engine."""

    progress_waiting: asyncio.Event

    def take_progress(self) -> tuple[LaneProgress, ...]:
        """Hand out what became of deliveries since the last call."""
        ...

    def offer(self, deliveries: Sequence[Delivery]) -> None:
        """Take deliveries that are on disk."""
        ...


class Submitter(Protocol):
    """Whoever has batches stored. `stored` is called once per commit, results in order."""

    def stored(self, results: Sequence[tuple[int, BatchResult]]) -> None:
        """Learn which of its batches, by its own numbers, are on disk."""
        ...


@dataclass(frozen=True, slots=True)
class WriterHooks:
    """What happens around a commit, beside the answers to the submitters."""

    owed_voids: Callable[[], tuple[Batch, ...]]
    """The `lane.voided` events for the progress that was just taken."""
    on_events: Callable[[Sequence[StoredEvent]], None]
    """Called with the events that are on disk now, for those who follow."""
    on_states: Callable[[Batch], None]
    """Called for each stored batch that changed the state of devices."""


@dataclass(frozen=True, slots=True)
class _Entry:
    submitter: Submitter
    number: int
    batch: Batch


class Writer:
    """Queues of batches by vendor, and the loop that commits them."""

    def __init__(
        self, store: Store, deliveries: Deliveries, hooks: WriterHooks, clock: Clock
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._hooks = hooks
        self._clock = clock
        self._queues: dict[str, deque[_Entry]] = {}
        self._in_commit: dict[str, int] = {}
        self._settling: list[tuple[str, asyncio.Future[None]]] = []
        self._work = asyncio.Event()
        self._stopping = False
        self._begun_at = clock.monotonic() - GATHER_S
        self.running = False

    def submit(self, submitter: Submitter, number: int, batch: Batch) -> None:
        """Queue a batch; the bound of a vendor's queue is the credit that its worker has."""
        queue = self._queues.get(batch.vendor)
        if queue is None:
            queue = self._queues[batch.vendor] = deque()
        queue.append(_Entry(submitter, number, batch))
        self._work.set()

    def queued(self, vendor: str) -> int:
        """Count the batches of a vendor that are not on disk yet."""
        return len(self._queues.get(vendor, ())) + self._in_commit.get(vendor, 0)

    async def settled(self, vendor: str) -> None:
        """Wait until all that was submitted for that vendor is on disk."""
        if self.queued(vendor):
            settled = asyncio.get_running_loop().create_future()
            self._settling.append((vendor, settled))
            await settled

    async def run(self) -> None:
        """Commit until `stop`. Raises `OutboxFailed`; nothing is answered after that."""
        self.running = True
        try:
            async with asyncio.TaskGroup() as tasks:
                hurry = tasks.create_task(self._hurry_progress(), name="writer progress")
                await self._commit_until_stopped()
                hurry.cancel()
        finally:
            self.running = False

    def stop(self) -> None:
        """Let `run` return after the commit under way."""
        self._stopping = True
        self._work.set()

    async def finish(self) -> None:
        """Store all that is queued and the last progress as a clean stop; after `run` ended."""
        while any(self._queues.values()):
            await self._commit(self._next_entries())
        await self._commit([], clean_stop=True)

    async def _commit_until_stopped(self) -> None:
        while True:
            await self._work.wait()
            wait = self._begun_at + GATHER_S - self._clock.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            if self._stopping:
                return
            self._work.clear()
            entries = self._next_entries()
            if any(self._queues.values()):
                self._work.set()
            await self._commit(entries)

    async def _hurry_progress(self) -> None:
        while True:
            await self._deliveries.progress_waiting.wait()
            await self._clock.sleep(PROGRESS_WITHIN_S)
            if self._deliveries.progress_waiting.is_set():
                self._work.set()

    def _next_entries(self) -> list[_Entry]:
        entries: list[_Entry] = []
        for vendor, queue in self._queues.items():
            count = min(len(queue), FRAMES_PER_TURN)
            entries.extend([queue.popleft() for _ in range(count)])
            self._in_commit[vendor] = count
        return entries

    async def _commit(self, entries: list[_Entry], *, clean_stop: bool = False) -> None:
        self._begun_at = self._clock.monotonic()
        progress = self._deliveries.take_progress()
        voids = self._hooks.owed_voids()
        if not entries and not progress and not voids and not clean_stop:
            return
        batches = (*[entry.batch for entry in entries], *voids)
        committed = await self._store.commit(Transaction(batches, progress, clean_stop))
        self._deliveries.offer(committed.deliveries)
        self._answer(entries, committed.results)
        self._tell(batches, committed.results)
        self._in_commit.clear()
        if self._settling:
            self._release_settled()

    def _release_settled(self) -> None:
        waiting, self._settling = self._settling, []
        for vendor, settled in waiting:
            if self.queued(vendor):
                self._settling.append((vendor, settled))
            elif not settled.done():
                settled.set_result(None)

    def _answer(self, entries: list[_Entry], results: Sequence[BatchResult]) -> None:
        answers: dict[Submitter, list[tuple[int, BatchResult]]] = {}
        for entry, result in zip(entries, results, strict=False):  # voids come last, unanswered
            answers.setdefault(entry.submitter, []).append((entry.number, result))
        for submitter, answered in answers.items():
            submitter.stored(answered)

    def _tell(self, batches: Sequence[Batch], results: Sequence[BatchResult]) -> None:
        stored: list[StoredEvent] = []
        for batch, result in zip(batches, results, strict=True):
            for event, sequence in zip(batch.events, result.sequences, strict=False):
                if sequence is not None:
                    stored.append(StoredEvent(sequence, event))
            if batch.states and result.outcome is BatchOutcome.STORED:
                self._hooks.on_states(batch)
        if stored:
            self._hooks.on_events(stored)
