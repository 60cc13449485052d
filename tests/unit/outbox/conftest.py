"""An outbox folder, and an open outbox, for each test that asks."""

import pytest

from support.outbox_builders import OutboxFolder


@pytest.fixture
def folder(tmp_path):
    return OutboxFolder(tmp_path)


@pytest.fixture
async def box(folder):
    async with folder.open() as opened:
        yield opened
