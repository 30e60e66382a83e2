"""Whole installations beside each other: per account its exchanges, its journal, and as many
executors on one task queue as are asked for, each a process as `lockstep run executor` starts it.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session, select

from app.children import Child, ChildSpec
from app.config_sources import load_config
from app.demo.control import Control
from app.run import sim_environment
from app.temporal import ServerOptions, open_server
from app.wiring import open_journal, wall_ms
from domain.trade import Phase, TradeStatus
from domain.venue import Mode
from store.arbitrages import admitted
from store.audit import Act
from store.journal import Journal
from store.settings_values import Changes
from store.tables import ArbitrageRow
from tests.bench.book_to_send import EDGE_CENTS, PAIRS_MAX, WARM_UP, arrivals, pair_of
from tests.support.trading import CHANGES, SETTLING

CROWD = 10
LOOK_SECONDS = 0.02
REST_SECONDS = 90
SETTINGS: Changes = {**CHANGES, "max_bet": "10"}
PATIENT = {"LOCKSTEP_TRADE__DEADLINE_MS": "10000"}
"""A saturated machine is measured, not refused."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What installations stand on: a Temporal server, its process by number, its file if it is on
    one, that of a PostgreSQL server, and what every process of ours is told of both."""

    address: str
    namespace: str
    pid: int
    file: Path | None = None
    postgresql: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def dev_server(folder: Path) -> AsyncIterator[Ground]:
    """The embedded server on a file, as `lockstep run` starts it, and journals in files."""
    file = folder / "temporal.sqlite3"
    async with open_server(ServerOptions(ui=False, database=file)) as server:
        assert server.pid is not None, "started here"
        yield Ground(server.address, server.namespace, server.pid, file)


@dataclass(slots=True)
class Account:
    """One account that trades; `phases` are those of the newest arbitrage of each pair."""

    control: Control
    journal: Journal
    exchanges: Child
    executors: list[Child]
    pairs: list[str]
    phases: dict[str, Phase] = field(default_factory=dict)
    looked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def trade(self, pair: str) -> None:
        """Open an edge, and wait until what takes it is held or over."""
        await self.control.edge(pair, EDGE_CENTS)
        await self.until(pair, {Phase.HOLDING, Phase.NEEDS_OPERATOR, *_ENDS})

    async def settle(self, pair: str) -> None:
        """Answer the question, and wait until both venues have paid."""
        await self.control.resolve(pair)
        await self.until(pair, _ENDS)

    async def until(self, pair: str, phases: Collection[Phase | None]) -> None:
        """Wait for one of these; RuntimeError with where it is."""
        try:
            async with asyncio.timeout(REST_SECONDS), self.looked:
                await self.looked.wait_for(lambda: self.phases.get(pair) in phases)
        except TimeoutError:
            raise RuntimeError(f"{pair}: still {self.phases.get(pair)}") from None

    async def look(self) -> None:
        """Until cancelled: read where every trade is."""
        while True:
            self.phases |= await self.journal.read(_phases)
            async with self.looked:
                self.looked.notify_all()
            await asyncio.sleep(LOOK_SECONDS)

    async def sent_ns(self) -> dict[str, int]:
        """By pair, of the trades that are held: from the later book read to the later leg's first
        byte. Fails where an order arrived twice."""
        ledgers = await self.control.state()
        assert all(ledger["duplicates"] == 0 for ledger in ledgers.values()), "sent twice"
        arrived, found = await arrivals(self.control), {}
        for arb_id in await self.journal.read(lambda s: admitted(s, Mode.SIM)):
            state = await self.journal.arbitrage(arb_id)
            if state.status is TradeStatus.SUCCESS:
                later = max(arrived[intent.identity.key] for intent in state.intents)
                found[pair_of(state)] = later - state.opportunity.seen_ns
        return found


_ENDS = frozenset(phase for phase in Phase if phase.ended)


def _phases(session: Session) -> dict[str, Phase]:
    rows = select(ArbitrageRow.pair_id, ArbitrageRow.phase).order_by(ArbitrageRow.opened_ms)  # type: ignore[arg-type]
    return {pair: Phase(phase) for pair, phase in session.exec(rows)}


@asynccontextmanager
async def open_account(
    ground: Ground, folder: Path, name: str, executors: int, pairs: int
) -> AsyncIterator[Account]:
    """An account whose executors are all ready and have traded WARM_UP pairs beyond `pairs`."""
    async with AsyncExitStack() as stack:
        listed = ["--pairs", str(min(pairs + WARM_UP, PAIRS_MAX))]
        sim = ["-m", "sim.main", "--polymarket-port", "0", "--kalshi-port", "0", *listed]
        exchanges = Child(ChildSpec("sim", sim, restart=False), folder / "logs")
        stack.push_async_callback(exchanges.stop)
        ready = await exchanges.start()
        urls: dict[str, str] = dict(ready["urls"])  # type: ignore[call-overload]
        environment = {
            **await sim_environment(ready),
            **ground.environment,
            **PATIENT,
            "LOCKSTEP_MODE": "sim",
            "LOCKSTEP_DATA_DIR": str(folder),
            "LOCKSTEP_TEMPORAL__ADDRESS": ground.address,
            "LOCKSTEP_TEMPORAL__NAMESPACE": ground.namespace,
            "LOCKSTEP_TEMPORAL__TASK_QUEUE": name,
        }
        if ground.postgresql is not None:
            environment["LOCKSTEP_DATABASE__SCHEMA_NAME"] = name.replace("-", "_")
        control = await stack.enter_async_context(Control(urls["control"]))
        await control.knobs("polymarket", **SETTLING)
        names = [str(pair["id"]) for pair in await control.pairs()]
        for pair in names:
            await control.quiet(pair)
        config = load_config(env=environment, folder=folder).config
        journal = await asyncio.to_thread(open_journal, config)
        stack.callback(journal.close)
        saved = await journal.settings.load()
        await journal.settings.update(SETTINGS, saved.version, Act("bench", "bench", wall_ms()))
        account = Account(control, journal, exchanges, [], names[WARM_UP:])
        for number in range(executors):
            spec = ChildSpec(f"executor-{number}", ["-m", "app.process", "executor"], environment)
            account.executors.append(Child(spec, folder / "logs"))
            stack.push_async_callback(account.executors[-1].stop)
            await account.executors[-1].start()
        looking = asyncio.create_task(account.look())
        stack.callback(looking.cancel)
        for pair in names[:WARM_UP]:
            await account.trade(pair)
        yield account
