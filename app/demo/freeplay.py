"""Trading without a script: what a recording or the demo itself quotes, with seeded trouble."""

import asyncio
import random
import time

from temporalio.client import RPCError, WorkflowUpdateFailedError

from app.demo.control import Control
from app.demo.play import POLL_SECONDS, Play, final
from domain.trade import Phase
from domain.venue import Mode
from store.arbitrages import ArbitrageState, admitted
from store.journal import Journal

REST_SECONDS = 60.0
HOLD_SECONDS = 4.0
EDGE_SECONDS = 1.5
TROUBLES = (
    ("kalshi", "buy", "kill", "0.12"),
    ("polymarket", "buy", "kill", "0.12"),
    ("kalshi", "buy", "drop_after", "0.05"),
    ("polymarket", "buy", "drop_after", "0.05"),
    ("polymarket", "buy", "ghost", "0.05"),
    ("kalshi", "sell", "kill", "0.2"),
    ("polymarket", "sell", "kill", "0.2"),
)
"""Venue, action, what goes wrong, and with which probability."""


class FreePlay:
    """Lets the executor trade what it finds, and closes what it holds after a while."""

    def __init__(self, play: Play, control: Control, journal: Journal, seed: int) -> None:
        self._play = play
        self._control = control
        self._journal = journal
        self._rng = random.Random(seed)  # noqa: S311  a seed is what makes it repeatable

    async def disturb(self) -> None:
        """From now on any order may meet trouble."""
        for venue, action, do, probability in TROUBLES:
            await self._control.fault(venue, "*", action, do, times=0, probability=probability)

    async def let_trade(self, seconds: float) -> None:
        """Trade for this long, then open nothing more and wait until nothing moves."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self._close_old_ones()
            await asyncio.sleep(0.5)
        await self._play.change(enabled=False)
        await self.until_at_rest()

    async def quote_for_ever(self, pairs: tuple[str, ...]) -> None:
        """Open an edge on one pair after the other; what was locked is closed after a while."""
        while True:
            pair = self._rng.choice(pairs)
            await self._control.edge(pair, self._rng.randint(7, 10), self._rng.randint(35, 55))
            await asyncio.sleep(EDGE_SECONDS)
            await self._control.quiet(pair)
            await self._close_old_ones()

    async def until_at_rest(self) -> None:
        """Every arbitrage is over, or held with nothing left to find out; TimeoutError else."""
        deadline = time.monotonic() + REST_SECONDS
        while moving := await self._moving():
            if time.monotonic() > deadline:
                raise TimeoutError(f"still moving: {', '.join(moving)}")
            await asyncio.sleep(POLL_SECONDS)

    async def _states(self) -> list[ArbitrageState]:
        ids = await self._journal.read(lambda s: admitted(s, Mode.SIM))
        return [await self._journal.arbitrage(arb_id) for arb_id in ids]

    async def _moving(self) -> list[str]:
        return [
            f"{state.arb_id} {state.phase}"
            for state in await self._states()
            if not state.phase.ended and not (state.phase is Phase.HOLDING and final(state))
        ]

    async def _close_old_ones(self) -> None:
        old_ms = time.time_ns() // 1_000_000 - int(HOLD_SECONDS * 1000)
        for one in await self._journal.unfinished(quiet_since_ms=old_ms):
            if one.phase is Phase.HOLDING and final(await self._journal.arbitrage(one.arb_id)):
                try:
                    await self._play.close(one.arb_id)
                except (RPCError, WorkflowUpdateFailedError):
                    # It ended by itself, a person was first, or its executor is away: next time.
                    continue
