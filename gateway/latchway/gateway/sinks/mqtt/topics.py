"""Topic templates: where on the broker an event goes. Pure.

`{device}` is `_` for facts about a whole vendor or the hub, so that the depth of a topic, which
access rules of brokers count on, is always the same.
"""

from __future__ import annotations

import string
from typing import Final

NO_DEVICE: Final = "_"
EVENT_NAMES: Final = ("hub", "vendor", "device", "family", "fact")
MAX_TOPIC_BYTES: Final = 1024
"""Bound of our own (MQTT allows 65,535), so that no template can eat the packet."""


class TopicTemplate:
    """A topic with `{names}` in it, checked once when the config is read."""

    def __init__(self, text: str, names: tuple[str, ...] = EVENT_NAMES) -> None:
        """Raise `ValueError` with place and fix if it cannot make valid topics."""
        self._text = text
        try:
            fields = list(string.Formatter().parse(text))
        except ValueError as error:
            raise ValueError(f"{text!r} has an unpaired brace; names stand in {{...}}") from error
        for literal, name, spec, conversion in fields:
            if any(character in literal for character in "+#\0"):
                raise ValueError(f"{text!r} holds '+', '#' or NUL, which no topic may; remove it")
            if name is not None and (name not in names or spec or conversion):
                allowed = ", ".join(f"{{{known}}}" for known in names)
                raise ValueError(f"{text!r} holds {{{name}}}; only {allowed} can be filled in")
        if not text or text.startswith("$") or len(text.encode()) > MAX_TOPIC_BYTES:
            raise ValueError(f"{text!r} must be 1 to {MAX_TOPIC_BYTES} bytes and not begin with $")

    def fill(self, **values: str) -> str:
        """Return the topic. Values are names of ours or hardware ids: safe inside a level."""
        return self._text.format_map(values)


def family_and_fact(event_type: str) -> tuple[str, str]:
    """Split `io.latchway.<family>.<fact>.v<major>` into family and fact."""
    _, _, family, fact, _ = event_type.split(".")
    return family, fact
