"""Payloads that no bridge should send and some day one will."""

from __future__ import annotations

GARBAGE: tuple[bytes, ...] = (
    b"",
    b"\x00",
    b"\xff\xfe\xfd",
    b"null",
    b"true",
    b"0",
    b"[]",
    b"{}",
    b'""',
    b"{",
    b'{"state":',
    b'{"state":{"state":{"state":null}}}',
    b'{"state":NaN}',
    b'{"battery":1e999}',
    b'{"battery":' + b"9" * 5000 + b"}",
    b'{"state":"LOCK","state":"UNLOCK"}',
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b'"\\ud800"',
    b'{"state":"\\u0000"}',
    b"\xef\xbb\xbf{}",
    b'{"action":["unlock"],"action_user":"one","lock_state":7,"battery":"full"}',
    b'{"' + b"k" * 70_000 + b'":1}',
    b"x" * 300_000,
)
