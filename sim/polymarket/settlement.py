"""From an off-chain match to the chain: MATCHED, MINED, CONFIRMED, or FAILED and undone."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

from eth_utils.crypto import keccak

from sim.polymarket.knobs import Knobs
from sim.polymarket.orders import Side
from sim.polymarket.trades import Trade
from sim.units import ONE
from sim.wire import pause


@dataclass(frozen=True, slots=True)
class Fate:
    """What will become of a trade: times in milliseconds between its statuses."""

    fails: bool
    fail_ms: int
    retrying: bool
    mined_ms: int
    confirmed_ms: int


class Settlement:
    """Books trades into wallets and drives each through its statuses on its own task."""

    def __init__(self, seed: int, clock: Callable[[], int], moved: Callable[[Trade], None]) -> None:
        self._rng = Random(seed)
        self._clock = clock
        self._moved = moved
        self._tasks: set[asyncio.Task[None]] = set()

    def fate(self, knobs: Knobs, ghost_ms: int | None) -> Fate:
        """Draw a fate; `ghost_ms` scripts a failure after that time."""
        drawn = self._rng.randrange(ONE) < knobs.fail_probability
        retrying = self._rng.randrange(ONE) < knobs.retrying_probability
        scripted = ghost_ms is not None
        return Fate(
            fails=scripted or drawn,
            fail_ms=ghost_ms if ghost_ms is not None else knobs.fail_ms,
            retrying=retrying and not scripted,
            mined_ms=knobs.settle_mined_ms,
            confirmed_ms=knobs.settle_confirmed_ms,
        )

    def open(self, trade: Trade, fate: Fate) -> None:
        """Book the match: a buyer's cash and fee, a seller's tokens leave at once."""
        wallet, token = trade.order.wallet, trade.order.token
        if trade.order.side is Side.BUY:
            wallet.account.book("buy", trade.id, asset=token, cash=-trade.dollars)
            if trade.fee:
                wallet.account.book("fee", trade.id, asset=token, cash=-trade.fee)
            wallet.expect(token, trade.size)
        else:
            wallet.account.book("sell", trade.id, asset=token, position=-trade.size)
            wallet.pending_cash += trade.dollars - trade.fee
        trade.updated_ns = trade.matched_ns
        self._moved(trade)
        self.spawn(self._run(trade, fate))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the requests, and keep it alive until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def close(self) -> None:
        """End all running settlements."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            raise RuntimeError("settlement broke") from task.exception()

    async def _run(self, trade: Trade, fate: Fate) -> None:
        if fate.retrying:
            await pause(fate.mined_ms)
            self._step(trade, "RETRYING")
        if fate.fails:
            await pause(fate.fail_ms)
            self._undo(trade)
            self._step(trade, "FAILED")
            return
        await pause(fate.mined_ms)
        self._deliver(trade)
        self._step(trade, "MINED")
        await pause(fate.confirmed_ms)
        trade.order.wallet.unseen.pop(trade.id, None)
        self._step(trade, "CONFIRMED")

    def _step(self, trade: Trade, status: str) -> None:
        trade.move(status, self._clock())
        self._moved(trade)

    def _deliver(self, trade: Trade) -> None:
        wallet, token = trade.order.wallet, trade.order.token
        trade.transaction_hash = "0x" + keccak(trade.id.encode()).hex()
        if trade.order.side is Side.BUY:
            wallet.expect(token, -trade.size)
            wallet.account.book("tokens", trade.id, asset=token, position=trade.size)
            wallet.unseen[trade.id] = (token, trade.size)
            return
        wallet.pending_cash -= trade.dollars - trade.fee
        wallet.account.book("proceeds", trade.id, asset=token, cash=trade.dollars)
        if trade.fee:
            wallet.account.book("fee", trade.id, asset=token, cash=-trade.fee)

    def _undo(self, trade: Trade) -> None:
        wallet, token = trade.order.wallet, trade.order.token
        if trade.order.side is Side.BUY:
            wallet.expect(token, -trade.size)
            wallet.account.book("void", trade.id, asset=token, cash=trade.dollars + trade.fee)
            return
        wallet.pending_cash -= trade.dollars - trade.fee
        wallet.account.book("void", trade.id, asset=token, position=trade.size)
