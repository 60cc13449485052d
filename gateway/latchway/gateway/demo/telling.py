"""What an event says, in a few words for a person who watches the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from latchway.schemas import Envelope

_SHOWN = ("operation", "method", "state", "reason", "percent", "code")


def tell(envelope: Envelope, names: Mapping[str, str]) -> str:
    """Return one line: which lock, what happened, and the facts that matter."""
    who = names.get(envelope.partitionkey, envelope.partitionkey)
    family, fact = envelope.type.removeprefix("io.latchway.").split(".")[:2]
    if family == "hub":
        who = "(hub)"  # its id means nothing to who watches
    what = f"{family} {fact}".replace("_", " ")
    return f"{who:<12} {what:<24} {', '.join(_facts(envelope.data))}".rstrip()


def _facts(data: Mapping[str, JsonValue]) -> list[str]:
    facts = [_word(data[key]) for key in _SHOWN if data.get(key) is not None]
    actor = data.get("actor")
    if isinstance(actor, dict) and actor.get("slot") is not None:
        facts.append(f"slot {actor['slot']}")
    return facts


def _word(value: JsonValue) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
