"""Finds the published protocol facts beside the repository, for tests marked `shared`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).resolve().parents[2].parent / "shared"


def shared_path(*parts: str) -> Path:
    """Name a file beside the repository; skips the test only where the whole folder is absent."""
    if not _FOLDER.is_dir():
        pytest.skip(
            "the published protocol facts are not beside this clone", allow_module_level=True
        )
    path = _FOLDER.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{path}: the facts are there, but not this file")
    return path


def shared_json(*parts: str) -> Any:
    """Read a JSON file beside the repository."""
    return json.loads(shared_path(*parts).read_text(encoding="utf-8"))
