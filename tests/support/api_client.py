"""A test's own client of the local API: aiohttp over the Unix socket."""

from __future__ import annotations

import contextlib

import aiohttp


@contextlib.asynccontextmanager
async def api_client(path):
    connector = aiohttp.UnixConnector(path=str(path))
    async with aiohttp.ClientSession("http://latchway", connector=connector) as session:
        yield session


async def get_json(client, target, **query):
    """Return status and parsed answer."""
    async with client.get(target, params=query) as response:
        return response.status, await response.json()
