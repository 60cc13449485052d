"""The conversation with Zigbee2MQTT: connect, subscribe, store what is heard, ask locks.

Each broker message becomes one submit, pipelined; it is acknowledged to the broker when that is
stored. What a message means is decided by `fleet`, which knows nothing of connections.
"""

from __future__ import annotations

import asyncio
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from latchway.drivers.contract import DeliveryClass
from latchway.drivers.errors import (
    MqttDisconnected,
    MqttError,
    MqttRefused,
    MqttUnreachable,
    PayloadInvalid,
)
from latchway.drivers.transport.mqtt import PublishProperties
from latchway.drivers.zigbee2mqtt.attributes import Moment
from latchway.drivers.zigbee2mqtt.backoff import Backoff
from latchway.drivers.zigbee2mqtt.bridge import BridgeInfo
from latchway.drivers.zigbee2mqtt.coverage import COVERAGE, Coverage
from latchway.drivers.zigbee2mqtt.devices import DeviceList
from latchway.drivers.zigbee2mqtt.fleet import Fleet, Outcome
from latchway.drivers.zigbee2mqtt.manifest import Zigbee2MqttConfig
from latchway.drivers.zigbee2mqtt.protocol import ASK_STATE, BridgeOnline, LockSaid, decode
from latchway.drivers.zigbee2mqtt.reads import ReadQueue
from latchway.drivers.zigbee2mqtt.redaction import without_secrets
from latchway.drivers.zigbee2mqtt.strangers import Strangers, reason
from latchway.drivers.zigbee2mqtt.topics import Address, Place, Topics
from latchway.drivers.zigbee2mqtt.watch import Watch
from latchway.schemas import DeviceId, EventDraft

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from latchway.drivers.contract import BrokerDelivery, DriverContext, Receipt
    from latchway.drivers.transport.mqtt import MqttClient, MqttMessage, MqttSettings
    from latchway.drivers.zigbee2mqtt.protocol import Message

CLIENT_ID = "client_id"
"""Cursor that holds the client id that the session at the broker belongs to."""
_QUESTION_EXPIRES_S = 30
_DEVICES_PER_BATCH = 32
"""So that a batch about every lock fits into a frame, however long their names are."""
_UNDECODED = (Place.BRIDGE_LOGGING, Place.BRIDGE_RESPONSE)


class Zigbee2MqttDriver:
    """Talks to one Zigbee2MQTT for as long as the worker lives."""

    def __init__(self, random: Random | None = None) -> None:
        self._random = random or SystemRandom()

    async def run(self, context: DriverContext) -> None:
        """Talk to the locks until cancelled."""
        config = context.config
        if not isinstance(config, Zigbee2MqttConfig):
            raise TypeError(f"{type(config).__name__} is not the config of this driver")
        settings = config.connection(await self._client_id(context))
        conversation = _Conversation(context, config, settings, Backoff(self._random))
        watch = conversation.watch(Backoff(self._random))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(conversation.keep_time())
            tasks.create_task(conversation.keep_connected())
            tasks.create_task(watch.run())

    async def _client_id(self, context: DriverContext) -> str:
        stored = context.cursor(CLIENT_ID)
        if isinstance(stored, str):
            return stored
        made_up = f"latchway-{context.vendor}-{self._random.getrandbits(48):012x}"
        await context.emit(cursor={CLIENT_ID: made_up})
        return made_up


