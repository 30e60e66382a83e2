"""A whole system as `lockstep run` starts it, on exchanges that quote what a test asks for."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client

from app.config_sources import load_config
from app.demo.control import Control
from app.demo.freeplay import FreePlay
from app.demo.main import ENVIRONMENT, SETTINGS
from app.demo.play import Play, final
from app.run import RunOptions, Stack, running
from app.wiring import connect, open_journal
from domain.trade import Phase
from domain.venue import Mode, Venue
from store import audit
from store.arbitrages import ArbitrageState, admitted
from store.journal import Journal
from tests.support.processes import free_port

PAIRS = 48
PLAYED = 6
"""Pairs kept aside for trading without a script."""
EDGE_CENTS = 8
SECONDS = 45
ORDER_MS = 12_000
"""How long an exchange may take to answer: long enough for a person in the middle of a trade."""
HANG_MS = 14_000
SLOW = {
    "LOCKSTEP_POLYMARKET__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__TIMEOUTS__ORDER_MS": str(ORDER_MS),
}
POLL_SECONDS = 0.05
Json = dict[str, Any]


@dataclass(slots=True)
class Floor:
    """One running system, and all that a test may do to it."""

    stack: Stack
    control: Control
    journal: Journal
    http: httpx.AsyncClient
    play: Play
    temporal: Client
    _fresh: Iterator[str]
    _played: tuple[str, ...]

    async def settings(self, **values: object) -> int:
        """Save settings as an operator would; returns once the executor has them in force."""
        await self.play.change(**values)
        version = (await self.journal.settings.load()).version

        async def active() -> bool:
            told = await self.get("/api/v1/settings")
            return [one["version"] for one in told["meta"]["active"]] == [version]

        await until(active, "the settings are in force")
        return version

    def pairs(self, number: int) -> tuple[str, ...]:
        """So many pairs that nobody has traded."""
        return tuple(next(self._fresh) for _ in range(number))

    async def begin(self) -> str:
        """Offer an edge on a pair of its own: the id of the arbitrage that takes it."""
        (pair,) = self.pairs(1)
        await self.control.edge(pair, EDGE_CENTS)
        found: list[str] = []

        async def taken() -> bool:
            found.extend(await self.journal.read(lambda s: admitted(s, Mode.SIM, pair)))
            return bool(found)

        await until(taken, f"an arbitrage of {pair}")
        return found[0]

    async def hold(self) -> str:
        """The id of a new arbitrage that holds both legs for good."""
        arb_id = await self.begin()
        await self.held(arb_id)
        return arb_id

    async def hanging(self) -> str:
        """The id of an arbitrage whose Kalshi order was accepted and is not answered in time: it
        stays in the middle until the exchange has been asked."""
        await self.control.fault("kalshi", "*", "buy", "hang", params={"ms": HANG_MS})
        arb_id = await self.begin()
        pair = (await self.journal.arbitrage(arb_id)).opportunity.pair_id

        async def arrived() -> bool:
            orders = [one for venue in Venue for one in await self.orders_at(venue)]
            return len([o for o in orders if o["pair"] == pair and o["reached_matching"]]) == 2

        await until(arrived, f"both orders of {arb_id} are at the exchanges")
        return arb_id

    async def held(self, arb_id: str) -> ArbitrageState:
        """Wait until it holds both legs for good."""

        async def holding() -> bool:
            state = await self.journal.arbitrage(arb_id)
            assert not state.phase.ended, f"{arb_id} ended {state.phase}: {state.reason}"
            return state.phase is Phase.HOLDING and final(state)

        await until(holding, f"{arb_id} holds both legs")
        return await self.journal.arbitrage(arb_id)

    async def ended(self, arb_id: str) -> ArbitrageState:
        """Wait until nothing of it is left to do."""

        async def over() -> bool:
            return (await self.journal.arbitrage(arb_id)).phase.ended

        await until(over, f"{arb_id} has ended")
        return await self.journal.arbitrage(arb_id)

    async def arbitrages(self) -> list[str]:
        """All arbitrages that were ever admitted."""
        return list(await self.journal.read(lambda s: admitted(s, Mode.SIM)))

    async def acts(self) -> list[str]:
        """Everything that anybody has done, newest first."""
        return await self.journal.read(
            lambda s: [f"{row.id} {row.actor} {row.action}" for row in audit.page(s, 500)]
        )

    async def orders_at(self, venue: Venue) -> list[Json]:
        """Every order that has reached a venue, as its own ledger tells it."""
        orders = (await self.control.state())[venue]["orders"]
        assert isinstance(orders, list), "an exchange lists its orders"
        return orders

    async def get(self, path: str) -> Any:
        """What the API answers."""
        return (await self.http.get(path)).raise_for_status().json()

    async def resume(self) -> None:
        """Release the halt, whoever made it."""
        body = {"confirm": "RESUME"}
        (await self.http.post("/api/v1/executor/resume", json=body)).raise_for_status()

    @asynccontextmanager
    async def trading(self) -> AsyncIterator[None]:
        """While the block runs, edges come and go as in `lockstep demo --stay`."""
        free = FreePlay(self.play, self.control, self.journal, seed=7)
        task = asyncio.create_task(free.quote_for_ever(self._played))
        try:
            yield
            assert not task.done(), task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            for pair in self._played:
                await self.control.quiet(pair)

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send a signal to a process of the ready line; its id."""
        pids = self.stack.ready_line()["pids"]
        assert isinstance(pids, dict)
        pid = int(pids[name])
        os.kill(pid, number)
        return pid

    async def came_back(self, name: str, old_pid: int) -> None:
        """Wait until a killed process runs again and says that it is ready."""
        child = self.stack.children[name]

        async def ready() -> bool:
            return child.pid not in (None, old_pid) and child.ready.get("pid") == child.pid

        await until(ready, f"{name} is back")


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = SECONDS) -> None:
    """Wait until something is true; TimeoutError names it."""
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"expected within {seconds} s: {what}")
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def open_floor(**environment: str) -> AsyncIterator[Floor]:
    """Start everything; the API keeps its port when it is started again."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-e2e-")))
        config = load_config({"data_dir": str(folder)}, env={}, folder=folder).config
        port = {"LOCKSTEP_API__PORT": str(free_port())}
        options = RunOptions(
            makers=False, pairs=PAIRS, environment=ENVIRONMENT | SLOW | port | environment
        )
        system = await stack.enter_async_context(running(config, options))
        assert system.control_url is not None, "the exchanges are simulated"
        control = await stack.enter_async_context(Control(system.control_url))
        journal = await asyncio.to_thread(open_journal, config)
        stack.callback(journal.close)
        temporal = config.temporal.model_copy(update={"address": system.temporal})
        client = await connect(config.model_copy(update={"temporal": temporal}))
        play = Play(system, control, journal, client, lambda _: None)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=system.urls["api"]))
        names = [str(pair["id"]) for pair in await control.pairs()]
        for name in names:
            await control.quiet(name)
        fresh, played = iter(names[:-PLAYED]), tuple(names[-PLAYED:])
        floor = Floor(system, control, journal, http, play, client, fresh, played)
        await floor.settings(**SETTINGS)
        yield floor
