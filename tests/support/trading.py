"""A whole executor without its scanner, inside a test: journal, both venues over HTTP, a worker."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle

from activities.desk import Desk
from activities.messages import ArbitrageInput
from app.config import Config
from app.config_sources import load_config
from app.demo.control import Control, Quote
from app.funds import read_funds
from app.intake import start
from app.run import sim_environment
from app.wiring import worker
from domain.evidence import Quarantine
from domain.money import usd
from domain.opportunity import Opportunity
from domain.order import Rejection
from domain.pair import Pair
from domain.policy import Bounds, ExecutorSettings, Timing
from domain.sizing import Side, size_pair
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Outcome, Venue
from store import risk_day
from store.audit import Act
from store.errors import NotJournaled
from store.place import Place
from store.settings_values import Changes
from tests.support.desk import open_desk
from tests.support.places import place, told
from venues.port import Untradable
from workflows import names, options
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import Snapshot

log = logging.getLogger(__name__)

QUICK = Timing(
    polymarket_quarantine=Quarantine(wait_ms=600),
    kalshi_quarantine=Quarantine(wait_ms=600, needs_as_of=True),
    resolve_pause_ms=50,
    resolve_pause_ms_max=200,
    unwind_pause_ms=50,
    unwind_pause_ms_max=200,
    closed_pause_ms=50,
    settle_pause_ms=100,
    provisional_pause_ms=50,
)
CHANGES: Changes = {
    "enabled": True,
    "max_bet": "20",
    "max_daily_trades": 10_000,
    "max_daily_loss": "10000",
}
SETTINGS = ExecutorSettings(
    enabled=True, max_bet=usd(20), max_daily_trades=10_000, max_daily_loss=usd(10_000)
)
CASH = usd(5_000)
PATIENT = Bounds(cooldown_ms=0, deadline_ms=10_000)
"""Without a cool-down, and with time for a busy machine to send."""
FEW_TRIES = replace(PATIENT, unwind_attempts=2)
"""A person is asked soon."""
ORDER_MS = 1_000
"""How long a venue may take to answer an order in a test."""
QUESTION_SECONDS = 0.02
REPLAYED_QUESTION_SECONDS = 0.2
"""Between two questions to a workflow. Where none is kept in memory each one replays its history;
many of them, between its own tasks, have brought the SDK's worker (1.35) to a stop once: "Attempted
to check for LA marker handling in invalid state", then no task was ever finished again."""
SETTLING = {"settle_mined_ms": 20, "settle_confirmed_ms": 20}
"""How fast Polymarket's chain is where a test does not look at it."""


