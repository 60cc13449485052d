"""Whatever happens to an outbox in whatever order, it agrees with the plain model after each step.

Two sinks, two vendors, routes that change, crashes in the middle of a commit. After each step:
both identities close, also when counted from the rows; sequences and positions have no gaps.
"""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from latchway.outbox import (
    Batch,
    LaneProgress,
    Match,
    NewEvent,
    NewReject,
    Redelivery,
    ReplayWindow,
    Transaction,
    Voiding,
)
from latchway.outbox import connection as connections
from latchway.schemas import LaneClass, Priority, VoidReason
from support.outbox_builders import OutboxFolder
from support.outbox_model import PlainOutbox

VENDORS = ("nuki", "zigbee2mqtt")
PRIORITIES = (Priority.ACCESS, Priority.TELEMETRY)

# Routes by version: which sinks an event of a priority goes to. The last one changes them.
ROUTES = (
    {Priority.ACCESS: ("cloud", "file"), Priority.TELEMETRY: ("cloud",)},
    {Priority.ACCESS: ("file",), Priority.TELEMETRY: ()},
    {Priority.ACCESS: ("cloud", "cloud"), Priority.TELEMETRY: ("file", "cloud")},
)

drafts = st.tuples(
    st.sampled_from(PRIORITIES),
    st.one_of(st.none(), st.integers(1, 12)),  # the index in a lock's log, if it has one
)
values = st.binary(min_size=1, max_size=3)
redeliveries = st.builds(Redelivery, st.just(1), st.sampled_from([b"one", b"two"]), st.booleans())
batches = st.fixed_dictionaries(
    {
        "vendor": st.sampled_from(VENDORS),
        "drafts": st.lists(drafts, max_size=4),
        "rejects": st.lists(st.booleans(), max_size=2),
        "refused": st.integers(0, 2),
        "states": st.dictionaries(st.sampled_from("ab"), st.none() | values, max_size=2),
        "cursors": st.dictionaries(st.sampled_from(["", "log"]), values, max_size=1),
        "redelivery": st.none() | redeliveries,
        "forget_deliveries": st.sampled_from([False, False, False, True]),
    }
)


