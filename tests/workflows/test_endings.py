"""Every way an arbitrage can end, on real exchanges, a real server and a real journal."""

from decimal import Decimal

import pytest

from domain.money import usd
from domain.order import Rejection
from domain.trade import Phase, TradeStatus
from domain.venue import Venue
from tests.support.books import alarms, assert_books_balance
from tests.support.trading import ORDER_MS, Trading
from tests.workflows.test_operator import stuck
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import RetryRequest, Snapshot

LOST_ANSWERS = ("hang", "drop_after", "error_after")
OTHER = {Venue.POLYMARKET: Venue.KALSHI, Venue.KALSHI: Venue.POLYMARKET}


def leg(snapshot: Snapshot, venue: Venue) -> Decimal:
    """Contracts held at a venue."""
    report = snapshot.polymarket if venue is Venue.POLYMARKET else snapshot.kalshi
    return report.state.held


def bought(snapshot: Snapshot, venue: Venue) -> Decimal:
    """Contracts bought at a venue."""
    report = snapshot.polymarket if venue is Venue.POLYMARKET else snapshot.kalshi
    return report.state.bought


async def test_both_legs_fill_and_the_pair_is_locked(desk: Trading, pair: str) -> None:
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    assert snapshot.polymarket.state.held == snapshot.kalshi.state.held == snapshot.size
    assert snapshot.locked_profit is not None
    assert snapshot.locked_profit > 0
    await assert_books_balance(desk)


@pytest.mark.parametrize(("answer", "pays"), [("yes", "1 0"), ("no", "0 1")])
async def test_a_locked_pair_is_paid_whatever_the_answer(
    desk: Trading, pair: str, answer: str, pays: str
) -> None:
    handle = await desk.hold(pair)
    locked = await desk.until_at_rest(handle)
    await desk.control.resolve(pair, answer, answer)
    snapshot = await handle.result()
    assert (snapshot.phase, snapshot.status) == (Phase.SETTLED, TradeStatus.SUCCESS)
    assert " ".join(str(verdict.pays) for verdict in snapshot.verdicts) == pays
    assert snapshot.realised_profit == locked.locked_profit
    assert not alarms(desk.database)
    await assert_books_balance(desk)


@pytest.mark.parametrize(("polymarket", "kalshi"), [("half", "yes"), ("half", "no"), ("no", "yes")])
async def test_venues_that_disagree_raise_an_alarm_and_both_payouts_are_booked(
    steady: Trading, pair: str, polymarket: str, kalshi: str
) -> None:
    handle = await steady.hold(pair)
    await steady.control.resolve(pair, polymarket, kalshi)
    snapshot = await handle.result()
    assert snapshot.phase == Phase.SETTLED
    assert alarms(steady.database) == {"RESOLUTION_MISMATCH": 1}
    await assert_books_balance(steady)


async def test_one_venue_that_has_paid_settles_nothing(steady: Trading, pair: str) -> None:
    handle = await steady.hold(pair)
    held = await steady.until_at_rest(handle)
    await steady.control.resolve(pair, polymarket=None, kalshi="no")
    with pytest.raises(TimeoutError):
        await steady.until(handle, lambda snapshot: snapshot.phase != held.phase, seconds=0.5)
    await steady.control.resolve(pair, polymarket="no", kalshi=None)
    assert (await handle.result()).phase == Phase.SETTLED
    await assert_books_balance(steady)


@pytest.mark.parametrize("killed", list(Venue))
@pytest.mark.parametrize("how", ["kill", "refuse", "rate_limited"])
async def test_a_leg_that_is_not_filled_rolls_the_other_back(
    desk: Trading, pair: str, killed: Venue, how: str
) -> None:
    await desk.control.fault(killed, pair, "buy", how)
    snapshot = await desk.trade(pair, gone=killed)
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
    assert leg(snapshot, OTHER[killed]) == 0 < bought(snapshot, OTHER[killed])
    assert bought(snapshot, killed) == 0
    assert snapshot.realised_profit is not None
    assert snapshot.realised_profit < 0
    await assert_books_balance(desk)


