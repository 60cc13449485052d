"""A CloudEvents 1.0 event, independent of how it travels: attributes as text, data as bytes.

What every binding reads and writes. Facts: CloudEvents specification 1.0.2, sections 3 and 4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from latchway.schemas.errors import EnvelopeInvalid, EnvelopeTooLarge

ENVELOPE_LIMIT: Final = 64 * 1024
"""Largest encoded event in bytes: what every intermediary must forward (section 5)."""

REQUIRED: Final = ("specversion", "id", "source", "type")
_NAME: Final = re.compile(r"[a-z0-9]+")
_JSON_MEDIA: Final = re.compile(r"[^/;\s]+/(json|[^/;\s]+\+json)\s*(;.*)?", re.IGNORECASE)
_UNSENDABLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """Any CloudEvent. `attributes` hold `datacontenttype` too; `data` is None if there is none."""

    attributes: Mapping[str, str]
    data: bytes | None


def checked(attributes: Mapping[str, str], data: bytes | None) -> CloudEvent:
    """Make an event of what a binding found. Raises `EnvelopeInvalid`."""
    for name in REQUIRED:
        if not attributes.get(name):
            raise EnvelopeInvalid(f"the attribute {name} is missing or empty")
    if attributes["specversion"] != "1.0":
        raise EnvelopeInvalid("specversion is not 1.0, the only one that is understood")
    for name, value in attributes.items():
        if not _NAME.fullmatch(name) or name == "data":
            raise EnvelopeInvalid(f"{name[:64]!a} is no attribute name: use a-z and 0-9 only")
        if _UNSENDABLE.search(value):
            raise EnvelopeInvalid(f"the attribute {name} holds a character that cannot be sent")
    return CloudEvent(attributes, data)


def is_json(content_type: str | None) -> bool:
    """Tell whether data of that type is JSON; without a type it is."""
    return content_type is None or _JSON_MEDIA.fullmatch(content_type) is not None


def check_size(size: int) -> None:
    """Raise `EnvelopeTooLarge` above 64 KiB."""
    if size > ENVELOPE_LIMIT:
        raise EnvelopeTooLarge(size, ENVELOPE_LIMIT)
