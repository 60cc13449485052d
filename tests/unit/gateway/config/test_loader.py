"""A config is either valid as a whole, or every problem is named with place, cause and fix."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latchway.gateway.config import ConfigInvalid, load, parse
from latchway.gateway.config.schema import config_schema
from latchway.gateway.routing import Route
from support.vendors import MANIFEST, load_vendor

GOOD = dedent("""\
    [hub]
    name = "House 7"
    state_dir = "/tmp/latchway/state"

    [vendors.test]
    mode = "emit"
    mqtt = { host = "broker", port = 1884 }
    quotas = { burst = 5000 }

    [vendors.other]
    driver = "test"

    [sinks.disk]
    type = "file"
    path = "/tmp/latchway/events.jsonl"

    [sinks.cloud]
    type = "mqtt"
    host = "cloud.example"

    [[routes]]
    name = "all"
    sink = "disk"

    [[routes]]
    name = "doors"
    sink = "cloud"
    pattern = { type = [{ prefix = "io.latchway.door." }] }
""")


def read(text: str):
    return parse(text, "config.toml", load_vendor)


def problems(text: str):
    with pytest.raises(ConfigInvalid) as caught:
        read(text)
    return caught.value.problems


def problems_if_any(text: str):
    try:
        read(text)
    except ConfigInvalid as error:
        return error.problems
    return ()


def test_a_good_config_is_read_whole():
    config = read(GOOD)

    assert config.hub.name == "House 7"
    assert config.hub.runtime_dir == Path("/run/latchway")
    assert list(config.vendors) == ["test", "other"]
    assert config.vendors["other"].driver == "test"
    assert config.vendors["test"].quotas.burst == 5000
    assert config.vendors["test"].quotas.events_per_s == MANIFEST.quotas.events_per_s
    assert json.loads(config.vendors["test"].settings) == {
        "mode": "emit",
        "mqtt": {"host": "broker", "port": 1884},
    }
    assert list(config.sinks) == ["disk", "cloud"]
    assert [(route.name, route.sink) for route in config.routes] == [
        ("all", "disk"),
        ("doors", "cloud"),
    ]


def test_without_routes_every_event_goes_to_every_sink():
    config = read("[sinks.disk]\ntype = 'file'\npath = '/tmp/x'\n")

    assert config.routes == (Route(name="all_to_disk", sink="disk"),)


def test_an_empty_config_has_defaults():
    assert read("").hub.state_dir == Path("/var/lib/latchway")


@pytest.mark.parametrize(
    ("text", "line", "column", "key", "nearest", "words"),
    [
        ("[hubb]\n", 1, 2, "hubb", "hub", "unknown key"),
        ("[hub]\nnme = 'x'\n", 2, 1, "hub.nme", "name", "did you mean `name`?"),
        ("[hub]\nname = 7\n", 2, 1, "hub.name", None, "write text in quotes"),
        ("[hub]\nstate_dir = 'state'\n", 2, 1, "hub.state_dir", None, "absolute path"),
        ("[log]\nlevel = 'loud'\n", 2, 1, "log.level", None, "'debug', 'info'"),
        ("[stop]\ngrace_s = -1\n", 2, 1, "stop.grace_s", None, "greater than or equal to 0"),
        ("[vendors.test]\nport = 1\n", 2, 1, "vendors.test.port", None, "valid keys here"),
        (
            "[vendors.test]\nmqtt = { hots = 'x' }\n",
            2,
            10,
            "vendors.test.mqtt.hots",
            "host",
            "did you mean `host`?",
        ),
        ("[vendors.test.mqtt]\nport = '1883'\n", 2, 1, "vendors.test.mqtt.port", None, "whole"),
        ("[vendors.nuki]\n", 1, 10, "vendors.nuki", None, "There is no driver 'nuki'; Installed"),
        (
            "[vendors.zigbe2mqtt]\n",
            1,
            10,
            "vendors.zigbe2mqtt",
            "zigbee2mqtt",
            """There is no driver 'zigbe2mqtt'; did you mean "zigbee2mqtt"?""",
        ),
        ("[vendors.x]\ndriver = 'tset'\n", 2, 1, "vendors.x.driver", None, "no driver"),
        ("[vendors.X]\n", 1, 10, "vendors.X", None, "not a valid name"),
        ("[vendors.hub]\ndriver = 'test'\n", 1, 10, "vendors.hub", None, "the hub's own name"),
        ("[sinks.a]\npath = '/x'\n", 1, 8, "sinks.a.type", None, "required key is missing"),
        ("[sinks.a]\ntype = 'fil'\n", 2, 1, "sinks.a.type", "file", 'did you mean "file"?'),
        ("[sinks.a]\ntype = 'file'\n", 1, 8, "sinks.a.path", None, "add `path = ...`"),
        (
            "[sinks.a]\ntype='file'\npath='/x/y'\n[sinks.b]\ntype='file'\npath='/x/../x/y'\n",
            6,
            1,
            "sinks.b.path",
            None,
            "[sinks.a] has this file; give each sink a file of its own",
        ),
        ("[sinks]\na = 1\n", 2, 1, "sinks.a", None, "write [sinks.a]"),
        ("routes = 1\n", 1, 1, "routes", None, "write [[routes]]"),
        (
            "[sinks.disk]\ntype='file'\npath='/x'\n[[routes]]\nname='r'\nsink='dsk'\n",
            6,
            1,
            "routes[0].sink",
            "disk",
            'did you mean "disk"?',
        ),
    ],
)
def test_a_problem_names_place_key_cause_and_fix(text, line, column, key, nearest, words):
    [problem] = problems(text)

    assert (problem.line, problem.column, problem.key) == (line, column, key)
    assert problem.nearest == nearest
    assert words in str(problem)
    assert str(problem).startswith(f"config.toml:{line}:{column}: ")


def test_all_problems_come_at_once_in_the_order_of_the_file():
    found = problems("[hub]\nnme = 'x'\n[vendors.test]\ncount = -1\n[sinks.a]\ntype = 'x'\n")

    assert [problem.line for problem in found] == [2, 4, 6]


def test_a_bad_pattern_names_the_operator_that_does_not_exist():
    [problem] = problems(
        "[sinks.disk]\ntype='file'\npath='/x'\n[[routes]]\nname='r'\nsink='disk'\n"
        "pattern = { type = [{ prefx = 'x' }] }\n"
    )

    assert problem.line == 7
    assert "prefx" in str(problem)


def test_two_routes_of_one_name_are_refused():
    route = "[[routes]]\nname='r'\nsink='disk'\n"
    found = problems("[sinks.disk]\ntype='file'\npath='/x'\n" + route + route)

    assert [(problem.line, problem.key) for problem in found] == [(8, "routes[1].name")]


def test_syntax_errors_name_the_place():
    [problem] = problems("[hub]\nname = \n")

    assert (problem.line, problem.column) == (2, 8)


def test_nesting_without_end_is_refused():
    [problem] = problems("a = " + "[" * 20_000)

    assert "nested too deeply" in problem.problem


def test_secrets_are_in_no_message_and_no_repr():
    text = "[vendors.test]\nmqtt = { password = 'hunter2', port = 'hunter2' }\n"

    assert "hunter2" not in str(problems(text)[0])
    assert "hunter2" not in repr(read("[vendors.test]\nmqtt = { password = 'hunter2' }\n"))


def test_a_file_that_is_missing_or_no_text_says_so(tmp_path):
    missing = tmp_path / "none.toml"
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"[hub]\nname = '\xff'\n")

    with pytest.raises(ConfigInvalid, match=r"none\.toml: cannot be read: No such file"):
        load(missing)
    with pytest.raises(ConfigInvalid, match=r"binary\.toml:2:9: is not UTF-8 here"):
        load(binary)


def test_a_file_of_ten_megabytes_is_refused_at_once(tmp_path):
    large = tmp_path / "large.toml"
    large.write_bytes(b"# padding\n" * 1_000_000)

    with pytest.raises(ConfigInvalid, match="more than"):
        load(large)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"))
def test_a_file_damaged_at_any_place_is_read_or_explained(index, character):
    damaged = GOOD[:index] + character + GOOD[index + 1 :]

    assert all(problem.line for problem in problems_if_any(damaged))


def test_the_json_schema_accepts_what_the_loader_accepts():
    schema = config_schema({"test": MANIFEST})

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(GOOD), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"hub": {"nme": "x"}}, schema)


def test_the_json_schema_knows_the_drivers_that_we_ship():
    printed = subprocess.run(
        [sys.executable, "-m", "latchway.gateway.config.schema"],
        capture_output=True,
        check=True,
        text=True,
    )

    schema = json.loads(printed.stdout)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert "zigbee2mqtt" in schema["properties"]["vendors"]["properties"]