@pytest.mark.parametrize("killed", list(Venue))
async def test_a_killed_leg_that_is_still_offered_is_bought_again(
    desk: Trading, pair: str, killed: Venue
) -> None:
    await desk.control.fault(killed, pair, "buy", "kill")
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    assert leg(snapshot, Venue.POLYMARKET) == leg(snapshot, Venue.KALSHI) == snapshot.size
    await assert_books_balance(desk)


async def test_two_killed_legs_leave_nothing(desk: Trading, pair: str) -> None:
    for venue in Venue:
        await desk.control.fault(venue, pair, "buy", "kill")
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.FAILED)
    assert snapshot.realised_profit == 0
    await assert_books_balance(desk)


@pytest.mark.parametrize("venue", list(Venue))
@pytest.mark.parametrize("how", LOST_ANSWERS)
async def test_an_answer_that_is_lost_after_the_match_is_found_at_its_venue(
    desk: Trading, pair: str, venue: Venue, how: str
) -> None:
    await desk.control.fault(venue, pair, "buy", how, params={"ms": 2 * ORDER_MS})
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    assert any(line.phase == Phase.RESOLVING for line in snapshot.story)
    await assert_books_balance(desk)


async def test_two_lost_answers_are_found_together(desk: Trading, pair: str) -> None:
    for venue in Venue:
        await desk.control.fault(venue, pair, "buy", "drop_after")
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    await assert_books_balance(desk)


@pytest.mark.parametrize("venue", list(Venue))
@pytest.mark.parametrize("how", ["drop_before", "error_before"])
async def test_an_order_that_never_arrived_is_given_up_after_its_quarantine(
    desk: Trading, pair: str, venue: Venue, how: str
) -> None:
    await desk.control.fault(venue, pair, "buy", how)
    snapshot = await desk.trade(pair, gone=venue)
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
    state = await desk.desk.journal.arbitrage(snapshot.arb_id)
    (entry,) = (
        intent
        for intent in state.intents
        if intent.order.venue is venue and intent.order.purpose == "entry"
    )
    assert getattr(entry.answer, "rejection", None) is Rejection.NEVER_ARRIVED
    seen = await desk.desk.journal.observations(entry.order.intent_id)
    assert len({one.source for one in seen if one.found is False}) >= 2
    await assert_books_balance(desk)


@pytest.mark.parametrize("sold", list(Venue))
@pytest.mark.parametrize("times", [1, 3])
async def test_a_refused_sale_is_tried_again_until_it_sells(
    desk: Trading, pair: str, sold: Venue, times: int
) -> None:
    await desk.control.fault(sold, pair, "sell", "kill", times=times)
    snapshot = await desk.trade(pair, gone=OTHER[sold])
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
    state = await desk.desk.journal.arbitrage(snapshot.arb_id)
    sales = [one for one in state.intents if one.order.purpose == "unwind"]
    assert len(sales) == times + 1
    assert alarms(desk.database, open_only=False) == {"UNHEDGED": 1}
    assert not alarms(desk.database)
    await assert_books_balance(desk)


@pytest.mark.parametrize("sold", list(Venue))
@pytest.mark.parametrize("how", ["drop_after", "error_after", "drop_before"])
async def test_a_sale_without_an_answer_is_looked_up_before_anything_else_is_sold(
    desk: Trading, pair: str, sold: Venue, how: str
) -> None:
    await desk.control.fault(sold, pair, "sell", how)
    snapshot = await desk.trade(pair, gone=OTHER[sold])
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
    state = await desk.desk.journal.arbitrage(snapshot.arb_id)
    sales = [one for one in state.intents if one.order.purpose == "unwind"]
    assert len(sales) == (2 if how == "drop_before" else 1)
    await assert_books_balance(desk)