class _Conversation:
    """The state that outlives a connection."""

    def __init__(
        self,
        context: DriverContext,
        config: Zigbee2MqttConfig,
        settings: MqttSettings,
        backoff: Backoff,
    ) -> None:
        self._context = context
        self._settings = settings
        self._backoff = backoff
        self._topics = Topics(config.base_topic)
        self._fleet = Fleet(context.devices(), context.cursor)
        keeps_session = not settings.clean_start and settings.session_expiry_s > 0
        self._coverage = Coverage(context.cursor(COVERAGE), keeps_session=keeps_session)
        self._fleet.covered_until = self._coverage.until
        self._strangers = Strangers()
        self._reads = ReadQueue(context.clock, config.pacing_s)
        # Messages and timers change the same trackers; their submits must keep that order.
        self._turn = asyncio.Lock()
        self._subscribed: set[str] = set()
        self._trouble: str | None = None
        self._degraded: tuple[str, ...] = ()
        self._remarked: set[str] = set()
        self._sooner = asyncio.Event()
        self._wakes_at: float | None = None

    def watch(self, backoff: Backoff) -> Watch:
        """Make what hears devices that the bridge does not list."""
        return Watch(
            self._context,
            self._settings,
            self._topics,
            self._fleet,
            self._strangers,
            backoff,
        )

    # ---- time

    async def keep_time(self) -> None:
        """Let what waits for time happen in time."""
        while True:
            self._sooner.clear()
            self._wakes_at = self._fleet.deadline
            if self._wakes_at is None:
                await self._sooner.wait()
                continue
            await self._sleep_until(self._wakes_at)
            async with self._turn:
                outcome = self._fleet.expire(self._moment())
                if outcome:
                    await self._store(outcome)

    async def _sleep_until(self, deadline: float) -> None:
        sleep = asyncio.ensure_future(
            self._context.clock.sleep(deadline - self._context.clock.monotonic())
        )
        sooner = asyncio.ensure_future(self._sooner.wait())
        try:
            await asyncio.wait((sleep, sooner), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            sooner.cancel()

    def _plan(self, deadline: float | None) -> None:
        if deadline is not None and (self._wakes_at is None or deadline < self._wakes_at):
            self._sooner.set()

    # ---- connections

    async def keep_connected(self) -> None:
        """Connect, talk, and connect anew, for ever."""
        while True:
            try:
                async with self._context.mqtt(self._settings) as client:
                    await self._talk(client)
            except* (MqttUnreachable, MqttRefused, MqttDisconnected) as errors:
                error = next(_leaves(errors))
                self._trouble = f"no connection to the local broker: {error}"
                self._context.log.warning("%s; trying again", error)
            self._subscribed.clear()
            self._report()
            await self._context.clock.sleep(self._backoff.next_s())

    async def _talk(self, client: MqttClient) -> None:
        async with self._turn:
            await self._open(client)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._reads.run(lambda device: self._ask(client, device)))
            tasks.create_task(self._listen(client))

    async def _open(self, client: MqttClient) -> None:
        """Subscribe, and say what may be missing.

        Also in a resumed session, so that the broker repeats what it retains.
        """
        if not client.session_present:
            self._strangers.leave_none()
            await self._context.forget_deliveries()
        moment = self._moment()
        gap = self._coverage.connected(moment, session_present=client.session_present)
        self._fleet.gap_of_renames = self._coverage.under_new_names
        missed = Outcome() if gap is None else self._fleet.miss()
        if gap is not None:
            missed.events.append(EventDraft(gap))
        missed.cursors |= self._coverage.note(moment, at_once=True)
        if missed:
            await self._store(missed)
        await client.subscribe(*((topic, 1) for topic in self._topics.of_bridge()))
        await self._subscribe(client)
        self._backoff.reset()
        self._trouble = None
        where = f"{self._settings.host}:{self._settings.port}"
        known = len(self._fleet.trackers)
        self._context.log.info("connected to the broker at %s; locks known: %d", where, known)
        self._report()

    async def _subscribe(self, client: MqttClient) -> None:
        """Subscribe to the locks that are known and not subscribed to yet."""
        wanted = [topic for name in self._fleet.names for topic in self._topics.of_lock(name)]
        new = [topic for topic in wanted if topic not in self._subscribed]
        if new:
            self._subscribed.update(new)
            await client.subscribe(*((topic, 1) for topic in new))

    async def _listen(self, client: MqttClient) -> None:
        async for message in client.messages:
            async with self._turn:
                await self._hear(client, message)

    async def _ask(self, client: MqttClient, device: DeviceId) -> bool:
        tracker = self._fleet.trackers.get(device)
        if tracker is None or not self._fleet.can_ask(tracker):
            return False
        tracker.asked(self._moment())
        expiry = PublishProperties(message_expiry_s=_QUESTION_EXPIRES_S)
        await client.publish(self._topics.get(device), ASK_STATE, qos=0, properties=expiry)
        return True

    # ---- messages

    async def _hear(self, client: MqttClient, message: MqttMessage) -> None:
        address = self._topics.place(message.topic, self._fleet.names)
        moment = self._moment()
        try:
            decoded, outcome = self._understand(address, message, moment)
        except PayloadInvalid as error:
            await self._refuse(client, message, address, f"{error.code}: {error.reason}")
        except Exception as error:
            # The broker would deliver it again to the next worker, and to the one after that:
            # a fault of ours in reading one message must not end all of them.
            self._context.log.exception("a message on %s cannot be read: our fault", message.topic)
            reason = f"internal_error: {type(error).__name__} while reading it; please report this"
            await self._refuse(client, message, address, reason)
        else:
            if address.place is Place.UNKNOWN and message.payload:
                await self._hear_stranger(client, message, address)
            else:
                await self._follow_up(client, message, decoded, outcome)

    def _understand(
        self, address: Address, message: MqttMessage, moment: Moment
    ) -> tuple[Message | None, Outcome]:
        decoded = decode(address, message.payload)
        if decoded is None:
            return None, Outcome()
        outcome = self._fleet.take(decoded, moment, retained=message.retain)
        if isinstance(decoded, LockSaid) and not message.retain:
            self._note_quality(address.name, message.qos, moment, outcome)
            if self._fleet.names[address.name].unknown_words:
                self._remark(self._fleet.remarks())
        if isinstance(decoded, DeviceList | BridgeInfo):
            self._strangers.know(self._fleet.listed, moment.monotonic)
        return decoded, outcome

    async def _follow_up(
        self, client: MqttClient, message: MqttMessage, decoded: Message | None, outcome: Outcome
    ) -> None:
        later: list[DeviceId] = []
        if outcome.names_changed:
            # Asked before its topic is subscribed to, a lock would answer to nobody.
            later, outcome.ask = outcome.ask, later
        if isinstance(decoded, DeviceList) and decoded.unreadable:
            await self._store(outcome)
            address = self._topics.place(message.topic, self._fleet.names)
            await self._refuse(client, message, address, f"wrong_type: {decoded.unreadable[0]}")
        else:
            await self._store_heard(client, message, decoded, outcome)
        if outcome.names_changed:
            self._coverage.keep(self._fleet.names)
            await self._subscribe(client)
            self._reads.add(later)
        if outcome.names_changed or outcome.options_changed or isinstance(decoded, BridgeOnline):
            self._report()

    async def _store_heard(
        self, client: MqttClient, message: MqttMessage, decoded: Message | None, outcome: Outcome
    ) -> None:
        delivery = message.delivery
        if not outcome and delivery is None:
            self._follow(outcome)
            return
        receipt = await self._store(outcome, delivery)
        _acknowledge_when_stored(client, message, receipt)
        if not (message.duplicate and isinstance(decoded, LockSaid)):
            return
        tracker = self._fleet.names[decoded.name]
        if tracker.join.held is not None and (await receipt).duplicate:
            # Its event was held, and sent, before we were restarted.
            tracker.join.discard()

    async def _hear_stranger(
        self, client: MqttClient, message: MqttMessage, address: Address
    ) -> None:
        """A subscription of an earlier name still stands; the name may be another device's now."""
        if self._fleet.knows_other(address.name):
            await self._store_heard(client, message, None, Outcome())
            return
        self._strangers.leave(address.name)
        await self._refuse(client, message, address, reason(address.name))

    async def _refuse(
        self, client: MqttClient, message: MqttMessage, address: Address, reason: str
    ) -> None:
        """Keep what could not be read, without codes; then ask the lock: its state may be new."""
        raw = b"" if address.place in _UNDECODED else without_secrets(message.payload)
        tracker = self._fleet.names.get(address.name)
        receipt = await self._context.reject(
            raw,
            reason,
            topic=message.topic,
            device=None if tracker is None else tracker.device,
            delivery=message.delivery,
        )
        _acknowledge_when_stored(client, message, receipt)
        if tracker is not None and address.place is Place.LOCK:
            self._reads.add([tracker.device])

    def _note_quality(self, name: str, qos: int, moment: Moment, outcome: Outcome) -> None:
        changed = self._coverage.hear(name, qos, moment)
        if changed:
            self._report()
        outcome.cursors |= self._coverage.note(moment, at_once=changed)

    # ---- output

    async def _store(self, outcome: Outcome, delivery: BrokerDelivery | None = None) -> Receipt:
        """Submit an outcome, in parts if it is about very many locks."""
        self._follow(outcome)
        *first, last = outcome.parts(_DEVICES_PER_BATCH)
        for part in first:
            await self._context.submit(*part.events, cursor=part.cursors, state=part.states)
        return await self._context.submit(
            *last.events,
            cursor=last.cursors or None,
            state=last.states or None,
            delivery=delivery,
        )

    def _follow(self, outcome: Outcome) -> None:
        self._reads.add(outcome.ask)
        self._plan(outcome.deadline)

    def _report(self) -> None:
        """Say what cannot be promised now, if that has changed."""
        reasons = []
        if self._trouble is not None:
            reasons.append(self._trouble)
        elif self._fleet.online is False:
            reasons.append("the bridge is offline; start Zigbee2MQTT")
        if self._coverage.session_forgotten:
            reasons.append(
                "the broker forgot our session, and what it kept for us; "
                "set `persistence true` in mosquitto.conf"
            )
        findings = self._fleet.findings(self._coverage.heard_qos)
        reasons += [str(finding) for finding in findings if finding.weakens]
        if tuple(reasons) != self._degraded:
            self._degraded = tuple(reasons)
            self._context.report_degraded(reasons)
        self._remark([f"advice: {finding}" for finding in findings if not finding.weakens])
        self._remark(self._fleet.remarks())
        self._report_class()

    def _remark(self, remarks: Iterable[str]) -> None:
        """Log what was not logged before."""
        for remark in remarks:
            if remark not in self._remarked:
                self._remarked.add(remark)
                self._context.log.info("%s", remark)

    def _report_class(self) -> None:
        delivery_class, reason = self._coverage.judge()
        self._context.report_delivery_class(DeliveryClass(delivery_class), reason)

    def _moment(self) -> Moment:
        clock = self._context.clock
        return Moment(clock.now(), clock.monotonic())


def _acknowledge_when_stored(client: MqttClient, message: MqttMessage, receipt: Receipt) -> None:
    if message.qos == 0:
        return

    def acknowledge(stored: Receipt) -> None:
        if stored.stored():
            client.acknowledge(message)

    receipt.add_done_callback(acknowledge)


def _leaves(group: BaseExceptionGroup[MqttError]) -> Iterator[MqttError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
