"""What the config sections of all sinks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from pathlib import Path

    from latchway.gateway.sinks.contract import Sink, SinkEnvironment


class SinkSettings(BaseModel, ABC):
    """Base of a sink's config section `[sinks.NAME]`; subclasses add `type` and their keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def own_file(self) -> Path | None:
        """Return the file that this sink alone may write, if it has one."""
        return None

    @abstractmethod
    def build(self, name: str, environment: SinkEnvironment) -> Sink:
        """Construct the sink, without connecting.

        Implementations import their client here, so that checking a config loads none.
        """