class OutboxMachine(RuleBasedStateMachine):
    """Drives a real outbox on a real file, and the model beside it."""

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="outbox-machine-"))
        self.runner = asyncio.Runner()
        self.model = PlainOutbox()
        self.route_version = 0
        self.event_count = 0
        self.images = 0
        self.quiet_commits = 0
        """Since it was opened: crashes wait for some, so that they are not all that happens."""
        self.unsaid: list[LaneProgress] = []
        """Progress that rides in the next commit, and is lost in a crash."""

    @initialize()
    def start(self):
        self.folder = OutboxFolder(self.root, window=ReplayWindow(seconds=0.0))
        self.open()

    def teardown(self):
        self.close()
        self.runner.close()
        shutil.rmtree(self.root)

    def open(self):
        self.stack = AsyncExitStack()
        opening = self.stack.enter_async_context(self.folder.open(self.model.epoch))
        self.box = self.runner.run(opening)
        self.quiet_commits = 0

    def close(self):
        self.runner.run(self.stack.aclose())

    # --- what is done to it

    @rule(asked=st.lists(batches, min_size=1, max_size=3))
    def append(self, asked):
        transaction = Transaction(tuple(map(self.build, asked)), tuple(self.unsaid))
        committed = self.runner.run(self.box.outbox.commit(transaction))
        in_vain = self.apply_to_model(transaction)
        self.unsaid.clear()
        self.quiet_commits += 1

        assert [position.number for _, position in committed.not_replayable] == in_vain
        for delivery in committed.deliveries:
            lane = self.model.lanes[(delivery.lane, delivery.position.epoch)]
            number = lane.sequence[delivery.position.number]
            assert self.model.events[number] == (delivery.sequence, delivery.event.id)

    @precondition(lambda self: self.model.lanes)
    @rule(data=st.data())
    def acknowledge_out_of_order(self, data):
        key, lane = self.draw_lane(data)
        waiting = lane.waiting() or [1]
        numbers = data.draw(st.lists(st.sampled_from(waiting), min_size=1, max_size=6))
        self.unsaid.append(LaneProgress(*key, acknowledged=tuple(numbers)))

    @precondition(lambda self: self.model.lanes)
    @rule(data=st.data(), reason=st.just(VoidReason.PARKED) | st.sampled_from(VoidReason))
    def void(self, data, reason):
        key, lane = self.draw_lane(data)
        numbers = data.draw(st.sets(st.sampled_from(sorted(lane.fate)), min_size=1, max_size=3))
        voiding = Voiding(reason, data.draw(st.sampled_from(["", "no"])))
        self.unsaid.append(LaneProgress(*key, voided=dict.fromkeys(numbers, voiding)))

    @precondition(lambda self: self.model.lanes)
    @rule(data=st.data())
    def withdraw_all_of_a_lane(self, data):
        key, lane = self.draw_lane(data)
        voided = dict.fromkeys(lane.waiting(), Voiding(VoidReason.WITHDRAWN, "route removed"))
        self.unsaid.append(LaneProgress(*key, voided=voided))

    @precondition(lambda self: self.model.lanes)
    @rule(data=st.data())
    def replay(self, data):
        key, lane = self.draw_lane(data)
        fates = data.draw(st.sampled_from([("parked",), ("acknowledged",), ("parked", "dropped")]))
        done = [number for number, fate in lane.fate.items() if fate in fates] or [1]
        numbers = data.draw(st.sets(st.sampled_from(done), min_size=1, max_size=4))
        self.unsaid.append(LaneProgress(*key, replayed=tuple(sorted(numbers))))

    @rule(version=st.sampled_from(range(len(ROUTES))))
    def change_routes(self, version):
        self.route_version = version

    @rule()
    def prune(self):
        before = len(self.model.stored())
        removed = self.runner.run(self.box.outbox.prune())
        self.model.prune()

        assert removed == before - len(self.model.stored())

    @rule()
    def commit_progress_alone(self):
        self.append([])

    @precondition(lambda self: self.quiet_commits >= 2)
    @rule(new_epoch=st.booleans())
    def reopen(self, new_epoch):
        self.close()
        self.model.epoch += new_epoch
        self.open()

    @precondition(lambda self: self.quiet_commits >= 2)
    @rule(asked=st.lists(batches, min_size=1, max_size=2), part=st.none() | st.floats(0, 0.999))
    def crash(self, asked, part):
        """Between two commits, or, if `part` is given, when that part of one was written."""
        image = self.take_image() if part is None else self.take_torn_image(asked, part)
        self.close()
        self.unsaid.clear()
        self.folder.folder = image
        self.open()

    # --- how it is done

    def build(self, asked):
        return Batch(
            asked["vendor"],
            events=tuple(self.event(asked["vendor"], *draft) for draft in asked["drafts"]),
            rejects=tuple(NewReject("schema", "why", b"x", keep=keep) for keep in asked["rejects"]),
            refused=asked["refused"],
            states=asked["states"],
            cursors=asked["cursors"],
            redelivery=asked["redelivery"],
            forget_deliveries=asked["forget_deliveries"],
        )

    def event(self, vendor, priority, log_index):
        self.event_count += 1
        lane_class = LaneClass.of(priority)
        return NewEvent(
            id=f"{vendor}-log-{log_index}" if log_index else f"event-{self.event_count}",
            type="io.latchway.access.granted.v1",
            device=None,
            priority=priority,
            attributes={"specversion": "1.0"},
            data=b"{}",
            matches=tuple(
                Match(sink, lane_class, "route", self.route_version)
                for sink in ROUTES[self.route_version][priority]
            ),
            dedupe=log_index is not None,
        )

    def apply_to_model(self, transaction):
        for batch in transaction.batches:
            self.model.apply(batch)
        return [
            number for progress in transaction.progress for number in self.model.progress(progress)
        ]

    def draw_lane(self, data):
        key = data.draw(st.sampled_from(sorted(self.model.lanes)))
        return key, self.model.lanes[key]

    def take_image(self):
        self.images += 1
        image = self.root / f"image-{self.images}"
        image.mkdir()
        for path in (self.box.path, connections.wal_path(self.box.path)):
            shutil.copy(path, image / path.name)
        return image

    def take_torn_image(self, asked, part):
        wal = connections.wal_path(self.box.path)
        transaction = Transaction(tuple(map(self.build, asked)), tuple(self.unsaid))
        before = wal.stat().st_size
        self.runner.run(self.box.outbox.commit(transaction))
        after = wal.stat().st_size
        image = self.take_image()
        with connections.wal_path(image / "outbox.db").open("r+b") as torn:
            torn.truncate(before + int(part * (after - before)))
        if after == before:  # nothing was torn: the WAL had begun anew
            self.apply_to_model(transaction)
        return image

    # --- what holds after each step

    @invariant()
    def both_identities_close_and_agree_with_the_rows_and_the_model(self):
        account = self.runner.run(self.box.closed_account())

        assert {
            line.vendor: {
                name: getattr(line, name)
                for name in ("received", "stored", "duplicate", "rejected", "refused")
                if getattr(line, name)
            }
            for line in account.intake
        } == {vendor: dict(+counts) for vendor, counts in self.model.intake.items()}
        assert {(line.lane, line.epoch): line.routed for line in account.lanes} == {
            key: len(lane.fate) for key, lane in self.model.lanes.items()
        }
        for line in account.lanes:
            fates = list(self.model.lanes[(line.lane, line.epoch)].fate.values())
            for name in ("acknowledged", "waiting", *VoidReason):
                assert getattr(line, name) == fates.count(str(name))

    @invariant()
    def positions_have_no_gaps_and_exactly_the_waiting_ones_are_delivered(self):
        statuses = {(one.lane, one.epoch): one for one in self.box.outbox.lanes()}
        assert statuses.keys() == self.model.lanes.keys()
        for key, lane in self.model.lanes.items():
            status = statuses[key]
            assert list(lane.fate) == list(range(1, status.next_number))
            done = [number for number, fate in lane.fate.items() if fate != "waiting"]
            assert list(status.done) == done
            assert status.waiting == len(lane.waiting())
            found = self.runner.run(self.box.reader.deliveries(*key, 0, 10_000))
            assert [one.position.number for one in found] == lane.waiting()
            for one in found:
                sequence = lane.sequence[one.position.number]
                assert (one.sequence, one.event.id) == self.model.events[sequence]

    @invariant()
    def sequences_have_no_gaps(self):
        found = self.runner.run(self.box.reader.events(10_000))

        assert [(one.sequence, one.event.id) for one in reversed(found)] == self.model.stored()
        assert list(self.model.events) == list(range(1, len(self.model.events) + 1))

    @invariant()
    def states_and_cursors_are_the_last_ones(self):
        for vendor in VENDORS:
            states = self.runner.run(self.box.outbox.states(vendor))
            cursors = self.runner.run(self.box.outbox.cursors(vendor))
            assert states == {
                device: value
                for (owner, device), value in self.model.states.items()
                if owner == vendor and value is not None
            }
            assert cursors == {
                name: value
                for (owner, name), value in self.model.cursors.items()
                if owner == vendor
            }


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestOutboxMachine.pytestmark = pytest.mark.timeout(900)  # shrinking a failure takes minutes
