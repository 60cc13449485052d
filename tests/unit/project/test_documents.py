"""What the documents show works: configs are valid, commands, targets and links exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from latchway.drivers.testing import CHECKS
from latchway.gateway.cli.main import main
from latchway.gateway.config import parse
from latchway.schemas import CompletenessCheck

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(language):
    """Every fenced block of that language, with where it stands."""
    return [
        pytest.param(
            block,
            id=f"{page.relative_to(ROOT)}:{page.read_text()[: found.start()].count(chr(10)) + 1}",
        )
        for page in PAGES
        for found in FENCE.finditer(page.read_text(encoding="utf-8"))
        if found[2] == language
        for block in [re.sub(f"^{found[1]}", "", found[3], flags=re.MULTILINE)]
    ]


def lines(prefix):
    """Every command in a shell block that begins so, without what decides where it runs."""
    shell = (block.values[0] for block in blocks("sh"))
    commands = (line.split("#")[0].strip() for block in shell for line in block.splitlines())
    return sorted(
        {command for command in commands if command.removeprefix(".venv/bin/").startswith(prefix)}
    )


@pytest.mark.parametrize("text", blocks("toml"))
def test_a_config_that_is_shown_is_valid(text):
    parse(text, "shown.toml")


@pytest.mark.parametrize("code", blocks("python"))
def test_code_that_is_shown_compiles(code):
    wrapped = "async def shown():\n" + "\n".join(f"    {line}" for line in code.splitlines())
    compile(wrapped, "shown.py", "exec")


@pytest.mark.parametrize("command", lines("latchway "))
def test_a_command_that_is_shown_exists(command, capsys, monkeypatch):
    words = command.removeprefix(".venv/bin/").split()[1:]
    path = [word for word in words[:2] if word.isalpha() and word != "FILE"]
    monkeypatch.setattr(sys, "argv", ["latchway", *path, "--help"])
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    assert code in (0, None)
    shown = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert option in shown


@pytest.mark.parametrize("command", lines("make "))
def test_a_target_that_is_shown_exists(command):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in (word for word in command.split()[1:] if "=" not in word):
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_tree_leads_somewhere(page):
    broken = [
        link
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert not broken


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(folder.glob("[0-9]*.md"))
    missing = [record.name for record in records if f"({record.name})" not in index]
    assert not missing, "add these to docs/decisions/README.md"


def test_the_config_reference_is_current():
    script = ROOT / "scripts" / "config_reference.py"
    answer = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_what_the_how_tos_import_is_there():
    assert CHECKS
    assert CompletenessCheck().verdict().complete
