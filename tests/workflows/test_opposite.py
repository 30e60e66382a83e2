"""What Polymarket does not let us sell is neutralised with the other outcome, where that may be."""

from dataclasses import replace
from decimal import Decimal

import pytest
from temporalio.client import WorkflowHandle

from domain.money import usd
from domain.order import Filled
from domain.policy import Bounds
from domain.trade import Phase, TradeStatus
from domain.venue import Action, Outcome, Venue
from store.arbitrages import ArbitrageState
from store.intents import StoredIntent
from tests.support.books import alarms, assert_books_balance
from tests.support.saying import said
from tests.support.trading import FEW_TRIES, Trading
from workflows import names
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import CloseRequest, MarkResolved, Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]
MAY_NOT = FEW_TRIES
MAY_BUY = replace(FEW_TRIES, buy_opposite=True)


async def unsellable(desk: Trading, pair: str, bounds: Bounds = MAY_BUY, times: int = 0) -> Handle:
    """Polymarket fills, Kalshi does not, and Polymarket refuses sales for lack of balance."""
    await desk.control.fault("polymarket", pair, "sell", "sell_refused", times=times)
    return await desk.reach(pair, Phase.UNWINDING, gone="kalshi", bounds=bounds)


async def purchases(desk: Trading, arb_id: str) -> list[StoredIntent]:
    """The orders for the other outcome."""
    state = await desk.desk.journal.arbitrage(arb_id)
    return [one for one in state.intents if state.buys_opposite(one.order)]


async def journaled(desk: Trading, arb_id: str) -> ArbitrageState:
    return await desk.desk.journal.arbitrage(arb_id)


@pytest.mark.parametrize("answer", ["yes", "no", "half"])
async def test_what_cannot_be_sold_is_neutralised_and_pays_the_same_whatever_the_answer(
    desk: Trading, pair: str, answer: str
) -> None:
    handle = await unsellable(desk, pair)
    held = await desk.until_at_rest(handle)
    leg = held.polymarket.state
    assert (held.phase, held.status) == (Phase.HOLDING, TradeStatus.PARTIAL)
    assert leg.held == held.kalshi.state.held == 0
    assert leg.neutral == leg.bought >= held.size
    assert held.payout == leg.neutral
    assert held.locked_profit is None
    assert not alarms(desk.database)
    (bought,) = await purchases(desk, held.arb_id)
    assert isinstance(bought.answer, Filled)
    assert (bought.order.action, bought.order.instrument.outcome) == (Action.BUY, Outcome.NO)
    sales = [
        one
        for one in (await journaled(desk, held.arb_id)).intents
        if one.order.action is Action.SELL
    ]
    assert len(sales) == MAY_BUY.unwind_attempts
    assert held.budget_left is not None
    assert held.budget_left >= 0
    await assert_books_balance(desk)

    await desk.control.resolve(pair, answer, "yes" if answer == "half" else answer)
    ended = await handle.result()
    assert (ended.phase, ended.status) == (Phase.SETTLED, TradeStatus.PARTIAL)
    (verdict,) = ended.verdicts
    spare = {"yes": Decimal(0), "no": leg.spare, "half": leg.spare / 2}[answer]
    assert verdict.venue is Venue.POLYMARKET
    assert abs(verdict.cash - leg.neutral - spare) <= Decimal("0.000002")
    assert ended.realised_profit == verdict.cash - leg.paid < 0
    assert not alarms(desk.database)
    await assert_books_balance(desk)


async def test_without_leave_a_person_is_asked_as_ever(steady: Trading, pair: str) -> None:
    handle = await unsellable(steady, pair, MAY_NOT)
    stuck = await steady.until_phase(handle, Phase.NEEDS_OPERATOR)
    assert stuck.polymarket.state.held > 0 == stuck.polymarket.state.neutral
    assert await purchases(steady, stuck.arb_id) == []
    assert alarms(steady.database) == {"UNHEDGED": 1}


