"""What every driver must do, as checks that run against any vendor on an in-memory broker.

Each check raises `ContractBroken` with the rule and what was seen instead.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from latchway.drivers.states import encode_json, encode_state
from latchway.drivers.testing.broker import FakeBroker, Publication
from latchway.drivers.testing.clock import VirtualClock, settle
from latchway.drivers.testing.context import FakeContext
from latchway.drivers.testing.garbage import GARBAGE
from latchway.schemas import (
    DoorStateChanged,
    DraftInvalid,
    LockStateChanged,
    decode_draft,
    encode_draft,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from latchway.drivers.contract import Vendor

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_REASON = re.compile(r"[a-z0-9_]+: .+", re.DOTALL)
_STATE_CHANGES = (LockStateChanged, DoorStateChanged)
_SETTLE_S = 5.0


class ContractBroken(AssertionError):
    """A driver does not keep the contract."""


@dataclass(frozen=True, slots=True)
class MqttCase:
    """What the kit must know of a vendor whose locks speak through an MQTT broker.

    `greeting` is retained on the broker before the driver comes; `traffic` then arrives at QoS 1
    and must make at least one event. `secrets` are codes that occur in greeting or traffic.
    """

    vendor: Vendor
    traffic: Sequence[Publication]
    greeting: Sequence[Publication] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    secrets: Sequence[str] = ()


class _Running:
    """A driver at work in a task of its own."""

    def __init__(self, context: FakeContext, task: asyncio.Task[None]) -> None:
        self.context = context
        self.task = task

    async def settle(self) -> None:
        """Let the driver do what it can now and in the next virtual seconds."""
        await settle()
        await self.context.clock.advance(_SETTLE_S)
        if self.task.done() and not self.task.cancelled():
            error = self.task.exception()
            raise ContractBroken(f"The driver ended: {error!r}") from error

    async def publish(self, publications: Sequence[Publication]) -> None:
        for each in publications:
            self.context.broker.publish(each.topic, each.payload, qos=each.qos, retain=each.retain)
            await settle()
        await self.settle()


@asynccontextmanager
async def _running(context: FakeContext, vendor: Vendor) -> AsyncIterator[_Running]:
    task = asyncio.create_task(vendor.driver().run(context))
    running = _Running(context, task)
    try:
        await running.settle()
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _context(case: MqttCase, *, store_at_once: bool = True) -> FakeContext:
    broker = FakeBroker()
    for each in case.greeting:
        broker.publish(each.topic, each.payload, qos=each.qos, retain=True)
    return FakeContext(
        case.vendor,
        case.settings,
        broker=broker,
        clock=VirtualClock(),
        store_at_once=store_at_once,
    )


def _require(condition: object, rule: str) -> None:
    if not condition:
        raise ContractBroken(rule)


def check_manifest(vendor: Vendor) -> None:
    """The manifest says what people and the gateway need, in the form they need it."""
    manifest = vendor.manifest
    _require(_NAME.fullmatch(manifest.name), f"{manifest.name!r} is no vendor name")
    _require(manifest.title.strip(), "The manifest has no title")
    _require(manifest.pairing.strip(), "The manifest does not say how to pair")
    _require(manifest.event_types, "The manifest declares no event types")
    types = [each.event_type for each in manifest.event_types]
    _require(len(types) == len(set(types)), "The manifest declares an event type twice")
    _require(manifest.command_pacing_s >= 0, "The pacing of commands is negative")
    _require(all(bound > 0 for bound in manifest.commands.values()), "A command without bound")
    quotas = (manifest.quotas.events_per_s, manifest.quotas.burst, manifest.quotas.memory_mb)
    _require(min(quotas) > 0, "A quota that lets nothing through")
    extra = manifest.config.model_config.get("extra")
    _require(extra == "forbid", "The config model takes unknown keys: set extra='forbid'")


async def the_manifest_is_sane(case: MqttCase) -> None:
    check_manifest(case.vendor)


async def emits_only_declared_and_valid_events(case: MqttCase) -> None:
    """Every event is of a declared type and fits the catalog."""
    context = _context(case)
    async with _running(context, case.vendor) as running:
        await running.publish(case.traffic)
    _require(context.events, "The traffic made no event at all")
    declared = case.vendor.manifest.event_types
    for event in context.events:
        kind = type(event.data)
        _require(kind in declared, f"{kind.__name__} is emitted but not in the manifest")
        try:
            decode_draft(encode_draft(event))
        except DraftInvalid as error:
            raise ContractBroken(f"The gateway would refuse a {kind.__name__}: {error}") from None


async def stops_when_cancelled(case: MqttCase) -> None:
    """A cancelled driver ends, also in the middle of its work, and says nothing else."""
    context = _context(case, store_at_once=False)
    async with _running(context, case.vendor) as running:
        await running.publish(case.traffic)
        running.task.cancel()
        await settle()
        _require(running.task.done(), "The driver goes on after it was cancelled")
        error = None if running.task.cancelled() else running.task.exception()
        _require(error is None, f"The driver answered its cancellation with {error!r}")


async def survives_garbage(case: MqttCase) -> None:
    """Nonsense on any of its topics is rejected or ignored, and good messages still count."""
    quiet = _context(case)
    async with _running(quiet, case.vendor) as running:
        await running.publish(case.traffic)
    context = _context(case)
    topics = dict.fromkeys(each.topic for each in (*case.greeting, *case.traffic))
    async with _running(context, case.vendor) as running:
        for topic in topics:
            await running.publish([Publication(topic, raw) for raw in GARBAGE])
            await running.publish([Publication(f"{topic}/\u00fc/x", raw) for raw in GARBAGE[:4]])
        await running.publish(case.greeting)
        before = len(context.events)
        await running.publish(case.traffic)
        _require(
            len(context.events) > before or not quiet.events,
            "After garbage, good messages make no events any more",
        )
        _require(context.broker.unacknowledged == 0, "Garbage is left unacknowledged for ever")
    for rejected in context.rejects:
        _require(
            _REASON.fullmatch(rejected.reason),
            f"The reason {rejected.reason!r} is not of the form 'code: words'",
        )


async def never_tells_secrets(case: MqttCase) -> None:
    """No code that occurs in the input reaches an event, a state, a cursor, a reject or the log."""
    context = _context(case)
    async with _running(context, case.vendor) as running:
        await running.publish(case.greeting)
        await running.publish(case.traffic)
        for each in case.traffic:  # cut short, so that it must be rejected
            await running.publish([Publication(each.topic, each.payload[:-1])])
    told = b"\n".join(_everything_told(context)).decode("utf-8", "replace")
    for secret in case.secrets:
        _require(secret not in told, f"The planted secret {secret[:2]}... got out")


def _everything_told(context: FakeContext) -> list[bytes]:
    told = [encode_draft(event) for event in context.events]
    for batch in context.batches:
        told += [encode_json(value) for value in batch.cursor.values()]
        told += [encode_state(each) for each in batch.state.values() if each is not None]
    for rejected in context.rejects:
        told += [rejected.raw, rejected.reason.encode(), (rejected.topic or "").encode()]
    told += [line.encode() for line in context.log_lines]
    told += [reason.encode() for reason in (*context.degraded, context.class_reason)]
    return told


async def acknowledges_only_what_is_stored(case: MqttCase) -> None:
    """The broker hears of nothing before it is on disk, and of everything after."""
    context = _context(case, store_at_once=False)
    broker = context.broker
    async with _running(context, case.vendor) as running:
        await _store_all(running, len(case.greeting))
        await running.publish(case.traffic)
        waiting = context.waiting_deliveries()
        _require(
            waiting or not context.waiting,
            "What comes from QoS 1 messages is submitted without their delivery",
        )
        _require(
            waiting.isdisjoint(broker.acknowledged_ids),
            "A message was acknowledged to the broker before its batch was stored",
        )
        await _store_all(running, len(case.traffic))
        _require(broker.unacknowledged == 0, "A stored message stays unacknowledged for ever")


async def _store_all(running: _Running, messages: int) -> None:
    """Store whatever waits, often enough for a driver that submits one message after another."""
    for _ in range(messages + 10):
        running.context.store()
        await running.settle()


async def reports_changes_only_against_stored_state(case: MqttCase) -> None:
    """The same messages again, also after a restart, change nothing."""
    context = _context(case)
    async with _running(context, case.vendor) as running:
        await running.publish(case.traffic)
        await running.publish(case.traffic[-1:])
        last = _changes(context)
        await running.publish(case.traffic[-1:])
        _require(_changes(context) == last, "A message repeated word by word is a change again")
    again = context.restarted()
    async with _running(again, case.vendor) as running:
        last = _changes(again)
        await running.publish(case.traffic[-1:])
    _require(_changes(again) == last, "After a restart, a state that was stored is a change again")


def _changes(context: FakeContext) -> int:
    return sum(isinstance(event.data, _STATE_CHANGES) for event in context.events)


Check = Callable[[MqttCase], Awaitable[None]]

CHECKS: tuple[Check, ...] = (
    the_manifest_is_sane,
    emits_only_declared_and_valid_events,
    stops_when_cancelled,
    survives_garbage,
    never_tells_secrets,
    acknowledges_only_what_is_stored,
    reports_changes_only_against_stored_state,
)
