"""What waits for one chat: rows of the outbox, put together where one message tells them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from notify import notices
from store.outbox import Message

DROP_MS = 24 * 3_600_000
EDIT_SECONDS = 1.5
TRADE = "trade_event"
UNTOLD = frozenset({"position_opened", "position_closed"})
"""What the card of the arbitrage says anyway."""


class Lane(IntEnum):
    """What goes first."""

    CRITICAL = 0
    RESULT = 1
    PROGRESS = 2


@dataclass(slots=True)
class Job:
    """One message to be: `ids` are the rows it tells, `subject` what it is edited for through its
    life (None: a message of its own). `again` says that a try of it may have arrived."""

    topic: str
    payload: Mapping[str, object]
    subject: str | None
    lane: Lane
    created_ms: int
    ids: list[int] = field(default_factory=list)
    attempts: int = 0
    again: bool = False

    @property
    def order(self) -> tuple[int, int]:
        """Lane first, then age."""
        return self.lane, self.ids[0] if self.ids else 0

    @property
    def key(self) -> str:
        """What it shares with later rows that the same message tells."""
        return self.subject or f"row/{self.ids[0]}"


@dataclass(slots=True)
class Queue:
    """The jobs of one chat, one per key."""

    jobs: dict[str, Job] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    """When a message of a key left last (monotonic seconds)."""
    told: list[int] = field(default_factory=list)
    """Rows that need no message of their own, to be noted with the next one that leaves."""

    def take_in(self, row: Message) -> None:
        """A row joins the job that waits for its subject, which then tells the newest of them."""
        if row.topic in UNTOLD:
            self.told.append(row.id)
            return
        job = job_of(row)
        waiting = self.jobs.get(job.key)
        if waiting is None:
            self.jobs[job.key] = job
            return
        waiting.ids.append(row.id)
        waiting.payload = row.payload
        waiting.lane = min(waiting.lane, job.lane)

    def refresh(self, arb_id: str, now_ms: int) -> None:
        """The card of an arbitrage is to be written anew, without a row that asks for it."""
        if arb_id not in self.jobs:
            payload = {"arb_id": arb_id}
            self.jobs[arb_id] = Job(TRADE, payload, arb_id, Lane.PROGRESS, now_ms)

    def put_back(self, job: Job) -> None:
        """A job that did not arrive; what came for its key meanwhile is told with it."""
        newer = self.jobs.get(job.key)
        if newer is not None:
            job.ids += newer.ids
            job.payload = newer.payload
            job.lane = min(job.lane, newer.lane)
        self.jobs[job.key] = job

    def next(self, now: float) -> Job | None:
        """The first that may leave by now (monotonic seconds)."""
        ready = [job for job in self.jobs.values() if self._due(job) <= now]
        return min(ready, key=lambda job: job.order, default=None)

    def due(self) -> float | None:
        """When the next one may leave; None where nothing waits."""
        return min((self._due(job) for job in self.jobs.values()), default=None)

    def _due(self, job: Job) -> float:
        return self.last.get(job.key, 0.0) + EDIT_SECONDS

    def oldest_ms(self) -> int | None:
        """When the row that waits longest was written."""
        return min((job.created_ms for job in self.jobs.values() if job.ids), default=None)


def job_of(row: Message) -> Job:
    """The job that tells one row."""
    subject, lane = None, Lane.RESULT
    match row.topic:
        case "trade_event":
            subject = str(row.payload["arb_id"])
        case notices.ALARM:
            subject = f"alarm/{row.payload['alarm_id']}"
            loud = row.payload["severity"] == "red" and row.payload["state"] == "open"
            lane = Lane.CRITICAL if loud else Lane.RESULT
        case notices.HALTED:
            lane = Lane.CRITICAL
        case notices.HEARTBEAT:
            lane = Lane.PROGRESS
    return Job(row.topic, row.payload, subject, lane, row.created_ms, [row.id])