@pytest.mark.parametrize("void_ms", [10, 3_000])
async def test_a_voided_fill_that_nobody_offers_any_more_is_rolled_back(
    desk: Trading, pair: str, void_ms: int
) -> None:
    """Before the pair is held, and while it is held with a provisional leg."""
    await desk.control.fault("polymarket", pair, "buy", "ghost", params={"ms": void_ms})
    handle = await desk.reach(pair, Phase.HOLDING, Phase.UNWINDING, Phase.FLAT)
    held = await desk.until_phase(handle, Phase.HOLDING, Phase.UNWINDING, Phase.FLAT)
    await desk.withdraw(pair, "polymarket")
    snapshot = await handle.result() if void_ms > 10 else await desk.until_at_rest(handle)
    if void_ms > 10:
        assert held.phase == Phase.HOLDING
        assert held.provisional
        assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
        assert bought(snapshot, Venue.POLYMARKET) == 0 < bought(snapshot, Venue.KALSHI)
    await assert_books_balance(desk)


async def test_a_voided_fill_that_is_still_offered_is_bought_again(
    desk: Trading, pair: str
) -> None:
    await desk.control.fault("polymarket", pair, "buy", "ghost", params={"ms": 300})
    handle = await desk.reach(pair, Phase.UNWINDING)
    snapshot = await desk.until_at_rest(handle)
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    assert leg(snapshot, Venue.POLYMARKET) == leg(snapshot, Venue.KALSHI) == snapshot.size
    await assert_books_balance(desk)


async def test_what_a_partial_fill_lacks_is_bought(desk: Trading, pair: str) -> None:
    await desk.control.fault("kalshi", pair, "buy", "partial", params={"size": "15"})
    snapshot = await desk.trade(pair)
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    assert leg(snapshot, Venue.POLYMARKET) == leg(snapshot, Venue.KALSHI) == snapshot.size
    await assert_books_balance(desk)


async def test_what_a_partial_fill_lacks_below_the_minimum_is_sold_at_the_other_venue(
    desk: Trading, pair: str
) -> None:
    """Polymarket takes no order for the missing three contracts."""
    await desk.control.fault("polymarket", pair, "buy", "partial", params={"size": "21"})
    snapshot = await desk.trade(pair, cents=20)
    assert (snapshot.phase, snapshot.status) == (Phase.HOLDING, TradeStatus.SUCCESS)
    assert leg(snapshot, Venue.POLYMARKET) == leg(snapshot, Venue.KALSHI) == 21 < snapshot.size
    assert snapshot.payout == usd(21)
    assert snapshot.locked_profit is not None
    assert snapshot.locked_profit > 0
    await assert_books_balance(desk)


async def test_what_is_too_little_to_sell_stays_as_dust(desk: Trading, pair: str) -> None:
    """Polymarket sells whole hundredths; what is left under the dust limit ends the trade."""
    await desk.control.fault("polymarket", pair, "buy", "partial", params={"size": "7.123456"})
    snapshot = await desk.trade(pair, gone="kalshi")
    assert snapshot.phase == Phase.FLAT
    assert leg(snapshot, Venue.POLYMARKET) == Decimal("0.003456")
    await assert_books_balance(desk)


async def test_a_sale_beyond_the_loss_budget_waits_for_a_person(desk: Trading, pair: str) -> None:
    handle = await stuck(desk, pair)
    naked = await desk.until_phase(handle, Phase.NEEDS_OPERATOR)
    assert naked.status == TradeStatus.ROLLBACK_FAILED
    assert leg(naked, Venue.POLYMARKET) > 0
    assert alarms(desk.database) == {"UNHEDGED": 1}
    await desk.withdraw(pair, "kalshi")
    await handle.execute_update(ArbitrageWorkflow.retry_unwind, RetryRequest("ann"))
    snapshot = await handle.result()
    assert (snapshot.phase, snapshot.status) == (Phase.FLAT, TradeStatus.ROLLED_BACK)
    assert any("retry by ann" in line.said for line in snapshot.story)
    assert not alarms(desk.database)
    await assert_books_balance(desk)


async def test_bids_that_come_back_are_taken_without_a_person(desk: Trading, pair: str) -> None:
    handle = await stuck(desk, pair)
    await desk.until_phase(handle, Phase.NEEDS_OPERATOR)
    await desk.withdraw(pair, "kalshi")
    assert (await handle.result()).phase == Phase.FLAT
    await assert_books_balance(desk)
