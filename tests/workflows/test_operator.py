"""What an operator may say while an arbitrage runs, and what a cancel does in every phase."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from temporalio.client import (
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)

from app.demo.control import Quote
from app.intake import start
from domain.money import Price, price, usd
from domain.trade import Phase
from domain.venue import Venue
from tests.support.books import alarms, assert_books_balance
from tests.support.trading import FEW_TRIES, ORDER_MS, Trading
from tests.workflows.conftest import Hire
from workflows import names
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import CloseRequest, RetryRequest, Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]
ABOVE, AT_BID = price("0.41"), price("0.40")
"""What Kalshi's NO is not bid, and what it is, while its YES is offered at 0.60."""


async def sales(desk: Trading, arb_id: str) -> int:
    """How many orders to sell the journal holds."""
    state = await desk.desk.journal.arbitrage(arb_id)
    return sum(one.order.action == "sell" for one in state.intents)


async def close(handle: Handle, **request: object) -> Snapshot:
    """An operator closes the arbitrage and waits for what comes of it."""
    word = CloseRequest("ann", **request)  # type: ignore[arg-type]
    closed: Snapshot = await handle.execute_update(names.CLOSE_POSITION, word, result_type=Snapshot)
    return closed


def refusal_of(error: pytest.ExceptionInfo[WorkflowUpdateFailedError]) -> str:
    """Why the validator said no."""
    return str(error.value.cause)


async def test_a_close_sells_both_legs_of_a_held_pair(desk: Trading, pair: str) -> None:
    handle = await desk.hold(pair)
    snapshot = await close(handle)
    assert snapshot.phase == Phase.FLAT
    assert snapshot.polymarket.state.held == snapshot.kalshi.state.held == 0
    assert any("close by ann" in line.said for line in snapshot.story)
    assert await sales(desk, snapshot.arb_id) == 2
    await assert_books_balance(desk)


async def test_a_close_of_a_provisional_pair_waits_for_the_chain(desk: Trading, pair: str) -> None:
    async with desk.slow_chain(3_000):
        handle = await desk.reach(pair, Phase.HOLDING)
        held = await desk.until_phase(handle, Phase.HOLDING)
        assert held.provisional
        snapshot = await close(handle)
    assert snapshot.phase == Phase.FLAT
    await assert_books_balance(desk)


async def test_a_fill_voided_under_a_close_is_not_sold(steady: Trading, pair: str) -> None:
    await steady.control.fault("polymarket", pair, "buy", "ghost", params={"ms": 3_000})
    handle = await steady.reach(pair, Phase.HOLDING)
    snapshot = await close(handle)
    assert snapshot.phase == Phase.FLAT
    assert await sales(steady, snapshot.arb_id) == 1
    await assert_books_balance(steady)


async def test_two_closes_at_once_get_one_result(desk: Trading, pair: str) -> None:
    handle = await desk.hold(pair)
    first = await handle.start_update(
        names.CLOSE_POSITION,
        CloseRequest("ann"),
        result_type=Snapshot,
        wait_for_stage=WorkflowUpdateStage.ACCEPTED,
    )
    second = await handle.start_update(
        names.CLOSE_POSITION,
        CloseRequest("bob"),
        result_type=Snapshot,
        wait_for_stage=WorkflowUpdateStage.ACCEPTED,
    )
    for update in (first, second):
        assert (await update.result()).phase == Phase.FLAT
    assert await sales(desk, handle.id) == 2
    await assert_books_balance(desk)


async def test_a_close_delivered_twice_is_one_close(steady: Trading, pair: str) -> None:
    handle = await steady.hold(pair)
    for _ in range(2):
        snapshot = await handle.execute_update(
            names.CLOSE_POSITION,
            CloseRequest("ann"),
            id="the same click",
            result_type=Snapshot,
        )
        assert snapshot.phase == Phase.FLAT
    assert sum("close by ann" in line.said for line in (await handle.result()).story) == 1
    assert await sales(steady, handle.id) == 2
    await assert_books_balance(steady)


async def test_a_close_within_a_loss_asks_again_and_a_wider_word_is_heard(
    desk: Trading, pair: str
) -> None:
    handle = await desk.hold(pair, bounds=FEW_TRIES)
    stuck = await close(handle, loss_max=usd("0.01"))
    assert stuck.phase == Phase.NEEDS_OPERATOR
    assert await sales(desk, handle.id) == 0
    assert alarms(desk.database) == {"UNHEDGED": 1}
    still_stuck = await close(handle, loss_max=usd("0.02"))
    assert still_stuck.phase == Phase.NEEDS_OPERATOR
    assert still_stuck.revision > stuck.revision
    assert (await close(handle, loss_max=usd(20))).phase == Phase.FLAT
    assert not alarms(desk.database)
    await assert_books_balance(desk)


