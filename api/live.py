"""The live state: one look at the journal and at the workflows for every page there is.

The outbox is tailed for what happened, in the order it happened; the journal says what is open;
workflow queries say how far it is. Nothing here asks an executor more often for more pages.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from api import glance, lockout, panels, rows, slices, story, trade_rows
from api.cards import Cards
from api.first_page import first_page
from api.hub import Hub
from api.known import Known
from api.known import read as read_known
from api.measured import Measured, naked_since_ms
from api.naked import naked
from api.pace import Pace
from api.queries import Queries
from api.seen import Seen
from api.wire import Json, usd
from api.words import Words
from domain.money import ZERO
from domain.trade import Phase
from domain.venue import Mode
from store import views
from store.errors import JournalBusy, NotJournaled
from store.journal import Journal
from store.views import Pulse, Survey, Told
from store.watch import Watched

log = logging.getLogger(__name__)
Act = Callable[[], Awaitable[None]]

SURVEY_SECONDS = 1
REPRICE_SECONDS = 5
FUNNEL_SECONDS = 10
HEALTH = timedelta(seconds=1)
INTEREST_MS = 10_000


class Live:
    """Keeps the hub's board true, for one `mode`. `pulse` is the last look at the journal."""

    def __init__(
        self,
        journal: Journal,
        client: Client,
        mode: Mode,
        wall_ms: Callable[[], int],
        links: Json,
        *,
        notifies: bool = True,
    ) -> None:
        self._journal = journal
        self._client = client
        self.mode = mode
        self._wall_ms = wall_ms
        self._notifies = notifies
        self._after = (0, 0)
        self._pace = Pace(journal)
        self.failed = asyncio.Event()
        self._stale_rows: dict[str, None] = {}
        self._known: dict[str, Known] = {}
        self._asked_ms = 0
        self._cards = Cards()
        self._words = Words()
        self.hub = Hub(wall_ms)
        self._trades = panels.TradeLog(self.hub)
        self.queries = Queries(client, _monotonic_ms, self._row_is_old)
        self.hub.board.put("mode", mode.value)
        self.hub.board.put("links", links)
        self.pulse: Pulse | None = None
        self.survey: Survey | None = None
        self.watched: Watched | None = None
        self.seen = Seen()
        self.measured = Measured(wall_ms(), mode)
        self.naked_since_ms: int | None = None

    @property
    def alive(self) -> bool:
        """Whether an executor reported lately."""
        return self.survey is not None and bool(self.survey.executors)

    @property
    def audited(self) -> int:
        """The newest row of the audit trail that was looked at."""
        return self._after[1]

    def poke(self) -> None:
        """Something was just changed here: look now."""
        self._pace.poke()

    def asked(self) -> None:
        """Somebody polls: keep the full pace for a while."""
        self._asked_ms = self._wall_ms()

    async def start(self) -> None:
        """Read everything once, so that the first page finds the whole state."""
        self._after = await self._journal.read(views.newest)
        await self._look()
        assert self.pulse is not None, "the look has just been taken"
        for one in self.pulse.unfinished:
            known = self._known.get(one.arb_id)
            self.measured.learn(one.arb_id, known.state if known else None)
        await self._survey()
        await self._read_log()
        self.hub.board.take_changes()

    async def run(self) -> None:
        """Until cancelled; `failed` is set where a bug of ours ends it."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._every(self._wait, self._look))
                group.create_task(self._every(_pause(SURVEY_SECONDS), self._survey))
                group.create_task(self._every(_pause(REPRICE_SECONDS), self._reprice))
                group.create_task(self._every(_pause(FUNNEL_SECONDS), self._count))
        except Exception:
            log.exception("the live state failed")
            self.failed.set()
        finally:
            await self.queries.stop()

    async def known(self, arb_id: str, *, ask: bool = False) -> Known:
        """One arbitrage now: the journal, and what its workflow said last; with `ask` what it
        says now where that is older than the journal. Raises NotJournaled."""
        tracked = self.queries.tracked.get(arb_id)
        snapshot = tracked.snapshot if tracked else None
        as_of_ms = tracked.found.updated_at_ms if tracked and tracked.asked else 0
        if tracked is not None and ask and self.alive:
            snapshot, as_of_ms = await self.queries.ask(tracked.found), tracked.found.updated_at_ms

        now_ms = self._wall_ms()
        waits = self.alive and not ask and tracked is not None and not tracked.asked
        executors = self.survey.executors if self.survey else ()
        known = await self._journal.read(
            lambda s: read_known(s, arb_id, snapshot, as_of_ms, now_ms, executors)
        )
        return replace(known, waits=waits)

    @property
    def _looked_at(self) -> bool:
        """Whether somebody looks at a page, or did a moment ago."""
        return bool(self.hub.clients) or self._wall_ms() - self._asked_ms < INTEREST_MS

    async def _every(self, pause: Act, act: Act) -> None:
        """A database that stays busy is tried again; the page says that it waits."""
        while True:
            await pause()
            try:
                await act()
                panels.notice(self.hub, "database", None)
            except (JournalBusy, SQLAlchemyError) as trouble:
                log.warning("the journal could not be read: %s", trouble)
                panels.notice(
                    self.hub, "database", "The database is busy: what is shown may be old."
                )

    async def _wait(self) -> None:
        await self._pace.wait(self._after, watched=self._looked_at)

    async def _look(self) -> None:
        """What happened since the last look, and what is open."""
        after, now_ms = self._after, self._wall_ms()
        pulse = await self._journal.read(lambda s: views.pulse(s, self.mode, *after))
        self.seen.open_ms = now_ms
        before, self.pulse = self.pulse, pulse
        for arb_id in self.queries.follow(pulse.unfinished):
            self._row_is_old(arb_id)
        if self.alive:
            self.queries.start_due()
        else:
            self.queries.lose()
        self._show_switches(before)
        for told in pulse.told:
            await self._tell(told)
            self._after = (told.id, self._after[1])
        for row in pulse.audited:
            panels.add_event(self.hub, story.of_audit(row))
            self._after = (self._after[0], row.id or 0)
        await self._renew_rows()
        self.hub.flush()

    def _show_switches(self, before: Pulse | None) -> None:
        """status_changed where the run state is another one; settings where they are."""
        assert self.pulse is not None, "the look has just been taken"
        pulse, board = self.pulse, self.hub.board
        run_state = slices.run_state(pulse, alive=self.alive)
        enabled = pulse.run_state.enabled
        changed = board.put("run_state", run_state, quietly=True)
        changed = board.put("enabled", enabled, quietly=True) or changed
        executors = self.survey.executors if self.survey else ()
        settings = slices.settings(pulse.saved, executors, numbers=True)
        if board.put("settings", settings, quietly=True) and before is not None:
            self.hub.publish("settings_changed", settings)
        if changed and before is not None:
            self.hub.publish("status_changed", self.status())

    def status(self) -> Json:
        """The data of status_changed."""
        board = self.hub.board
        return {"enabled": board.get("enabled"), "run_state": board.get("run_state")}

    async def _survey(self) -> None:
        """Balances, numbers of the day, executors, alarms, cards."""
        now_ms = self._wall_ms()
        since, words_since = self._cards.after_ms, self._words.after_ms
        found = await self._journal.read(
            lambda s: glance.around(s, self.mode, now_ms, since, words_since)
        )
        self.survey = survey = found.survey
        self.watched, self.seen.around_ms = found.watched, now_ms
        board, executors = self.hub.board, survey.executors
        self._show_balances(slices.balances(survey.balances, executors))
        board.put("stats", slices.stats(survey))
        board.put("venues", slices.venues(executors))
        temporal = await self._temporal()
        board.put("services", slices.services(survey, temporal, now_ms, notifies=self._notifies))
        board.put("alarms", slices.alarms(survey.alarms, found.titles))
        await lockout.settle(self._journal, survey.alarms, now_ms)
        taken = {one.found.pair_id for one in self.queries.tracked.values()}
        self._cards.take(found.seen, found.pair_ids)
        self._words.take(found.words)
        board.put("cards", self._cards.rows(self._words, taken, now_ms, alive=self.alive))
        board.put("scanner", slices.scanner(executors, self._cards.best()))
        if self.pulse is not None:
            self._show_switches(self.pulse)
        self.hub.flush()

    def _show_balances(self, told: Json | None) -> None:
        """balance_update where an amount moved; how old they are is only a patch."""
        if told is None:
            return
        board = self.hub.board
        before = board.get("balances")
        moved = before is not None and any(
            before[name] != told[name] for name in ("poly_exact", "kalshi_exact")
        )
        board.put("balances", told, quietly=moved)
        if moved:
            self.hub.publish("balance_update", told)

    async def _temporal(self) -> Json:
        try:
            up = await self._client.service_client.check_health(timeout=HEALTH)
        except RPCError:
            up = False
        took = self.queries.last_ms
        detail = "" if took is None else f"{took} ms query"
        return {"state": "up" if up else "down", "detail": detail if up else "does not answer"}

    async def _tell(self, told: Told) -> None:
        """One message of the outbox, as the seed's protocol says it."""
        if told.payload.get("mode", self.mode) != self.mode:
            return
        panels.add_event(self.hub, story.of_message(told))
        match told.topic:
            case "trade_event":
                arb_id = str(told.payload["arb_id"])
                expected, number = await self._journal.read(
                    lambda s: (
                        views.planned_profits(s, [arb_id]).get(arb_id),
                        views.trade_number(s, arb_id),
                    )
                )
                self._trades.tell(trade_rows.trade_told(told.payload, expected), number)
                self.measured.take(await self._journal.arbitrage(arb_id))
            case "position_opened":
                arb_id = str(told.payload["arb_id"])
                self._stale_rows.pop(arb_id, None)
                known = self._known[arb_id] = await self.known(arb_id)
                self.hub.publish_row("position_opened", "positions", rows.position(known))
                if known.state.phase.ended:
                    self._known.pop(arb_id)
            case "position_closed":
                arb_id = str(told.payload["arb_id"])
                ended = await self._journal.arbitrage(arb_id)
                pnl = None if ended.realised is None else usd(ended.realised)
                row = {"id": arb_id, "status": told.payload["status"], "pnl": pnl}
                self.hub.publish_row("position_closed", "positions", row)

    def _row_is_old(self, arb_id: str) -> None:
        self._stale_rows[arb_id] = None

    async def _renew_rows(self) -> None:
        """Rows whose arbitrage changed; rows of those that ended go."""
        board = self.hub.board
        for arb_id in list(self._stale_rows):
            self._stale_rows.pop(arb_id, None)
            if arb_id not in self.queries.tracked:
                continue
            tracked = self.queries.tracked[arb_id]
            if tracked.found.phase is Phase.RESERVING:
                continue
            try:
                self._known[arb_id] = known = await self.known(arb_id)
            except NotJournaled:
                continue
            board.put_row("positions", arb_id, rows.position(known))
        for arb_id in [key for key in self._known if key not in self.queries.tracked]:
            del self._known[arb_id]
        for arb_id in [key for key in board.get("positions") if key not in self.queries.tracked]:
            board.drop_row("positions", arb_id)
        self._show_unhedged()

    def _show_unhedged(self) -> None:
        found = [(one, leg) for one in self._known.values() if (leg := naked(one)) is not None]
        legs = [leg for _, leg in found]
        since = [naked_since_ms(one.state) for one, leg in found if not leg["kept"]]
        self.naked_since_ms = min((ms for ms in since if ms is not None), default=None)
        total = sum((Decimal(leg["exposure"]) for leg in legs), start=ZERO)
        self.hub.board.put("unhedged", {"usd": usd(total), "legs": legs})

    async def _reprice(self) -> None:
        """Closing costs something else when the books move."""
        for arb_id in self.queries.tracked:
            self._row_is_old(arb_id)

    async def _count(self) -> None:
        """The skip funnel of an hour and of a day."""
        now_ms, examples = self._wall_ms(), self._cards.examples
        told = await self._journal.read(lambda s: glance.funnels(s, self.mode, now_ms, examples))
        self.hub.board.put("funnel", told)
        self.hub.flush()

    async def _read_log(self) -> None:
        """The newest trades and what happened last, for the first page."""
        board, after = self.hub.board, self._after
        log_page = await self._journal.read(lambda s: first_page(s, self.mode, *after))
        self._trades.begin(log_page)
        board.put("events", log_page.events)
        board.put("notices", [])
        await self._count()


def _pause(seconds: int) -> Act:
    return lambda: asyncio.sleep(seconds)


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
