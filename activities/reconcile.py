"""Compare journal, venues and workflows; repair what has one honest repair; tell a person the rest.

Nothing here trades. A report that could not be read whole changes nothing.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from temporalio import activity

from activities.adopt import Adopter, Workflows, WorkflowsUnreachable
from activities.desk import Desk
from activities.messages import Activity
from activities.stopping import WorkerStops, unless_stopping
from domain.order import Filled
from domain.reconcile import (
    AccountView,
    AppendFill,
    Difference,
    Finding,
    VoidFill,
    cash_key,
    reconcile,
)
from domain.venue import Mode, Venue
from store import anchors, findings, reconciliation
from store.alarms import Alarm, close, raise_alarm
from store.errors import JournalConflict
from store.states import IntentState, Severity
from venues.port import VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)

IDLE_MS = 5 * 60_000
YOUNG_MS = 15_000
"""A workflow that is younger may not have reached the gate yet."""
REPAIRED = {AppendFill: "MISSING_FILL", VoidFill: "FAILED_FILL"}
"""What needs no person, as it is counted."""
REJECTED = "reconcile_rejected"
REJECTIONS_MAX = 3
"""So many reports in a row that did not count close entries until one counts again."""


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """What one comparison came to. `rejected` says why it does not count; `findings` are for a
    person."""

    rejected: str | None
    repaired: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


class Reconciler:
    """One executor's comparisons. `settle_ms` is how long after the last change a venue's lists,
    positions and cash must show it."""

    def __init__(
        self, desk: Desk, workflows: Workflows, adopter: Adopter, mode: Mode, settle_ms: int
    ) -> None:
        self._desk = desk
        self._workflows = workflows
        self._adopter = adopter
        self._mode = mode
        self._settle_ms = settle_ms
        self._suspected: frozenset[Finding] = frozenset()
        self._turn = asyncio.Lock()
        self._done_ms = 0
        self._was_clean = False
        self._rejections = 0
        for kind in REPAIRED.values():  # what a graph waits for is there from the start, at zero
            desk.tally.count("arb_differences", 0, kind=kind)

    @property
    def trusted(self) -> bool:
        """Whether one report was clean and the venues are still being read."""
        return self._was_clean and self._rejections < REJECTIONS_MAX

    def forget(self) -> None:
        """Another process takes care now: what was found here says nothing any more."""
        self._was_clean, self._suspected = False, frozenset()

    @activity.defn(name=Activity.RECONCILE)
    async def reconcile_if_due(self) -> str:
        """A comparison where anything is not final or the last one is old; says what came of it."""
        due = self._desk.wall_ms() - self._done_ms >= IDLE_MS
        if not due and not await self._desk.journal.read(
            lambda s: reconciliation.busy(s, self._mode)
        ):
            return "nothing moves"
        try:
            report = await unless_stopping(self.report())
        except WorkerStops:
            return "this executor stops: whoever sends next compares first"
        return report.rejected or f"repaired {report.repaired}, found {report.findings}"

    async def report(self) -> ReconcileReport:
        """Read everything, compare, repair, tell. One at a time."""
        async with self._turn:
            asked_ms = self._desk.wall_ms()
            try:
                accounts = await self._accounts(asked_ms)
                workflows = await self._old_workflows(asked_ms)
                await self._first_offsets(accounts)
                found = await self._compare(accounts, workflows)
            except (VenueUnreachable, VenueMisuse, WorkflowsUnreachable) as trouble:
                return await self._reject(str(trouble), asked_ms)
            repaired = await self._repair(found)
            try:
                repaired += await self._adopter.adopt_orphans()
            except WorkflowsUnreachable as trouble:
                return await self._reject(str(trouble), asked_ms)
            return await self._tell(found, repaired, asked_ms)

    async def _accounts(self, asked_ms: int) -> list[AccountView]:
        since_ms = await self._desk.journal.read(lambda s: reconciliation.list_since(s, asked_ms))
        return list(await asyncio.gather(*(self._account(v, since_ms, asked_ms) for v in Venue)))

    async def _account(self, venue: Venue, since_ms: int, asked_ms: int) -> AccountView:
        port = self._desk.venues[venue]
        lists, positions, cash = await asyncio.gather(
            port.activity(since_ms), port.positions(), port.cash()
        )
        return AccountView(venue, asked_ms, since_ms, lists.trades, lists.working, positions, cash)

    async def _old_workflows(self, asked_ms: int) -> dict[str, int]:
        running = await self._workflows.running()
        return {one: since for one, since in running.items() if since < asked_ms - YOUNG_MS}

    async def _first_offsets(self, accounts: list[AccountView]) -> None:
        """Before the first trade an account's own cash and positions are what they are."""
        known = await self._desk.journal.read(reconciliation.known)
        now_ms = self._desk.wall_ms()
        for one in accounts:
            if cash_key(one.venue) not in known:
                await self._desk.journal.write(
                    now_ms, partial(findings.accept_first, account=one, now_ms=now_ms)
                )

    async def _compare(
        self, accounts: list[AccountView], workflows: Mapping[str, int]
    ) -> tuple[Difference, ...]:
        """Twice where a position differs: its market may have been resolved."""
        keys = {t.key for one in accounts for t in one.trades if t.key}
        since_ms = min(one.since_ms for one in accounts)
        view = await self._desk.journal.read(
            lambda s: reconciliation.view(s, self._mode, keys, since_ms, self._settle_ms)
        )
        found = reconcile(view, accounts, workflows)
        drifting = {
            (one.venue, one.key.split(":", 2)[2].rpartition(":")[0])
            for one in found
            if isinstance(one, Finding) and one.code == "POSITION_DRIFT"
        }
        if not drifting:
            return found
        resolved = [one for one in drifting if await self._is_resolved(Venue(one[0]), one[1])]
        accounts = [
            replace(one, resolved=frozenset(market for v, market in resolved if v == one.venue))
            for one in accounts
        ]
        return reconcile(view, accounts, workflows)

    async def _is_resolved(self, venue: Venue, market: str) -> bool:
        known = await self._desk.journal.read(
            lambda s: reconciliation.instruments(s, venue, market)
        )
        return bool(known) and await self._desk.venues[venue].resolution(known[0]) is not None

    async def _repair(self, found: tuple[Difference, ...]) -> tuple[str, ...]:
        """Missing fills are appended and failed ones voided, from the venue's own exact rows."""
        for one in found:
            if not isinstance(one, Finding):
                self._desk.tally.count("arb_differences", kind=REPAIRED[type(one)])
        wanted = {one.intent_id for one in found if isinstance(one, AppendFill | VoidFill)}
        return tuple([name for name in sorted(wanted) if await self._ask_again(name)])

    async def _ask_again(self, intent_id: str) -> bool:
        desk, journal = self._desk, self._desk.journal
        intent = await journal.intent(intent_id)
        order, port = intent.order, desk.venues[intent.order.venue]
        now_ms = desk.wall_ms()
        try:
            if intent.state is IntentState.FILLED and isinstance(intent.answer, Filled):
                fresh = await port.refresh(order, intent.answer.fills)
                await journal.record_each_fill(fresh, now_ms)
            else:
                assert intent.sent_at_ms is not None, f"{intent_id} has a trade, never sent"
                sighting = await port.find(order, intent.identity, intent.sent_at_ms)
                if not isinstance(sighting.answer, Filled):
                    return False
                await journal.record_answer(intent_id, sighting.answer, now_ms)
        except (VenueUnreachable, VenueMisuse) as trouble:
            log.warning("%s: not repaired yet: %s", intent_id, trouble)
            return False
        except JournalConflict as conflict:  # which has halted entries, and is alarmed
            log.error("%s: not repaired, for a person: %s", intent_id, conflict)
            return False
        return True

    async def _reject(self, why: str, now_ms: int) -> ReconcileReport:
        alarm = Alarm(REJECTED, "RECONCILE_REJECTED", Severity.AMBER, f"venues not compared: {why}")

        self._rejections += 1
        await self._desk.journal.write(now_ms, lambda s: reconciliation.reject(s, why))
        await self._desk.journal.write(now_ms, lambda s: raise_alarm(s, alarm, now_ms))
        return ReconcileReport(why)

    async def _tell(
        self, found: tuple[Difference, ...], repaired: tuple[str, ...], asked_ms: int
    ) -> ReconcileReport:
        """Findings that were there twice raise alarms and halt; those that are gone close them."""
        now = frozenset(one for one in found if isinstance(one, Finding))
        certain = sorted(now & self._suspected)
        for one in now - self._suspected:
            self._desk.tally.count("arb_differences", kind=one.code)
        self._suspected = now
        clean = not found
        self._was_clean, self._rejections = self._was_clean or clean, 0
        journal = self._desk.journal
        await journal.write(asked_ms, lambda s: anchors.resumed(s, asked_ms))
        await journal.write(asked_ms, lambda s: reconciliation.report(s, asked_ms, clean=clean))
        await journal.write(
            asked_ms, lambda s: close(s, REJECTED, "both venues were read whole", asked_ms)
        )
        await journal.write(asked_ms, lambda s: findings.tell(s, certain, now, asked_ms))
        self._done_ms = asked_ms
        return ReconcileReport(None, repaired, tuple(one.detail for one in sorted(now)))