async def test_a_close_sells_nothing_below_its_limits(desk: Trading, pair: str) -> None:
    handle = await desk.hold(pair, bounds=replace(FEW_TRIES, buy_opposite=True))
    await desk.control.books(pair, Quote("0.48", "0.50"), Quote("0.58", "0.60"))
    stuck = await close(handle, limits={Venue.POLYMARKET: price("0.49"), Venue.KALSHI: ABOVE})
    assert stuck.phase == Phase.NEEDS_OPERATOR
    assert stuck.polymarket.state.held == stuck.kalshi.state.held == stuck.size
    assert await sales(desk, handle.id) == 0
    closed = await close(handle, limits={Venue.POLYMARKET: price("0.48"), Venue.KALSHI: AT_BID})
    assert closed.phase == Phase.FLAT
    state = await desk.desk.journal.arbitrage(handle.id)
    sold = {one.order.venue: one.order.limit for one in state.intents if one.order.action == "sell"}
    assert sold == {Venue.POLYMARKET: price("0.48"), Venue.KALSHI: AT_BID}
    await assert_books_balance(desk)


async def test_a_limit_out_of_range_is_refused(steady: Trading, pair: str) -> None:
    handle = await steady.hold(pair)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await close(handle, limits={Venue.KALSHI: Price(Decimal(1))})
    assert refusal_of(refused) == "BadRequest: limits: expected kalshi's between 0 and 1, found 1"


async def test_a_close_out_of_season_is_refused_in_words(steady: Trading, pair: str) -> None:
    handle = await steady.hold(pair)
    with pytest.raises(WorkflowUpdateFailedError) as nothing_to_retry:
        await handle.execute_update(ArbitrageWorkflow.retry_unwind, RetryRequest("ann"))
    assert refusal_of(nothing_to_retry) == (
        "WrongPhase: HOLDING: there is not an unwind to retry; "
        "possible in NEEDS_OPERATOR, UNWINDING, CLOSING"
    )
    with pytest.raises(WorkflowUpdateFailedError) as negative:
        await close(handle, loss_max=usd(-1))
    assert refusal_of(negative) == "BadRequest: loss_max: expected 0 or more, found -1"
    assert (await handle.query(ArbitrageWorkflow.snapshot)).phase == Phase.HOLDING
    await assert_books_balance(steady)


async def held(desk: Trading, pair: str) -> Handle:
    return await desk.hold(pair)


async def held_provisionally(desk: Trading, pair: str) -> Handle:
    async with desk.slow_chain(500):
        return await desk.reach(pair, Phase.HOLDING)


async def placing(desk: Trading, pair: str) -> Handle:
    for venue in Venue:
        await desk.control.fault(venue, pair, "buy", "hang", params={"ms": ORDER_MS // 2})
    return await desk.reach(pair, Phase.PLACING)


async def resolving(desk: Trading, pair: str) -> Handle:
    await desk.control.fault("kalshi", pair, "buy", "drop_before")
    return await desk.reach(pair, Phase.RESOLVING)


async def unwinding(desk: Trading, pair: str) -> Handle:
    await desk.control.fault("kalshi", pair, "sell", "kill", times=4)
    return await desk.reach(pair, Phase.UNWINDING, gone="polymarket")


async def stuck(desk: Trading, pair: str) -> Handle:
    return await desk.reach(
        pair, Phase.NEEDS_OPERATOR, gone="kalshi", polymarket_bid="0.01", bounds=FEW_TRIES
    )


@pytest.mark.parametrize("reach", [placing, resolving, unwinding, held, held_provisionally, stuck])
async def test_a_cancel_sells_everything_and_ends(
    desk: Trading, pair: str, reach: Callable[[Trading, str], Awaitable[Handle]]
) -> None:
    handle = await reach(desk, pair)
    await handle.cancel()
    snapshot = await handle.result()
    assert snapshot.phase == Phase.FLAT
    assert snapshot.polymarket.state.held == snapshot.kalshi.state.held == 0
    assert any(line.said == "cancelled" for line in snapshot.story)
    assert not alarms(desk.database)
    await assert_books_balance(desk)


async def test_a_cancel_before_anything_was_reserved_leaves_nothing(hire: Hire, pair: str) -> None:
    """The arbitrage is started and cancelled while nobody works; then somebody does."""
    async with hire() as away:
        await away.control.edge(pair, 8)
        opportunity = await away.opportunity(pair)
    plan = away.plan(replace(opportunity, seen_ns=time.time_ns()))
    handle = await start(away.client, away.task_queue, plan)
    await handle.cancel()
    async with hire() as desk:
        assert (await handle.result()).phase in (Phase.FLAT, Phase.REFUSED)
        await assert_books_balance(desk)
        state = await desk.control.state()
    assert not [order for order in state["kalshi"]["orders"] if order["pair"] == pair]  # type: ignore[attr-defined]
