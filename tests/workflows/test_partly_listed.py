"""Polymarket fills a part of a sale, against its own rules, while the executor dies: what its
listing shows is what happened, and until that is all of it the alarm says how much it is."""

import asyncio
import signal
import time
from dataclasses import replace
from decimal import Decimal

from app.intake import start
from domain.evidence import Quarantine
from domain.order import Filled
from domain.trade import Phase, TradeStatus
from store.place import Place
from tests.support.books import alarms, assert_books_balance
from tests.support.places import snapshot
from tests.support.scene import Scene
from tests.support.trading import QUICK

SOLD = Decimal(8)
DIES_SECONDS = 60
PATIENT = replace(QUICK, task_timeout_ms=1_000, polymarket_quarantine=Quarantine(wait_ms=12_000))
"""Long enough for the alarm to open before anything is concluded."""


def told(database: Place) -> str:
    """What the alarms about orders without an answer said, closed ones too."""
    rows = snapshot(database, "alarms")["alarms"]
    return "\n".join(row["detail"] for row in rows if row["code"] == "UNKNOWN_LEG")


async def test_a_sale_of_which_only_trades_are_left_is_concluded_from_them(
    scene: Scene, pair: str
) -> None:
    async with scene.hire() as away:
        await away.control.edge(pair, 8)
        opportunity = await away.opportunity(pair)
        await away.withdraw(pair, "kalshi")
        await away.control.fault("polymarket", pair, "sell", "partial", params={"size": str(SOLD)})
        await away.control.knobs("polymarket", order_vanish_ms=10)
        await away.read_balances()
    with scene.process("P10/polymarket/unwind:1") as first:
        plan = away.plan(replace(opportunity, seen_ns=time.time_ns()), timing=PATIENT)
        handle = await start(scene.client, scene.task_queue, plan)
        assert await asyncio.to_thread(first.process.wait, DIES_SECONDS) == -signal.SIGKILL
    async with scene.hire() as second:
        try:
            snapshot = await second.until_at_rest(handle, seconds=40)
        finally:
            await second.control.knobs("polymarket", order_vanish_ms=1_000)
        assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
        state = await second.desk.journal.arbitrage(snapshot.arb_id)
        cut, *others = [one for one in state.intents if one.order.purpose == "unwind"]
        assert isinstance(cut.answer, Filled)
        assert sum(fill.size for fill in cut.answer.fills) == SOLD < cut.order.size
        rest = [one.order.size for one in others if isinstance(one.answer, Filled)]
        assert sum(rest) == cut.order.size - SOLD
        left = snapshot.polymarket.state.bought - SOLD
        said = told(second.database)
        assert f"{SOLD}.000000 of {cut.order.size} listed" in said or f"{SOLD} of" in said
        assert f"without it polymarket holds {left}" in said
        assert not alarms(second.database)
        await assert_books_balance(second)
