"""Two executors are restarted in turn while trades arrive all the time and answers are lost."""

import asyncio
import math
from pathlib import Path
from random import Random

import pytest

from app.demo.freeplay import TROUBLES
from store.journal import Journal
from tests.chaos.around import Around
from tests.chaos.campaign import SETTINGS, Result, conclude
from tests.chaos.soak import Soak
from tests.chaos.stack import Stack, now_ms
from tests.chaos.start import ORDER_MS, running
from tests.chaos.trader import Trader

SEED = 7
LANES = 3
PAIRS = 40
BEFORE = 2
"""Trades that have begun before the restarts, and after them."""
LOST = (
    ("kalshi", "buy", "hang", "0.2", {"ms": 2 * ORDER_MS}),
    ("polymarket", "buy", "drop_before", "0.1", {}),
    *((venue, action, do, chance, {}) for venue, action, do, chance in TROUBLES),
)
"""Venue, action, what goes wrong, with which probability, and how."""


@pytest.mark.slow
@pytest.mark.temporal
@pytest.mark.timeout(300)
async def test_a_rolling_restart_under_load_breaks_no_promise(tmp_path: Path) -> None:
    result = Result(SEED)
    async with running(tmp_path, SEED, PAIRS, told=False) as stack:
        journal = await asyncio.to_thread(Journal.open, stack.database, now_ms())
        try:
            trader = Trader(stack, journal)
            await trader.operator.save(**SETTINGS)
            soak = Soak(trader, math.inf, Random(SEED))
            began_between = await _roll_under_load(stack, Around(trader), soak)
        finally:
            journal.close()
        await conclude(result, stack, {})
        world = await stack.world()
    assert soak.violations + result.violations == []
    assert result.duplicate_orders == result.drift_usd == 0
    assert stack.takeovers == 2
    assert began_between > 0, "the restarts are under load"
    senders = {sent.process for sent in world.sent}
    assert len(senders) == 3, "the executor, the spare, and the executor that was started again"


async def _roll_under_load(stack: Stack, around: Around, soak: Soak) -> int:
    """Trade before, during and after; how many trades began between both ends."""
    for venue, action, do, chance, how in LOST:
        await stack.control.fault(venue, "*", action, do, times=0, probability=chance, params=how)
    pairs = list(stack.pairs)
    await stack.spare.start()
    try:
        async with asyncio.TaskGroup() as group:
            for lane in range(LANES):
                group.create_task(soak.trade(pairs[lane::LANES]))
            await _more_trades(soak)
            before = soak.trades
            await around.roll()
            during = soak.trades - before
            await _more_trades(soak)
            soak.until = 0
        await stack.control.clear_faults()
    finally:
        await stack.spare.stop()
    return during


async def _more_trades(soak: Soak) -> None:
    """Until some have begun."""
    before = soak.trades
    while soak.trades < before + BEFORE:
        assert not soak.violations
        await asyncio.sleep(0.1)
