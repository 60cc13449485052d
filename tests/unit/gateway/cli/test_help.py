"""The command teaches: help, examples, exit codes, nearest command; and it does so at once."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from support.command import latchway

COMMANDS = [
    ("run",),
    ("demo",),
    ("status",),
    ("devices",),
    ("events",),
    ("outbox", "stats"),
    ("outbox", "rejected"),
    ("config", "check"),
]
READS = [("status",), ("devices",), ("events",), ("outbox", "stats"), ("outbox", "rejected")]
HEAVY = ("pydantic", "aiohttp", "rich", "aiosqlite", "prometheus_client", "asyncio", "aiomqtt")


def loaded_by(*args: str) -> set[str]:
    """Names of the modules that the command has imported when it ends."""
    script = (
        "import sys\n"
        "from latchway.gateway.cli.main import main\n"
        f"sys.argv = ['latchway', *{args!r}]\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print('LOADED', *sys.modules)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    return set(ended.stdout.split("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("--version",),
        ("status", "--help"),
        ("outbox", "rejected", "--help"),
        ("stat",),
    ],
)
def test_help_loads_nothing_heavy(args):
    assert loaded_by(*args).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", READS)
def test_reading_from_the_gateway_loads_nothing_heavy_either(command, tmp_path, monkeypatch):
    monkeypatch.setenv("LATCHWAY_RUNTIME_DIR", str(tmp_path))
    assert loaded_by(*command).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", COMMANDS)
async def test_each_command_explains_itself_with_examples_and_exit_codes(tmp_path, command):
    ended = await latchway(tmp_path, *command, "--help")
    assert ended.code == 0
    assert ended.out.startswith(f"usage: latchway {' '.join(command)} [")
    assert "\nexamples:\n  latchway " in ended.out
    assert "\nexit codes:\n  0  done\n" in ended.out
    assert "\x1b" not in ended.out


@pytest.mark.parametrize("group", [(), ("outbox",), ("config",)])
async def test_a_group_lists_its_commands_with_an_example(tmp_path, group):
    ended = await latchway(tmp_path, *group, "--help")
    assert ended.code == 0
    assert "\ncommands:\n  " in ended.out
    assert "\nexamples:\n  latchway" in ended.out


async def test_no_line_of_help_is_wider_than_80_columns(tmp_path):
    for command in ((), ("outbox",), *COMMANDS):
        ended = await latchway(tmp_path, *command, "--help")
        lines = ended.out.split("examples:")[0].splitlines()
        assert max(len(line) for line in lines) <= 80


@pytest.mark.parametrize("command", READS)
async def test_each_read_command_prints_json_on_demand(tmp_path, command):
    assert "--json" in (await latchway(tmp_path, *command, "--help")).out


async def test_the_commands_are_listed_with_one_whole_line_each(tmp_path):
    ended = await latchway(tmp_path, "--help")
    listed = ended.out.split("commands:\n")[1].split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == [
        "run",
        "demo",
        "status",
        "devices",
        "events",
        "outbox",
        "config",
    ]


async def test_without_a_command_it_shows_the_help_and_ends_as_wrong_usage(tmp_path):
    ended = await latchway(tmp_path)
    assert ended.code == 2
    assert ended.out == ""
    assert "commands:" in ended.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("statsu",), "did you mean `status`?"),
        (("outbox", "rejcted"), "did you mean `rejected`?"),
        (("config",), "check"),
        (("status", "--jsno"), "did you mean `--json`?"),
        (("events", "--limit", "many"), "'many' is no whole number"),
        (("events", "--limit", "1001"), "1001 is not between 0 and 1000"),
        (("events", "--pattern"), "expected one argument"),
        (("demo", "--duration", "nan"), "'nan' is no number of seconds"),
        (("xyz",), "see `latchway --help`"),
    ],
)
async def test_wrong_usage_ends_with_2_and_names_the_nearest(tmp_path, args, words):
    ended = await latchway(tmp_path, *args)
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == ""


async def test_plain_outbox_takes_the_options_of_its_stats(folder):
    ended = await latchway(folder, "outbox", "--json")
    assert ended.code == 0
    assert ended.out.startswith('{"intake"')


async def test_the_version_is_that_of_the_package(tmp_path):
    ended = await latchway(tmp_path, "--version")
    assert (ended.code, ended.out) == (0, f"latchway {version('latchway')}\n")
