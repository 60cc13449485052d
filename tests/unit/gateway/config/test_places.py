"""The scanner finds every key that the parser finds, where the key stands."""

from __future__ import annotations

import tomllib
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latchway.gateway.config.places import Place, key_places, nearest_place

KEYS = st.text("abcxyz_-09", min_size=1, max_size=5) | st.text(min_size=1, max_size=4)
SCALARS = (
    st.integers(-(2**40), 2**40)
    | st.booleans()
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def quoted(text: str) -> str:
    escaped = "".join(
        character
        if character.isprintable() and character not in '"\\'
        else f"\\U{ord(character):08x}"
        for character in text
    )
    return f'"{escaped}"'


def key(text: str) -> str:
    bare = text and all(c in "abcxyz_-09" for c in text)
    return text if bare else quoted(text)


def value(item: object) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return quoted(item)
    if isinstance(item, list):
        return "[ # a list\n" + ",\n ".join(value(part) for part in item) + "\n]"
    if isinstance(item, dict):
        return "{ " + ", ".join(f"{key(k)} = {value(v)}" for k, v in item.items()) + " }"
    return repr(item)


def flat(item: object) -> str:
    return value(item).replace("# a list", "").replace("\n", " ")


def document(tables: dict) -> str:
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"  [ {key(name)} . inner ] # a comment with = and [")
        lines += [f"{key(k)} = {flat(v)}" for k, v in table.items()]
        lines += [f"[[{key(name)}.each]]", "n = 1", f"[[{key(name)}.each]]", "n = '''\nx = 2'''"]
    return "\n".join(lines)


def paths(item: object, base: tuple = ()):
    entries = item.items() if isinstance(item, dict) else enumerate(item)
    for name, inner in entries:
        yield (*base, name)
        if isinstance(inner, dict | list):
            yield from paths(inner, (*base, name))


def surrogates(item: object) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in repr(item))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=3))
def test_every_key_of_any_document_has_a_place(tables):
    text = document(tables)
    parsed = tomllib.loads(text)

    places = key_places(text)

    assert set(paths(parsed)) == set(places)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=3))
def test_the_place_of_a_key_is_where_it_is_written(tables):
    text = document(tables)
    lines = text.split("\n")

    for path, place in key_places(text).items():
        if isinstance(path[-1], str):
            rest = lines[place.line - 1][place.column - 1 :]
            assert rest.startswith((key(path[-1]), path[-1]))


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ("a = 1", ("a",), Place(1, 1)),
        ("[hub]\n  name = 'x'", ("hub", "name"), Place(2, 3)),
        ("a.b.c = 1", ("a", "b", "c"), Place(1, 5)),
        ("m = { host = 'h', port = 1 }", ("m", "port"), Place(1, 19)),
        ("[[r]]\nn = 1\n[[r]]\n[r.p]\nq = ['a', 'b']", ("r", 1, "p", "q", 1), Place(5, 11)),
        ('t = """\nx = 1\\""""\nu = 2', ("u",), Place(3, 1)),
        ("a = 1\r\nb = 2", ("b",), Place(2, 1)),
        ("d = 1979-05-27 07:32:00 # when\ne = 1", ("e",), Place(2, 1)),
    ],
)
def test_places_in_every_form_of_toml(text, path, place):
    tomllib.loads(text)

    assert key_places(text)[path] == place


def test_a_missing_key_stands_at_its_closest_ancestor():
    places = key_places(
        dedent("""
        [sinks.cloud]
        type = "mqtt"
    """)
    )

    assert nearest_place(places, ("sinks", "cloud", "host")) == Place(2, 8)
    assert nearest_place(places, ("elsewhere",)) == Place(1, 1)
