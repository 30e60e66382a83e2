"""A person was called and sells at the venue's own page, while the saga goes on trying."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowHandle

from domain.money import ZERO
from domain.order import Purpose
from domain.trade import Phase
from domain.venue import TimeInForce, Venue
from tests.support.books import assert_books_balance
from tests.support.strangers import sell_by_hand
from tests.support.trading import FEW_TRIES, QUICK, Trading
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import Snapshot

UNHURRIED = replace(QUICK, unwind_pause_ms_max=1_000)
"""Time for a hand before the next try."""
Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]


async def called(desk: Trading, pair: str) -> Handle:
    """Kalshi is naked, and has refused to buy it back until a person was called."""
    await desk.control.fault("kalshi", pair, "sell", "kill", times=FEW_TRIES.unwind_attempts)
    handle = await desk.reach(
        pair, Phase.NEEDS_OPERATOR, gone="polymarket", bounds=FEW_TRIES, timing=UNHURRIED
    )
    await desk.until_phase(handle, Phase.NEEDS_OPERATOR)
    return handle


async def sold(desk: Trading, pair: str) -> Handle:
    """The same, and that person has sold what Kalshi holds in the venue's own page."""
    handle = await called(desk, pair)
    snapshot = await handle.query(ArbitrageWorkflow.snapshot)
    await sell_by_hand(desk, Venue.KALSHI, pair, snapshot.kalshi.state.held)
    return handle


async def held(desk: Trading, venue: Venue, pair: str) -> list[tuple[str, Decimal]]:
    """What the exchange's own ledger says that we hold of the pair."""
    ledger: Any = (await desk.control.state())[venue]
    rows = [one for one in ledger["positions"] if one["pair"] == pair]
    return [(one["outcome"], Decimal(one["size"])) for one in rows if Decimal(one["size"])]


async def tries(desk: Trading, handle: Handle, more: int) -> Snapshot:
    """So many further tries later."""
    before = await handle.query(ArbitrageWorkflow.snapshot)

    def later(now: Snapshot) -> bool:
        seen = [one for one in now.story if one.at_ms > before.story[-1].at_ms]
        return now.phase.ended or sum(one.phase is Phase.NEEDS_OPERATOR for one in seen) >= more

    return await desk.until(handle, later, seconds=30)


async def test_what_a_person_sold_at_kalshi_is_not_sold_again(steady: Trading, pair: str) -> None:
    """A sale beyond the position would open the other side, which nobody's books would know."""
    handle = await sold(steady, pair)
    assert await held(steady, Venue.KALSHI, pair) == []
    after = await tries(steady, handle, 2)
    assert await held(steady, Venue.KALSHI, pair) == []
    assert after.phase is Phase.NEEDS_OPERATOR, after.story


async def test_the_other_leg_of_what_a_person_sold_is_not_bought(
    steady: Trading, pair: str
) -> None:
    handle = await sold(steady, pair)
    await steady.control.edge(pair, 8)
    after = await tries(steady, handle, 2)
    assert await held(steady, Venue.POLYMARKET, pair) == []
    assert await held(steady, Venue.KALSHI, pair) == []
    assert after.phase is Phase.NEEDS_OPERATOR, after.story


async def test_after_the_call_kalshi_is_sold_with_orders_that_can_only_reduce(
    steady: Trading, pair: str
) -> None:
    """Between the look at the position and the order a hand may still be quicker."""
    handle = await called(steady, pair)
    ended = await handle.result()
    assert ended.phase is Phase.FLAT, ended.story
    assert ended.kalshi.state.held == ZERO
    state = await steady.desk.journal.arbitrage(ended.arb_id)
    sales = [one.order for one in state.intents if one.order.purpose is Purpose.UNWIND]
    assert [one.time_in_force for one in sales] == [TimeInForce.FOK] * 2 + [TimeInForce.IOC]
    assert sales[-1].reduce_only
    await assert_books_balance(steady)
