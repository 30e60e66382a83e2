"""Provokes every limit once: each must refuse, by its own name, and no order may leave."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from app.demo.control import Control
from app.demo.play import POLL_SECONDS, Play
from app.wiring import wall_ms
from domain.policy import Refusal
from domain.venue import Mode, Venue
from store import balances, presence
from store.audit import Act
from store.journal import Journal

HEARD_SECONDS = 8.0
NOTICED_SECONDS = 20.0
"""What the executor may take at most to know what changed: it reads settings four times a second,
cash every other second, and tells of itself every second."""
PAIRS_NEEDED = 8
BETS = {"min_bet": "5", "max_bet": "10"}
"""Dollars that a trade of the demo may cost."""


class Refusals:
    """Sets up one refusal after the other and hears that the executor or the gate said it."""

    def __init__(self, play: Play, control: Control, journal: Journal) -> None:
        self._play = play
        self._control = control
        self._journal = journal
        self.problems: list[str] = []

    async def provoke(self, pairs: tuple[str, ...], cooling: str, held: str) -> None:
        """`pairs` are untouched ones; `cooling` was just rolled back, `held` is still open."""
        control = self._control
        thin, few, wide, off, halted, poor, full, loss = pairs[:PAIRS_NEEDED]
        await self._expect(Refusal.EDGE_BELOW_POLICY, control.edge(thin, 1))
        await self._expect(Refusal.SIZE_BELOW_VENUE_MINIMUM, control.edge(thin, 10, depth="3"))
        await self._expect(Refusal.BET_BELOW_MINIMUM, control.edge(few, 12, depth="5"))
        await self._expect(Refusal.ROI_ABOVE_POLICY, control.edge(wide, 48, fair=40))
        await self._expect(Refusal.PAIR_COOLING_DOWN, control.edge(cooling, 9, fair=45))
        await self._expect(Refusal.PAIR_ALREADY_OPEN, control.edge(held, 12, fair=45))
        await self._change(enabled=False)
        await self._expect(Refusal.DISABLED, control.edge(off, 8))
        await control.quiet(off)
        await self._change(enabled=True, min_bet="0.10", max_bet="0.50")
        await self._expect(Refusal.BET_ABOVE_MAXIMUM, control.edge(thin, 8))
        await control.quiet(thin)
        await self._change(**BETS)
        await self._halt(halted)
        await self._without_cash("polymarket", Refusal.POLYMARKET_CASH_TOO_LOW, poor, 8)
        await self._without_cash("kalshi", Refusal.KALSHI_CASH_TOO_LOW, poor, 9)
        await self._change(max_daily_loss="0")
        await self._expect(Refusal.DAILY_LOSS_REACHED, control.edge(loss, 8))
        await control.quiet(loss)
        await self._change(max_daily_loss="100", max_daily_trades=1)
        await self._expect(Refusal.DAILY_TRADES_REACHED, control.edge(full, 8))
        await control.quiet(full)
        await self._change(max_daily_trades=1_000)

    async def counts(self) -> Counter[str]:
        """How often each limit refused: what executors saw, and what the gate wrote down."""
        executors = await self._journal.read(presence.reports)
        counts: Counter[str] = Counter(await self._journal.refusals(Mode.SIM, 0))
        for executor in executors:
            refused = executor.report["refused"]
            assert isinstance(refused, dict), "an executor reports its refusals by reason"
            counts.update(refused)
        return counts

    async def _change(self, **settings: object) -> None:
        """Save settings; returns once every living executor goes by them."""
        await self._play.change(**settings)
        version = (await self._journal.settings.load()).version

        def in_force(session: Session) -> bool:
            alive = presence.reports(session, wall_ms() - presence.ALIVE_MS)
            return {one.report["settings_version"] for one in alive} == {version}

        await self._noticed(in_force, f"settings {version} to be in force")

    async def _halt(self, pair: str) -> None:
        """An executor that has not noticed yet is refused by the gate, under the same name."""
        by = Act("demo", "demo", wall_ms())
        await self._journal.halt("the demo pulls the latch", by)
        await self._expect(Refusal.HALTED, self._control.edge(pair, 8))
        await self._control.quiet(pair)
        await self._journal.resume(by)

    async def _without_cash(self, venue: str, reason: Refusal, pair: str, cents: int) -> None:
        """Move nearly all money away for a moment."""
        ledger: Any = (await self._control.state())[venue]
        away: dict[str, str] = ledger.get("shards") or {"0": ledger["cash"]}
        await self._move(venue, {shard: 1 - Decimal(cash) for shard, cash in away.items()})
        await self._expect(reason, self._control.edge(pair, cents))
        await self._control.quiet(pair)
        await self._move(venue, {shard: Decimal(cash) - 1 for shard, cash in away.items()})

    async def _move(self, venue: str, usd: Mapping[str, Decimal]) -> None:
        """Put money in by shard, or take it out; returns once the executor has asked since."""
        for shard, amount in usd.items():
            await self._control.cash(venue, amount, int(shard))
        moved_ms = wall_ms()

        def read(session: Session) -> bool:
            as_of_ms: int = balances.reported(session, Mode.SIM)[Venue(venue)].as_of_ms
            return as_of_ms > moved_ms

        await self._noticed(read, f"the cash at {venue} to be read")

    async def _noticed(self, holds: Callable[[Session], bool], what: str) -> None:
        deadline = time.monotonic() + NOTICED_SECONDS
        while not await self._journal.read(holds):
            if time.monotonic() > deadline:
                self.problems.append(f"expected {what} within {NOTICED_SECONDS:.0f} s")
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _expect(self, reason: Refusal, act: Coroutine[Any, Any, None]) -> None:
        before = (await self.counts())[reason]
        await act
        deadline = time.monotonic() + HEARD_SECONDS
        while (await self.counts())[reason] <= before:
            if time.monotonic() > deadline:
                self.problems.append(f"expected a refusal {reason}, found none")
                return
            await asyncio.sleep(POLL_SECONDS)
