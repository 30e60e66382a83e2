"""The one reader of workflow queries: at its own pace, however many pages look on."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import QueryRejectCondition
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from domain.trade import Phase
from store.arbitrages import Unfinished
from workflows import names
from workflows.arbitrage import ArbitrageWorkflow
from workflows.handle import handle_of
from workflows.snapshot import Snapshot

log = logging.getLogger(__name__)

AT_ONCE = 8
QUERY_TIMEOUT = timedelta(milliseconds=800)
BUSY_MS = 220
RESTING_MS = 5_000
BACK_OFF_MS = 500
BACK_OFF_MS_MAX = 8_000
RESTING = frozenset({Phase.HOLDING})


@dataclass(slots=True)
class Tracked:
    """One open arbitrage. `snapshot` is None while no worker answers; `asked` says whether one
    was asked since the journal's last change."""

    found: Unfinished
    snapshot: Snapshot | None = None
    due_ms: int = 0
    running: bool = False
    asked: bool = False

    @property
    def phase(self) -> Phase:
        """By the workflow, else by the journal."""
        return self.snapshot.phase if self.snapshot else self.found.phase


class Queries:
    """Queries the workflows of open arbitrages: what executes 4 to 5 times a second, what is held
    every 5 s, at most AT_ONCE together and one per workflow. `changed(arb_id)` is called after
    an answer that says something new, and after the first that is missing."""

    def __init__(
        self, client: Client, clock_ms: Callable[[], int], changed: Callable[[str], None]
    ) -> None:
        self._client = client
        self._clock_ms = clock_ms
        self._changed = changed
        self._back_off_ms = 0
        self._not_before_ms = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.tracked: dict[str, Tracked] = {}
        self.asked = 0
        self.last_ms: int | None = None

    def follow(self, unfinished: tuple[Unfinished, ...]) -> list[str]:
        """Follow these and no others; what the journal changed is due at once. Returns the ids
        that are new or changed."""
        changed = []
        known = self.tracked
        self.tracked = {}
        for found in unfinished:
            one = known.get(found.arb_id) or Tracked(found, due_ms=0)
            if found.arb_id not in known or one.found != found:
                one.found, one.due_ms, one.asked = found, 0, False
                changed.append(found.arb_id)
            self.tracked[found.arb_id] = one
        return changed

    def lose(self) -> None:
        """No worker lives: what is known of the workflows is old."""
        for arb_id, one in self.tracked.items():
            if one.snapshot is not None:
                one.snapshot = None
                self._changed(arb_id)

    def start_due(self) -> None:
        """Start the queries that are due, as far as there is room."""
        now_ms = self._clock_ms()
        if now_ms < self._not_before_ms:
            return
        due = [one for one in self.tracked.values() if not one.running and one.due_ms <= now_ms]
        due.sort(key=lambda one: (one.phase in RESTING, one.due_ms))
        for one in due[: max(AT_ONCE - len(self._tasks), 0)]:
            one.running = True
            task = asyncio.create_task(self._ask(one))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End what runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ask(self, found: Unfinished) -> Snapshot | None:
        """The own word now of the workflow that carries it; None where no worker gives it."""
        arb_id = found.arb_id
        carrier = names.workflow_id(arb_id, found.adopted)
        handle = handle_of(self._client, carrier)
        self.asked += 1
        started_ms = self._clock_ms()
        try:
            said = await handle.query(
                ArbitrageWorkflow.snapshot,
                rpc_timeout=QUERY_TIMEOUT,
                reject_condition=QueryRejectCondition.NOT_OPEN,
            )
        except RPCError as error:
            if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
                self._slow_down()
            log.debug("%s did not answer: %s", arb_id, error)
            return None
        except TemporalError as error:
            log.info("%s did not answer: %s", arb_id, error)
            return None
        self._back_off_ms = 0
        self.last_ms = self._clock_ms() - started_ms
        return said

    async def _ask(self, one: Tracked) -> None:
        arb_id = one.found.arb_id
        try:
            found = await self.ask(one.found)
        finally:
            one.running = False
            pause = RESTING_MS if one.phase in RESTING else BUSY_MS
            one.due_ms = self._clock_ms() + pause
        before, one.snapshot = one.snapshot, found
        first, one.asked = not one.asked, True
        lost = (before is None) != (found is None)
        new = found is not None and before is not None and found.revision != before.revision
        if (lost or new or first) and self.tracked.get(arb_id) is one:
            self._changed(arb_id)

    def _slow_down(self) -> None:
        doubled = max(self._back_off_ms * 2, BACK_OFF_MS)
        self._back_off_ms = min(doubled, BACK_OFF_MS_MAX)
        self._not_before_ms = self._clock_ms() + self._back_off_ms
