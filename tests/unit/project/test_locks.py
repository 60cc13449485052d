"""The lock files: exact, with hashes, consistent with each other, and free of any index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "requirements"
NAMES = ("run", "demo", "dev")
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def text(name):
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def pins(name):
    return dict(PIN.findall(text(name)))


@pytest.mark.parametrize("name", NAMES)
def test_every_package_is_pinned_and_has_hashes(name):
    entries = [
        entry
        for entry in re.split(r"^(?=[a-z])", text(name), flags=re.MULTILINE)
        if PIN.match(entry)
    ]
    assert len(entries) == len(pins(name)) > 10
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


@pytest.mark.parametrize("name", NAMES)
def test_no_index_is_named(name):
    assert "://" not in text(name)
    assert "--index" not in text(name)
    assert "--find-links" not in text(name)


def test_the_smaller_locks_are_parts_of_the_largest():
    dev = pins("dev")
    for name in ("run", "demo"):
        assert pins(name).items() <= dev.items()


def test_every_direct_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {re.split(r"[<>=!~;\[ ]", line)[0] for line in project["dependencies"]}
    assert direct <= pins("run").keys()
