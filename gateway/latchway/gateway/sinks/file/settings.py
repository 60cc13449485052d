"""Config section of the sink `file`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from latchway.gateway.sinks.settings import SinkSettings

if TYPE_CHECKING:
    from latchway.gateway.sinks.contract import Sink, SinkEnvironment


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"must be an absolute path, such as /var/lib/latchway/events/{path.name}")
    return path


class FileSinkSettings(SinkSettings):
    """Events as JSON lines in a local file: `path`, `path.1` (the one before), `path.2` ..."""

    type: Literal["file"]
    path: Annotated[Path, AfterValidator(_absolute)] = Field(
        description="The file that events are appended to; its folder is created."
    )
    rotate_mb: int = Field(
        default=16, ge=1, le=1024, description="A file of this size is closed; a new one begins."
    )
    keep_files: int = Field(
        default=8, ge=1, le=1000, description="Closed files kept; the oldest is deleted beyond."
    )
    window: int = Field(
        default=500, ge=1, le=5000, description="Events written and synced to disk at a time."
    )

    def own_file(self) -> Path:
        """Return the file that events are appended to."""
        return self.path

    def build(self, name: str, environment: SinkEnvironment) -> Sink:
        """Construct the sink."""
        from latchway.gateway.sinks.file.sink import FileSink  # noqa: PLC0415 - see base class

        return FileSink(name, self, environment)