@dataclass(frozen=True, slots=True)
class Trading:
    """One test's executor and the exchanges it trades on."""

    client: Client
    task_queue: str
    desk: Desk
    control: Control
    pairs: Mapping[str, Pair]
    prefix: str
    database: Place
    question_seconds: float
    rest_after: int

    async def opportunity(self, pair_id: str, settings: ExecutorSettings = SETTINGS) -> Opportunity:
        """What the books of the pair offer now, sized as the scanner would."""
        pair = self.pairs[pair_id]
        sides = []
        for venue, outcome, market in (
            (Venue.POLYMARKET, Outcome.YES, pair.condition_id),
            (Venue.KALSHI, Outcome.NO, pair.ticker),
        ):
            instrument = await self.desk.venues[venue].instrument(market, outcome)
            assert not isinstance(instrument, Untradable), instrument
            read = await self.desk.venues[venue].book(instrument)
            book = replace(read, received_ns=0)  # a busy machine may take long between both
            sides.append(Side(instrument, book, CASH))
        found = size_pair(pair, sides[0], sides[1], settings, time.time_ns())
        assert isinstance(found, Opportunity), found
        return replace(found, key=f"{self.prefix}{pair_id}-{found.key}")

    async def start(
        self, opportunity: Opportunity, bounds: Bounds | None = None, timing: Timing = QUICK
    ) -> WorkflowHandle[ArbitrageWorkflow, Snapshot]:
        """Start the arbitrage as the executor does, on fresh balances."""
        await self.read_balances()
        plan = self.plan(replace(opportunity, seen_ns=time.time_ns()), bounds, timing)
        return await start(self.client, self.task_queue, plan)

    def plan(
        self, opportunity: Opportunity, bounds: Bounds | None = None, timing: Timing = QUICK
    ) -> ArbitrageInput:
        """What the arbitrage runs on; without a cool-down, so that a test can trade again."""
        arb_id = names.arb_id(opportunity.key)
        return ArbitrageInput(
            arb_id,
            opportunity,
            Mode.SIM,
            bounds or PATIENT,
            timing,
            rest_after=self.rest_after,
        )

    async def open(
        self,
        pair_id: str,
        cents: int = 8,
        *,
        gone: str | None = None,
        polymarket_bid: str = "0.48",
        **kwargs: Any,
    ) -> WorkflowHandle[ArbitrageWorkflow, Snapshot]:
        """Open an edge and start the arbitrage that takes it. Before its orders arrive the offer
        at the venue `gone` is withdrawn, so that this leg can be neither bought nor completed."""
        await self.control.edge(pair_id, cents)
        opportunity = await self.opportunity(pair_id)
        if gone is not None:
            await self.withdraw(pair_id, gone, polymarket_bid)
        return await self.start(opportunity, **kwargs)

    async def withdraw(self, pair_id: str, gone: str, polymarket_bid: str = "0.48") -> None:
        """Nobody offers the leg of the venue `gone` any more; the other leg can be sold."""
        there, here = ("0.99", "0.58") if gone == "polymarket" else ("0.50", "0.02")
        await self.control.books(pair_id, Quote(polymarket_bid, there), Quote(here, "0.60"))

    async def trade(self, pair_id: str, cents: int = 8, **kwargs: Any) -> Snapshot:
        """Open an edge, take it, and wait for the arbitrage to be held or over. Where this machine
        stood still, so that an entry rightly never left, nothing was shown: up to three are
        started. What is scripted for the order still waits at its venue."""
        for _ in range(3):
            snapshot = await self.until_at_rest(await self.open(pair_id, cents, **kwargs))
            if not await self._kept_back(snapshot):
                break
        return snapshot

    async def reach(
        self, pair_id: str, *phases: Phase, **kwargs: Any
    ) -> WorkflowHandle[ArbitrageWorkflow, Snapshot]:
        """An arbitrage that has come to one of the phases, to begin a test with; where this
        machine stood still, as in `trade`, another one is started."""

        stays = any(rests(phase) for phase in phases)

        def reached(now: Snapshot) -> bool:
            passed = not stays and any(line.phase in phases for line in now.story)
            return passed or now.phase in phases

        for _ in range(3):
            handle = await self.open(pair_id, **kwargs)
            snapshot = await self.until(handle, lambda now: reached(now) or now.phase.ended)
            if not await self._kept_back(snapshot):
                break
        assert reached(snapshot), f"expected {phases}, found {snapshot.phase}: {snapshot.story}"
        return handle

    async def hold(
        self, pair_id: str, **kwargs: Any
    ) -> WorkflowHandle[ArbitrageWorkflow, Snapshot]:
        """A pair that is held and final, to begin a test with. A machine that stands still for
        seconds makes orders leave too late, and the arbitrage rightly ends flat: that one shows
        nothing yet, so up to three are started."""
        for _ in range(3):
            handle = await self.open(pair_id, **kwargs)
            snapshot = await self.until_at_rest(handle)
            if snapshot.phase is Phase.HOLDING:
                return handle
        raise AssertionError(f"expected a held pair, found {snapshot.phase}: {snapshot.story}")

    @asynccontextmanager
    async def slow_chain(self, confirmed_ms: int = 1_500) -> AsyncIterator[None]:
        """Within the block Polymarket's trades stay provisional for that long."""
        await self.control.knobs("polymarket", settle_confirmed_ms=confirmed_ms)
        try:
            yield
        finally:
            await self.control.knobs("polymarket", **SETTLING)

    @asynccontextmanager
    async def closed(self, venue: str, mode: str) -> AsyncIterator[None]:
        """Within the block the venue refuses every order in the words of that mode."""
        await self.control.mode(venue, mode)
        try:
            yield
        finally:
            await self.control.mode(venue, "open")

    async def until_phase(
        self, handle: WorkflowHandle[ArbitrageWorkflow, Snapshot], *phases: str
    ) -> Snapshot:
        """The first snapshot in one of these phases."""
        return await self.until(handle, lambda snapshot: snapshot.phase in phases)

    async def until_at_rest(
        self, handle: WorkflowHandle[ArbitrageWorkflow, Snapshot], seconds: float = 20
    ) -> Snapshot:
        """The snapshot once nothing moves any more: held and final, or ended."""

        def at_rest(snapshot: Snapshot) -> bool:
            unsettled = snapshot.phase is Phase.HOLDING and snapshot.provisional
            return rests(snapshot.phase) and not unsettled

        return await self.until(handle, at_rest, seconds)

    async def until(
        self,
        handle: WorkflowHandle[ArbitrageWorkflow, Snapshot],
        holds: Any,
        seconds: float = 20,
    ) -> Snapshot:
        """The first snapshot for which `holds` is true; a test that fails shows its story."""
        deadline = time.monotonic() + seconds
        while True:
            snapshot = await handle.query(ArbitrageWorkflow.snapshot)
            if holds(snapshot) and await self._written_down(snapshot):
                log.warning("%s: %s", snapshot.phase, snapshot.story)
                return snapshot
            if time.monotonic() > deadline:
                raise TimeoutError(f"still {snapshot.phase}: {snapshot.story}")
            await asyncio.sleep(self.question_seconds)

    async def until_found(
        self,
        handle: WorkflowHandle[ArbitrageWorkflow, Snapshot],
        query: str,
        seconds: float = 40,
    ) -> None:
        """Until a search of Temporal, which lags a little behind, finds it."""
        deadline = time.monotonic() + seconds
        while handle.id not in [found.id async for found in self.client.list_workflows(query)]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not found by {query}")
            await asyncio.sleep(0.05)

    async def both_left(self, arb_id: str) -> bool:
        """Whether the journal has both orders as sent."""
        try:
            state = await self.desk.journal.arbitrage(arb_id)
        except NotJournaled:
            return False
        return all(one.sent_at_ms is not None for one in state.intents)

    async def _kept_back(self, snapshot: Snapshot) -> bool:
        """Whether nothing was bought, and an entry was late for its own first byte."""
        if snapshot.status is not TradeStatus.FAILED:
            return False
        state = await self.desk.journal.arbitrage(snapshot.arb_id)
        late = (Rejection.NOT_SENT, Rejection.TOO_LATE, Rejection.FENCED)
        return any(getattr(one.answer, "rejection", None) in late for one in state.intents)

    async def _written_down(self, snapshot: Snapshot) -> bool:
        """A workflow shows where it rests before its journal, alarms and outbox say so."""
        if not rests(snapshot.phase):
            return True
        try:
            state = await self.desk.journal.arbitrage(snapshot.arb_id)
        except NotJournaled:
            return True
        held = snapshot.phase is Phase.HOLDING and not snapshot.provisional
        risks = held and await self.desk.journal.read(lambda s: risk_day.is_held(s, state.arb_id))
        return state.phase == snapshot.phase and not risks

    async def read_balances(self) -> None:
        """What the executor does every few seconds."""
        for venue in self.desk.venues:
            await read_funds(self.desk, venue, Mode.SIM)


