"""The checked-in OpenAPI document is what the code says."""

from __future__ import annotations

import json
from pathlib import Path

from latchway.gateway.api import openapi
from latchway.gateway.api.endpoints import ENDPOINTS
from support.api_client import api_client
from support.view import FakeView, served

CHECKED_IN = Path(__file__).parents[4] / "docs" / "reference" / "openapi.json"


def test_the_checked_in_document_is_current():
    """If not: `python -m latchway.gateway.api.openapi > docs/reference/openapi.json`."""
    assert CHECKED_IN.read_text(encoding="utf-8") == openapi.text()


def test_every_reference_in_the_document_leads_somewhere():
    document = openapi.document()
    names = {
        part.split('"')[0].rsplit("/", 1)[1] for part in json.dumps(document).split('"$ref": "')[1:]
    }
    assert names <= document["components"]["schemas"].keys()


async def test_the_running_api_serves_the_document_and_every_path_in_it(tmp_path):
    async with served(FakeView(), tmp_path) as path, api_client(path) as client:
        async with client.get("/openapi.json") as response:
            assert await response.json() == openapi.document()
        for endpoint in ENDPOINTS:
            async with client.get(endpoint.path) as response:
                assert response.status == 200
