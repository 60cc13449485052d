"""`latchway config check`, and what `latchway run` says of a config that cannot be used."""

from __future__ import annotations

import json

from support.command import latchway

WRONG = '[hub]\nnmae = "front"\n'


async def test_a_good_config_ends_with_0(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('[hub]\nname = "front"\n')
    ended = await latchway(tmp_path, "config", "check", str(file))
    assert (ended.code, ended.err) == (0, "")
    assert "good" in ended.out
    as_json = await latchway(tmp_path, "config", "check", str(file), "--json")
    assert json.loads(as_json.out) == {"file": str(file), "valid": True, "problems": []}


async def test_each_problem_is_one_line_with_file_line_column_key_and_fix(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(WRONG)
    ended = await latchway(tmp_path, "config", "check", str(file))
    assert ended.code == 1
    assert ended.out == f"{file}:2:1: hub.nmae: unknown key; did you mean `name`?\n"


async def test_files_that_are_named_but_not_there_are_problems(tmp_path):
    (tmp_path / "local.password").write_text("secret")
    file = tmp_path / "config.toml"
    file.write_text(
        "[vendors.zigbee2mqtt]\n"
        f"mqtt = {{ username = 'u', password_file = '{tmp_path}/local.password' }}\n"
        "[sinks.cloud]\ntype = 'mqtt'\nusername = 'u'\n"
        f"password_file = '{tmp_path}/clod.password'\n"
        f"tls = {{ ca_file = '{tmp_path}/ca.pem' }}\n"
    )
    ended = await latchway(tmp_path, "config", "check", str(file))
    assert ended.code == 1
    assert [line.partition(" no such file: ")[0] for line in ended.out.splitlines()] == [
        f"{file}:6:1: sinks.cloud.password_file:",
        f"{file}:7:9: sinks.cloud.tls.ca_file:",
    ]


async def test_problems_as_json_say_the_same(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(WRONG)
    ended = await latchway(tmp_path, "config", "check", str(file), "--json")
    assert ended.code == 1
    (problem,) = json.loads(ended.out)["problems"]
    assert (problem["line"], problem["column"], problem["key"]) == (2, 1, "hub.nmae")
    assert problem["nearest"] == "name"


async def test_a_config_that_is_not_there_ends_with_4(tmp_path):
    ended = await latchway(tmp_path, "config", "check", str(tmp_path / "none.toml"))
    assert ended.code == 4
    assert "no such file" in ended.err


async def test_run_refuses_a_wrong_config_with_the_same_words(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(WRONG)
    ended = await latchway(tmp_path, "run", "--config", str(file))
    assert ended.code == 1
    assert f"{file}:2:1: hub.nmae: unknown key; did you mean `name`?" in ended.err
    assert f"latchway config check {file}" in ended.err


async def test_run_without_a_config_says_how_to_get_one(tmp_path):
    ended = await latchway(tmp_path, "run", "--config", str(tmp_path / "none.toml"))
    assert ended.code == 1
    assert "cannot be read" in ended.err