def rests(phase: Phase) -> bool:
    """Whether a trade stays in the phase until somebody else moves."""
    return phase in (Phase.HOLDING, Phase.NEEDS_OPERATOR) or phase.ended


async def sim_config(
    sim_ready: Mapping[str, Any], data_dir: Path, order_ms: int = ORDER_MS
) -> Config:
    """The configuration that points at a running simulator."""
    environment = await sim_environment(dict(sim_ready))
    environment["LOCKSTEP_DATA_DIR"] = str(data_dir)
    environment |= told(place(data_dir))
    for venue in Venue:
        environment[f"LOCKSTEP_{venue.upper()}__TIMEOUTS__ORDER_MS"] = str(order_ms)
    return load_config(env=environment, folder=data_dir).config


@asynccontextmanager
async def trading(
    sim_ready: Mapping[str, Any],
    client: Client,
    task_queue: str,
    prefix: str,
    data_dir: Path,
    *,
    cached: int = 100,
    order_ms: int = ORDER_MS,
    rest_after: int = options.REST_AFTER,
) -> AsyncIterator[Trading]:
    """A running executor on the simulator that said `sim_ready`."""
    config = await sim_config(sim_ready, data_dir, order_ms)
    pairs = {pair.id: pair.to_domain() for pair in config.pairs}
    async with Control(sim_ready["urls"]["control"]) as control, open_desk(config) as desk:
        await change_settings(desk, CHANGES)
        async with worker(client, task_queue, desk, cached=cached):
            pause = QUESTION_SECONDS if cached else REPLAYED_QUESTION_SECONDS
            yield Trading(
                client, task_queue, desk, control, pairs, prefix, config.journal, pause, rest_after
            )


async def change_settings(desk: Desk, changes: Changes) -> None:
    """Save settings as an operator would."""
    saved = await desk.journal.settings.load()
    act = Act("test", "test", desk.wall_ms())
    await desk.journal.settings.update(dict(changes), saved.version, act)


def dollars(value: object) -> Decimal:
    """An amount as the simulator writes it."""
    return Decimal(str(value))
