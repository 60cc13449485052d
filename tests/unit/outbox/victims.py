"""A process for the failure tests: opens an outbox, then raises or is killed."""

import asyncio
import itertools
import os
import sys
import uuid
from pathlib import Path

from support.outbox_builders import OutboxFolder, events


def say(text):
    os.write(1, f"{text}\n".encode())


async def raise_inside(folder):
    async with folder.open() as box:
        await box.store(*events(3, "cloud"))
        say("raising")
        raise ValueError("a bug")


async def raise_in_task(folder):
    async def fail():
        say("raising")
        raise ValueError("a bug")

    async with folder.open() as box, asyncio.TaskGroup() as group:
        group.create_task(commit_for_ever(box))
        await box.store(*events(3, "cloud"))
        group.create_task(fail())


async def raise_while_opening(folder):
    folder.path.write_bytes(b"no database" * 1000)
    say("raising")
    async with folder.open():
        pass


async def be_killed(folder):
    async with folder.open() as box:
        await commit_for_ever(box, on_stored=say)


async def commit_for_ever(box, on_stored=lambda text: None):
    for number in itertools.count():
        new = events(number % 4 + 1, "cloud", first=uuid.uuid4().int)
        committed = await box.store(*new)
        pairs = zip(committed.results[0].sequences, new, strict=True)
        on_stored("\n".join(f"{sequence} {one.id}" for sequence, one in pairs))


VICTIMS = {
    "raise": raise_inside,
    "raise-in-task": raise_in_task,
    "raise-while-opening": raise_while_opening,
    "commit-for-ever": be_killed,
}

if __name__ == "__main__":
    asyncio.run(VICTIMS[sys.argv[1]](OutboxFolder(Path(sys.argv[2]))))
