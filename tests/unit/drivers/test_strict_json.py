"""JSON from strangers: what is read, and by which code the rest is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchway.drivers import strict_json
from latchway.drivers.errors import PayloadInvalid
from latchway.drivers.testing import GARBAGE


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"{} x", "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"\xff", "not_utf8"),
        (b'"\\ud800"', "not_utf8"),
        (b'{"\\udfff": 1}', "not_utf8"),
        (b"[" * 25 + b"]" * 25, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b'[{"a":{"b":1,"b":2}}]', "duplicate_key"),
        (b"NaN", "not_a_number"),
        (b"[-Infinity]", "not_a_number"),
        (b"1e999", "huge_number"),
        (b"9" * 5000, "huge_number"),
        (b"9223372036854775808", "huge_number"),
        (b" " * (strict_json.MAXIMUM_BYTES + 1), "too_large"),
    ],
)
def test_what_is_not_plain_json_is_refused_by_code(raw: bytes, code: str) -> None:
    with pytest.raises(PayloadInvalid) as refused:
        strict_json.parse(raw)

    assert refused.value.code == code
    assert str(refused.value).startswith(f"{code}: ")


def test_brackets_inside_text_are_not_depth() -> None:
    text = '[{"' * 40 + "\\"
    assert strict_json.parse(json.dumps([text]).encode()) == [text]


def test_reasons_quote_no_values() -> None:
    for raw in (b'{"pin":"48151623"', b'{"48151623":1,"48151623":2}', b"48151623" * 9):
        with pytest.raises(PayloadInvalid) as refused:
            strict_json.parse(raw)
        assert "48151623" not in str(refused.value)


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"1", b"true"])
def test_an_object_is_expected_where_one_is_asked_for(raw: bytes) -> None:
    with pytest.raises(PayloadInvalid) as refused:
        strict_json.parse_object(raw)

    assert refused.value.code == "not_an_object"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=15,
)


@given(values)
def test_good_json_is_read_as_python_reads_it(value) -> None:
    raw = json.dumps(value).encode()
    assert strict_json.parse(raw, maximum_depth=100) == json.loads(raw)


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused_and_nothing_else(raw: bytes) -> None:
    with contextlib.suppress(PayloadInvalid):
        strict_json.parse(raw)


@pytest.mark.parametrize("raw", GARBAGE, ids=lambda raw: repr(raw[:20]))
def test_garbage_is_read_or_refused_and_nothing_else(raw: bytes) -> None:
    with contextlib.suppress(PayloadInvalid):
        strict_json.parse_object(raw)
