"""What the local API answers: pydantic models, the source of `docs/reference/openapi.json`.

The CLI's `--json` prints these answers unchanged. Promise: within `/v1` fields may be added, none
is removed, renamed or given another type.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, NonNegativeInt


class ApiModel(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class ErrorReport(ApiModel):
    """Why a request was not answered, and what to do."""

    code: Annotated[str, Field(description="Machine-readable reason, such as `not_found`.")]
    message: str
    fix: Annotated[str, Field(description="The next step, in words.")]


class Problem(ApiModel):
    """One thing that is not well."""

    id: Annotated[str, Field(description="Stable name, such as `sink.cloud.unreachable`.")]
    severity: Literal["error", "warning"]
    problem: str
    fix: Annotated[str, Field(description="What to do; a command where there is one.")]
    since: AwareDatetime | None = None


class HubReport(ApiModel):
    """The gateway itself."""

    id: str
    name: str
    version: str
    epoch: int
    now: Annotated[AwareDatetime, Field(description="Wall time of this answer.")]
    started_at: AwareDatetime
    uptime_s: float
    clock: Literal["synced", "unsynced"]
    config_file: str
    state_dir: str


class VendorReport(ApiModel):
    """One vendor and its worker."""

    vendor: str
    title: str
    state: Literal["starting", "running", "restarting", "quarantined", "stopped"]
    since: AwareDatetime
    pid: int | None
    restarts: NonNegativeInt
    delivery_class: Annotated[
        Literal["log", "queued", "live"] | None,
        Field(description="What happens to events while Latchway is away; null until known."),
    ]
    delivery_class_reason: str
    degraded: tuple[str, ...]
    heartbeat_age_s: float | None
    quarantined_until: AwareDatetime | None
    last_error: str
    queued: Annotated[NonNegativeInt, Field(description="Frames that wait at the intake.")]
    credit: Annotated[int, Field(description="Frames that the worker may still send.")]


class SinkReport(ApiModel):
    """One sink and its connection."""

    sink: str
    type: str
    state: Literal["connecting", "connected", "waiting", "stopped"]
    since: AwareDatetime
    detail: str
    retry_at: AwareDatetime | None
    in_flight: NonNegativeInt
    window: NonNegativeInt
    connects: NonNegativeInt
    waiting: Annotated[NonNegativeInt, Field(description="Events that wait for this sink.")]
    parked: Annotated[NonNegativeInt, Field(description="Events that it refused for good.")]


class IntakeReport(ApiModel):
    """Intake identity of a vendor: received = stored + duplicate + rejected + refused."""

    vendor: str
    received: NonNegativeInt
    stored: NonNegativeInt
    duplicate: NonNegativeInt
    rejected: NonNegativeInt
    refused: NonNegativeInt
    difference: Annotated[int, Field(description="0 where the identity holds.")]


class LaneReport(ApiModel):
    """Delivery identity of a lane and epoch: routed equals the sum of the seven fates."""

    lane: str
    vendor: str
    sink: str
    lane_class: Annotated[Literal["main", "bulk"], Field(alias="class")]
    epoch: int
    routed: NonNegativeInt
    acknowledged: NonNegativeInt
    waiting: NonNegativeInt
    parked: NonNegativeInt
    expired: NonNegativeInt
    compacted: NonNegativeInt
    dropped: NonNegativeInt
    withdrawn: NonNegativeInt
    difference: Annotated[int, Field(description="0 where the identity holds.")]


class SizeReport(ApiModel):
    """Bytes that the outbox takes on disk."""

    database_bytes: NonNegativeInt
    wal_bytes: NonNegativeInt
    limit_bytes: NonNegativeInt | None


class OutboxReport(ApiModel):
    """The account, line by line, and the size of the outbox."""

    intake: tuple[IntakeReport, ...]
    lanes: tuple[LaneReport, ...]
    account_difference: Annotated[int, Field(description="0 where the whole account closes.")]
    size: SizeReport


class StatusReport(ApiModel):
    """Whether all is well, and everything that the verdict rests on."""

    verdict: Literal["ok", "degraded"]
    problems: tuple[Problem, ...]
    hub: HubReport
    vendors: tuple[VendorReport, ...]
    sinks: tuple[SinkReport, ...]
    outbox: Annotated[
        OutboxReport | None, Field(description="Null where the outbox cannot be read now.")
    ]


class AttributeReport(ApiModel):
    """One attribute of a device as last stored."""

    value: JsonValue
    source: Annotated[
        str, Field(description="`reported`, `read`, `cached` or `wish`; the first two confirm.")
    ]
    at: AwareDatetime


class DeviceReport(ApiModel):
    """One lock as last stored."""

    vendor: str
    device: Annotated[str, Field(description="Hardware id.")]
    name: str
    model: str | None
    manufacturer: str | None
    firmware: str | None
    attributes: dict[str, AttributeReport]


class DevicesReport(ApiModel):
    """All devices that have a stored state, by vendor and name."""

    devices: tuple[DeviceReport, ...]


class EventsReport(ApiModel):
    """Stored events, newest first, as CloudEvents 1.0 in structured JSON, without lane."""

    events: tuple[dict[str, JsonValue], ...]
    next: Annotated[
        str | None,
        Field(description="Pass as `before` to see older events; null where there are none."),
    ]


class StreamEnd(ApiModel):
    """The last line of a followed stream; every line before it is an event."""

    end: Literal["too_slow", "stopping"]
    missed: Annotated[NonNegativeInt, Field(description="Events that this client did not get.")]
    message: str
    fix: str


class RejectReport(ApiModel):
    """One input that did not fit, with the reason."""

    id: int
    at: AwareDatetime
    vendor: str
    code: str
    reason: str
    topic: str | None
    device: str | None
    raw_base64: Annotated[str, Field(description="The input as it came, in base64.")]
    raw_text: Annotated[str | None, Field(description="The same as text; null if not UTF-8.")]


class RejectedReport(ApiModel):
    """Kept rejects, newest first."""

    rejected: tuple[RejectReport, ...]


class HealthReport(ApiModel):
    """The gateway's main loop answers."""

    ok: Literal[True] = True


class ReadyReport(ApiModel):
    """Whether events can be stored now. Status 503 where `ready` is false."""

    ready: bool
    outbox_open: bool
    writer_running: bool
