"""A gateway's API in a folder, in front of a view that the test arranges."""

from __future__ import annotations

import pytest

from support.view import FakeView, served


@pytest.fixture
def view():
    return FakeView()


@pytest.fixture
async def folder(view, tmp_path):
    """A runtime folder in which the API of `view` is served."""
    async with served(view, tmp_path):
        yield tmp_path