async def test_a_sale_that_succeeds_in_time_needs_no_purchase(steady: Trading, pair: str) -> None:
    handle = await unsellable(steady, pair, times=1)
    ended = await handle.result()
    assert (ended.phase, ended.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
    assert await purchases(steady, ended.arb_id) == []
    await assert_books_balance(steady)


async def test_only_what_the_sibling_does_not_hedge_is_neutralised(
    steady: Trading, pair: str
) -> None:
    """Kalshi fills ten contracts: they stay a pair, the rest of Polymarket's leg is neutral."""
    await steady.control.fault("kalshi", pair, "buy", "partial", params={"size": "10"})
    await steady.control.fault("kalshi", pair, "buy", "kill", times=0)
    await steady.control.fault("polymarket", pair, "sell", "sell_refused", times=0)
    handle = await steady.hold(pair, bounds=MAY_BUY)
    held = await steady.until_at_rest(handle)
    leg = held.polymarket.state
    assert held.phase == Phase.HOLDING
    assert leg.held == held.kalshi.state.held == 10
    assert leg.neutral == leg.bought - 10
    assert held.payout == leg.bought
    await assert_books_balance(steady)
    await steady.control.resolve(pair, "no", "no")
    ended = await handle.result()
    assert ended.phase == Phase.SETTLED
    assert {one.venue: one.cash for one in ended.verdicts} == {
        Venue.POLYMARKET: leg.opposite,
        Venue.KALSHI: 10,
    }
    await assert_books_balance(steady)


async def test_a_purchase_that_is_refused_calls_a_person_and_is_tried_again_later(
    steady: Trading, pair: str
) -> None:
    """The pause after the alarm brings one more sale, then one more purchase."""
    await steady.control.fault("polymarket", pair, "buy", "delay", params={"ms": 0})
    await steady.control.fault("polymarket", pair, "buy", "kill", times=1)
    handle = await unsellable(steady, pair)
    await steady.until_phase(handle, Phase.NEEDS_OPERATOR)
    held = await steady.until_phase(handle, Phase.HOLDING)
    held = await steady.until_at_rest(handle)
    assert held.polymarket.state.held == 0 < held.polymarket.state.neutral
    answers = [one.answer for one in await purchases(steady, held.arb_id)]
    assert [isinstance(answer, Filled) for answer in answers] == [False, True]
    assert not alarms(steady.database)
    await assert_books_balance(steady)


@pytest.mark.parametrize("how", ["drop_after", "error_after"])
async def test_a_purchase_without_an_answer_is_looked_up_and_not_sent_again(
    steady: Trading, pair: str, how: str
) -> None:
    await steady.control.fault("polymarket", pair, "buy", "delay", params={"ms": 0})
    await steady.control.fault("polymarket", pair, "buy", how)
    handle = await unsellable(steady, pair)
    held = await steady.until_at_rest(handle)
    assert held.phase == Phase.HOLDING
    assert held.polymarket.state.held == 0
    assert len(await purchases(steady, held.arb_id)) == 1
    await assert_books_balance(steady)


async def test_a_purchase_that_is_voided_leaves_the_leg_naked_and_is_made_again(
    steady: Trading, pair: str
) -> None:
    await steady.control.fault("polymarket", pair, "buy", "delay", params={"ms": 0})
    await steady.control.fault("polymarket", pair, "buy", "ghost", params={"ms": 300})
    handle = await unsellable(steady, pair)

    def made_again(snapshot: Snapshot) -> bool:
        leg = snapshot.polymarket.state
        return snapshot.phase == Phase.HOLDING and leg.neutral > 0 and not snapshot.provisional

    held = await steady.until(handle, made_again)
    assert len(await purchases(steady, held.arb_id)) == 2
    await assert_books_balance(steady)


async def test_a_close_keeps_neutral_pairs_until_they_are_paid(steady: Trading, pair: str) -> None:
    """To sell both outcomes again could only cost more: nothing is sent, and it does not spin."""
    handle = await unsellable(steady, pair)
    await steady.until_at_rest(handle)
    await steady.control.clear_faults()
    before = len((await journaled(steady, handle.id)).intents)
    held = await handle.execute_update(
        names.CLOSE_POSITION, CloseRequest("ann"), result_type=Snapshot
    )
    assert (held.phase, held.closing) == (Phase.HOLDING, True)
    length = (await handle.describe()).history_length
    await steady.control.resolve(pair, "no", "no")
    assert (await handle.result()).phase == Phase.SETTLED
    assert len((await journaled(steady, handle.id)).intents) == before
    assert (await handle.describe()).history_length < length + 60
    await assert_books_balance(steady)


async def test_pairs_that_a_person_merged_by_hand_end_on_his_word(
    steady: Trading, pair: str
) -> None:
    handle = await unsellable(steady, pair)
    held = await steady.until_at_rest(handle)
    leg = held.polymarket.state
    merged = MarkResolved("ann", "merged in the wallet", usd(leg.neutral))
    ended = await said(handle, names.MARK_RESOLVED, merged)
    assert ended.phase == Phase.FLAT
    assert ended.realised_profit == leg.neutral - leg.paid


async def test_a_close_of_a_pair_with_neutral_contracts_beside_sells_the_pair_alone(
    steady: Trading, pair: str
) -> None:
    await steady.control.fault("kalshi", pair, "buy", "partial", params={"size": "10"})
    await steady.control.fault("kalshi", pair, "buy", "kill", times=0)
    await steady.control.fault("polymarket", pair, "sell", "sell_refused", times=2)
    handle = await steady.hold(pair, bounds=MAY_BUY)
    held = await steady.until_at_rest(handle)
    neutral = held.polymarket.state.neutral
    assert held.polymarket.state.held == held.kalshi.state.held == 10
    left = await handle.execute_update(
        names.CLOSE_POSITION, CloseRequest("ann"), result_type=Snapshot
    )
    assert left.phase == Phase.HOLDING
    assert left.polymarket.state.held == left.kalshi.state.held == 0
    assert left.polymarket.state.neutral == neutral > 0
    await steady.until_at_rest(handle)
    await assert_books_balance(steady)
    await steady.control.resolve(pair, "yes", "yes")
    assert (await handle.result()).phase == Phase.SETTLED
    await assert_books_balance(steady)
