"""How the demo ends: the hub's account beside the cloud's verdict, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latchway.outbox import Account
    from latchway.schemas import Verdict


@dataclass(frozen=True, slots=True)
class Closing:
    """The figures that decide whether the demo held what Latchway promises."""

    happened: int
    """Times that a bolt was moved, or somebody was refused, by the locks' own diary."""
    received_from_locks: int
    stored: int
    duplicates_at_intake: int
    rejected: int
    acknowledged: int
    waiting: int
    received: int
    """Different events that the cloud has."""
    missing: int
    """Positions that the cloud lacks, and happenings that became no event."""
    unexpected: int
    duplicates: int
    """Events that the cloud was sent again, each with the same id and content."""
    account_difference: int
    broker: str
    worker_kills: int
    cloud_cuts: int

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        wrong = self.missing or self.unexpected or self.account_difference or self.waiting
        return self.received > 0 and not wrong

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps({"holds": self.holds, **asdict(self)}, separators=(",", ":"))

    def verdict_lines(self) -> Iterator[str]:
        """Say what the cloud found, in words."""
        yield (
            f"cloud    received {self.received}, missing {self.missing}, "
            f"unexpected {self.unexpected}, duplicates {self.duplicates}"
        )
        if self.holds:
            yield (
                f"All {self.happened} entries in the locks' diaries and all {self.received} events "
                f"reached the cloud, through {_times(self.cloud_cuts, 'cut')} of the cloud and "
                f"{_times(self.worker_kills, 'kill')} of the worker."
            )
        else:
            yield "The demo does NOT hold: see the figures above, and please report it."


def close(story: Story, account: Account, verdict: Verdict) -> Closing:
    """Put the locks' diary, the hub's account and the cloud's verdict together."""
    return Closing(
        happened=story.happened,
        received_from_locks=sum(line.received for line in account.intake),
        stored=sum(line.stored for line in account.intake),
        duplicates_at_intake=sum(line.duplicate for line in account.intake),
        rejected=sum(line.rejected for line in account.intake),
        acknowledged=sum(line.acknowledged for line in account.lanes),
        waiting=sum(line.waiting for line in account.lanes),
        received=verdict.received,
        missing=verdict.missing_count + story.lost,
        unexpected=verdict.unexpected + verdict.conflicting + story.foreign,
        duplicates=verdict.duplicates,
        account_difference=account.difference,
        broker=story.broker,
        worker_kills=story.worker_kills,
        cloud_cuts=story.cloud_cuts,
    )


@dataclass(slots=True)
class Story:
    """What the demo itself knows: what it did, and what the locks' diaries say."""

    broker: str
    happened: int = 0
    lost: int = 0
    foreign: int = 0
    worker_kills: int = 0
    cloud_cuts: int = 0


def account_lines(account: Account) -> Iterator[str]:
    """Return both identities, line by line, as they were recounted from the rows on disk."""
    for line in account.intake:
        yield (
            f"intake   {line.vendor}: received {line.received} = stored {line.stored} + duplicate "
            f"{line.duplicate} + rejected {line.rejected} + refused {line.refused}"
        )
    for lane in account.lanes:
        rest = {
            "waiting": lane.waiting,
            "parked": lane.parked,
            "expired": lane.expired,
            "compacted": lane.compacted,
            "dropped": lane.dropped,
            "withdrawn": lane.withdrawn,
        }
        shown = "".join(f" + {name} {count}" for name, count in rest.items() if count)
        yield (
            f"delivery {lane.lane}: routed {lane.routed} = acknowledged {lane.acknowledged}"
            f"{shown or ' + nothing else'}"
        )
    yield f"account  difference {account.difference}"


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
