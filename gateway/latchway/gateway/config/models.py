"""The config as the gateway uses it, and the models of the sections that are its own.

Sections of vendors and sinks are validated against the models of their drivers and sinks. The
pydantic models here are what a file may say; `Config` is what the rest of the gateway reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from latchway.drivers.contract import Manifest, Quotas
from latchway.gateway.routing import Route

if TYPE_CHECKING:
    from latchway.gateway.sinks.settings import SinkSettings

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"
"""What vendors, sinks and routes may be called: they become parts of topics and lane names."""


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"must be an absolute path, such as /var/lib/{path.name}")
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class Section(BaseModel):
    """Base of the gateway's own sections: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HubSection(Section):
    """`[hub]`: who this hub is for people, and where it keeps its files."""

    name: str = Field(
        default="hub",
        min_length=1,
        max_length=64,
        description="What people call this hub. Events carry the hub's id, not this name.",
    )
    state_dir: AbsolutePath = Field(
        default=Path("/var/lib/latchway"), description="Folder of outbox.db and registry.db."
    )
    runtime_dir: AbsolutePath = Field(
        default=Path("/run/latchway"), description="Folder of the local API's socket."
    )


class LogSection(Section):
    """`[log]`: how much is written to the log."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level that is written."
    )


class StopSection(Section):
    """`[stop]`: how long a graceful stop may take."""

    grace_s: float = Field(
        default=10.0, ge=0, le=60, description="Seconds that a worker gets before it is killed."
    )
    drain_s: float = Field(
        default=10.0, ge=0, le=300, description="Seconds for stored events to reach their sinks."
    )


class QuotasSection(Section):
    """`quotas` of a vendor: what its worker may use; absent keys keep the driver's own figure."""

    events_per_s: int | None = Field(
        default=None, ge=1, le=100_000, description="Events per second that are let in for good."
    )
    burst: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Events that are let in at once."
    )
    memory_mb: int | None = Field(
        default=None, ge=16, description="Memory of its worker, in MB; not enforced yet."
    )

    def over(self, quotas: Quotas) -> Quotas:
        """Return the driver's quotas with what the config says instead."""
        return Quotas(
            events_per_s=self.events_per_s or quotas.events_per_s,
            burst=self.burst or quotas.burst,
            memory_mb=self.memory_mb or quotas.memory_mb,
        )


class RouteSection(Section):
    """`[[routes]]`: which events go to which sink."""

    name: str = Field(pattern=NAME_PATTERN, description="What this route is called.")
    sink: str = Field(description="Name of the sink that matching events go to.")
    pattern: dict[str, JsonValue] | None = Field(
        default=None, description="Event pattern; absent: every event matches."
    )


@dataclass(frozen=True, slots=True)
class VendorConfig:
    """One vendor: which driver runs for it, within which limits, with which settings."""

    name: str
    driver: str
    manifest: Manifest
    quotas: Quotas
    settings: bytes = field(repr=False)
    """The driver's own section as JSON, as written: it may hold passwords."""


@dataclass(frozen=True, slots=True)
class Config:
    """A config that is valid as a whole."""

    source: str
    hub: HubSection = field(default_factory=HubSection)
    vendors: Mapping[str, VendorConfig] = field(default_factory=dict)
    sinks: Mapping[str, SinkSettings] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    log: LogSection = field(default_factory=LogSection)
    stop: StopSection = field(default_factory=StopSection)
