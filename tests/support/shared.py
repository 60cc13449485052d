"""Where the published protocol facts lie, when they lie beside the repository.

Tests that use them are marked `shared`; they run whenever the folder is there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shared_path(*parts: str) -> Path:
    """Path below `../shared`; skips the calling test only where that folder is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared, which is not beside this clone", allow_module_level=True)
    found = folder.joinpath(*parts)
    assert found.exists(), f"{found} is missing"
    return found
