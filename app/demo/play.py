"""Plays the acts: sets books and trouble, and waits for each arbitrage to end as it must."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from temporalio.client import Client

from app.demo.control import Control
from app.demo.scenario import Ending, Staged
from app.run import Stack
from app.wiring import wall_ms
from domain.money import show_usd
from domain.trade import Phase, TradeStatus
from domain.venue import Mode
from store.arbitrages import ArbitrageState, admitted
from store.audit import Act
from store.journal import Journal
from workflows import names
from workflows.handle import handle_of
from workflows.snapshot import CloseRequest, Snapshot

POLL_SECONDS = 0.03
START_SECONDS = 10.0
END_SECONDS = 40.0
AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Played:
    """An act that is over: its arbitrage, or what went wrong with it."""

    staged: Staged
    arb_id: str | None
    said: str
    problem: str | None = None


class Play:
    """One performance on a running stack. `tell` hears of every act that is over."""

    def __init__(
        self,
        stack: Stack,
        control: Control,
        journal: Journal,
        client: Client,
        tell: Callable[[Played], None],
    ) -> None:
        self._stack = stack
        self._control = control
        self._journal = journal
        self._client = client
        self._tell = tell

    async def change(self, **settings: object) -> None:
        """Save settings as an operator would."""
        saved = await self._journal.settings.load()
        await self._journal.settings.update(
            dict(settings),  # type: ignore[arg-type]
            saved.version,
            Act("demo", "demo", wall_ms()),
        )

    async def perform_all(self, staged: tuple[Staged, ...]) -> list[Played]:
        """Every act, a few at a time; those that kill the executor come last, alone."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(act: Staged) -> Played:
            async with places:
                return await self._perform(act)

        calm = [act for act in staged if not act.act.crash]
        played = list(await asyncio.gather(*(one(act) for act in calm)))
        played += [await self._perform(act) for act in staged if act.act.crash]
        return played

    async def _perform(self, staged: Staged) -> Played:
        try:
            played = await self._act(staged)
        except TimeoutError as late:
            played = Played(staged, None, "did not end", f"{staged.act.name}: {late}")
        self._tell(played)
        return played

    async def _act(self, staged: Staged) -> Played:
        act, pair = staged.act, staged.pair
        for trouble in act.troubles:
            await self._control.fault(
                trouble.venue,
                pair,
                trouble.action,
                trouble.do,
                times=trouble.times,
                params=trouble.params,
            )
        await self._control.edge(pair, staged.cents, staged.fair)
        if act.crash:
            await self._kill_in_flight(pair)
        arb_id = await self._arbitrage_of(pair)
        if act.ending in {Ending.SETTLED, Ending.CLOSED, Ending.HELD}:
            await self._until(arb_id, lambda s: s.phase is Phase.HOLDING and final(s))
            if act.ending is Ending.CLOSED:
                await self.close(arb_id)
            elif act.ending is Ending.SETTLED:
                await self._control.resolve(pair, staged.outcome, staged.outcome)
        if act.ending is not Ending.HELD:
            await self._until(arb_id, lambda s: s.phase.ended)
        return _judge(staged, await self._journal.arbitrage(arb_id))

    async def _kill_in_flight(self, pair: str) -> None:
        """SIGKILL the executor once both orders are at the exchanges and no answer is back."""
        deadline = time.monotonic() + START_SECONDS
        while not await self._both_arrived(pair):
            if time.monotonic() > deadline:
                raise TimeoutError("expected both orders at the exchanges, found none")
            await asyncio.sleep(0.005)
        pid = self._stack.children["executor"].pid
        assert pid is not None, "the executor runs"
        os.kill(pid, signal.SIGKILL)

    async def _both_arrived(self, pair: str) -> bool:
        arrived = 0
        for ledger in (await self._control.state()).values():
            orders = ledger["orders"]
            assert isinstance(orders, list), "the simulator lists its orders"
            arrived += any(o["pair"] == pair and o["reached_matching"] for o in orders)
        return arrived == 2

    async def close(self, arb_id: str) -> None:
        """Sell both legs, as an operator would; returns when nothing is held."""
        handle = handle_of(self._client, arb_id)
        await handle.execute_update(
            names.CLOSE_POSITION, CloseRequest(by="demo"), id="close", result_type=Snapshot
        )

    async def _arbitrage_of(self, pair: str) -> str:
        deadline = time.monotonic() + START_SECONDS
        while True:
            found = await self._journal.read(lambda s: admitted(s, Mode.SIM, pair))
            if found:
                return found[0]
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected an arbitrage of {pair}, found none")
            await asyncio.sleep(POLL_SECONDS)

    async def _until(self, arb_id: str, holds: Callable[[ArbitrageState], bool]) -> None:
        deadline = time.monotonic() + END_SECONDS
        while True:
            state = await self._journal.arbitrage(arb_id)
            if holds(state):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{arb_id} is still {state.phase}: {state.reason}")
            await asyncio.sleep(POLL_SECONDS)


EXPECTED = {
    Ending.SETTLED: (Phase.SETTLED, TradeStatus.SUCCESS),
    Ending.CLOSED: (Phase.FLAT, TradeStatus.SUCCESS),
    Ending.HELD: (Phase.HOLDING, TradeStatus.SUCCESS),
    Ending.ROLLED_BACK: (Phase.FLAT, TradeStatus.ROLLED_BACK),
    Ending.NOTHING: (Phase.FLAT, TradeStatus.FAILED),
}


def final(state: ArbitrageState) -> bool:
    """Both legs are definite and nothing counted may still be voided."""
    legs = (state.polymarket, state.kalshi)
    return all(leg.settled and not leg.unknown for leg in legs)


def _judge(staged: Staged, state: ArbitrageState) -> Played:
    """Whether the arbitrage ended as its act says."""
    expected = EXPECTED[staged.act.ending]
    found = (state.phase, state.status)
    result = state.guaranteed if state.realised is None else state.realised
    said = f"{state.status or state.phase} {show_usd(result, 4)}"
    if found == expected:
        return Played(staged, state.arb_id, said)
    problem = f"{staged.act.name}: expected {expected}, found {found} ({state.reason})"
    return Played(staged, state.arb_id, said, problem)
