"""The trade log and the positions, from the first fill to the settled result."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import inspect

from domain.money import price, size, usd
from domain.order import Answer, Filled, FillState, NotFilled, Purpose, Rejection
from domain.trade import IllegalStep, Phase, TradeStatus
from domain.venue import Mode, Venue
from store.errors import JournalConflict, StillOpen
from store.gate import GateRequest
from store.journal import Journal
from store.lifecycle import Conclusion
from store.states import PositionStatus
from tests.store.builders import (
    NOW,
    a_fill,
    admitted,
    an_identity,
    an_opportunity,
    an_order,
    plan_unwind,
)
from tests.support.places import plain

DAY = "2026-09-21"


async def answer_entries(
    journal: Journal, request: GateRequest, polymarket: str = "10", kalshi: str = "10"
) -> None:
    """Both entries answered: so many contracts, or none at all for "0"."""
    for order, _ in request.orders:
        count = polymarket if order.venue is Venue.POLYMARKET else kalshi
        answer: Answer = NotFilled(Rejection.KILLED, "no depth")
        if count != "0":
            answer = Filled(f"order-{order.venue}", (a_fill(order, contracts=count),))
        await journal.mark_sent(order.intent_id, NOW + 1)
        await journal.record_answer(order.intent_id, answer, NOW + 50)


async def locked(journal: Journal, key: str = "1", mode: Mode = Mode.SIM) -> GateRequest:
    request = await admitted(journal, an_opportunity(key), mode)
    await answer_entries(journal, request)
    await journal.lock(request.arb_id, TradeStatus.SUCCESS, {"note": "even"}, NOW + 60)
    return request


async def test_a_lock_logs_the_guaranteed_profit_and_opens_a_position(journal: Journal) -> None:
    request = await locked(journal)

    [trade] = await journal.trade_log.trades(Mode.SIM, 10)
    assert (trade.status, trade.final) == (TradeStatus.SUCCESS, False)
    assert (trade.bet_size, trade.pnl) == (usd("9.1"), usd("0.9"))
    assert f"{trade.roi:.4f}" == "9.8901"
    assert (trade.poly_order_id, trade.kalshi_order_id) == ("order-polymarket", "order-kalshi")
    assert trade.details["note"] == "even"
    [position] = await journal.trade_log.positions(Mode.SIM)
    assert (position.arb_id, position.event_title) == (request.arb_id, "Game 1")
    assert (position.poly_side, position.poly_price, position.poly_size) == (
        "yes",
        price("0.505"),
        size("10"),
    )
    assert (position.kalshi_side, position.kalshi_price) == ("no", price("0.405"))
    stats = await journal.trade_log.stats(Mode.SIM, DAY)
    assert (stats.trades, stats.logged, stats.wins, stats.pnl) == (1, 1, 1, usd("0.9"))
    assert stats.at_risk == usd("0")


async def test_a_lock_that_is_written_twice_is_one(journal: Journal) -> None:
    request = await locked(journal)
    first = await journal.arbitrage(request.arb_id)

    await journal.lock(request.arb_id, TradeStatus.SUCCESS, {}, NOW + 99)

    assert await journal.arbitrage(request.arb_id) == first
    assert len(await journal.trade_log.trades(Mode.SIM, 10)) == 1


async def test_a_lock_that_is_said_again_shows_what_is_held_by_then(journal: Journal) -> None:
    """A fill of a held pair came later: log and position follow it, once."""
    request = await locked(journal)
    order = request.orders[0][0]
    later = a_fill(order, trade="t2", contracts="2", fee="0")
    await journal.record_fills((later,), NOW + 70)

    for _ in range(2):
        await journal.lock(request.arb_id, TradeStatus.PARTIAL, {}, NOW + 99)

    [position] = await journal.trade_log.positions(Mode.SIM)
    assert (position.poly_size, position.kalshi_size) == (size("12"), size("10"))
    [trade] = await journal.trade_log.trades(Mode.SIM, 10)
    assert (trade.status, trade.pnl) == (TradeStatus.PARTIAL, usd("-0.1"))
    stats = await journal.trade_log.stats(Mode.SIM, DAY)
    assert stats.realised_loss == usd("0.1")
    kinds = [event.kind for event in await journal.events(request.arb_id)]
    assert kinds.count("locked") == 2


async def test_settlement_makes_the_result_final_from_the_venues_own_payouts(
    journal: Journal,
) -> None:
    request = await locked(journal)
    await journal.set_phase(request.arb_id, Phase.SETTLING, NOW + 70)
    for _ in range(2):
        await journal.record_payout(request.arb_id, Venue.KALSHI, usd("10"), NOW + 80)
        await journal.record_payout(request.arb_id, Venue.POLYMARKET, usd("0"), NOW + 80)
    end = Conclusion(
        request.arb_id, Phase.SETTLED, TradeStatus.SUCCESS, "resolved NO", {}, NOW + 90
    )

    assert await journal.conclude(end) == usd("0.9")
    assert await journal.conclude(end) == usd("0.9")

    [trade] = await journal.trade_log.trades(Mode.SIM, 10)
    assert (trade.pnl, trade.final) == (usd("0.9"), True)
    [position] = await journal.trade_log.positions(Mode.SIM, PositionStatus.EXPIRED)
    assert position.closed_at == "2026-09-21T14:13:20.090Z"
    assert await journal.trade_log.positions(Mode.SIM) == []
    assert await journal.unfinished() == []


async def test_another_payout_for_the_same_leg_is_a_conflict(journal: Journal) -> None:
    request = await locked(journal)
    await journal.record_payout(request.arb_id, Venue.KALSHI, usd("10"), NOW + 80)
    with pytest.raises(JournalConflict, match="now it is 5"):
        await journal.record_payout(request.arb_id, Venue.KALSHI, usd("5"), NOW + 81)


async def test_a_payout_for_what_has_ended_is_a_conflict(journal: Journal) -> None:
    request = await admitted(journal)
    await roll_back(journal, request, "0.45")
    with pytest.raises(JournalConflict, match="ended FLAT, now kalshi pays 3"):
        await journal.record_payout(request.arb_id, Venue.KALSHI, usd("3"), NOW + 99)


async def roll_back(journal: Journal, request: GateRequest, limit: str) -> None:
    """Kalshi was killed; what Polymarket holds is sold at `limit`."""
    await answer_entries(journal, request, kalshi="0")
    await journal.set_phase(request.arb_id, Phase.UNWINDING, NOW + 60)
    sale = an_order(
        request.opportunity, Venue.POLYMARKET, purpose=Purpose.UNWIND, limit=limit, at_ms=NOW + 70
    )
    await plan_unwind(journal, sale, an_identity(sale), NOW + 70)
    await journal.mark_sent(sale.intent_id, NOW + 71)
    await journal.record_answer(sale.intent_id, Filled("sale", (a_fill(sale),)), NOW + 90)
    end = Conclusion(
        request.arb_id, Phase.FLAT, TradeStatus.ROLLED_BACK, "Kalshi killed", {}, NOW + 95
    )
    await journal.conclude(end)


async def test_a_rollback_books_what_it_lost_to_the_day(journal: Journal) -> None:
    request = await admitted(journal)
    await roll_back(journal, request, "0.45")

    [trade] = await journal.trade_log.trades(Mode.SIM, 10)
    # Bought for 5.00 + 0.05, sold for 4.50 - 0.05.
    assert (trade.status, trade.pnl, trade.final) == (TradeStatus.ROLLED_BACK, usd("-0.6"), True)
    assert trade.bet_size == usd("5.05")
    stats = await journal.trade_log.stats(Mode.SIM, DAY)
    assert (stats.at_risk, stats.realised_loss, stats.wins) == (usd("0"), usd("0.6"), 0)
    assert await journal.trade_log.positions(Mode.SIM, None) == []


async def test_a_gain_never_makes_room_for_another_loss(journal: Journal) -> None:
    await roll_back(journal, await admitted(journal, an_opportunity("a")), "0.45")
    await roll_back(journal, await admitted(journal, an_opportunity("b")), "0.60")

    stats = await journal.trade_log.stats(Mode.SIM, DAY)
    assert (stats.pnl, stats.realised_loss, stats.wins) == (usd("0.3"), usd("0.6"), 1)


async def test_a_trade_of_which_nothing_filled_is_failed_and_costs_nothing(
    journal: Journal,
) -> None:
    request = await admitted(journal)
    await answer_entries(journal, request, "0", "0")
    end = Conclusion(request.arb_id, Phase.FLAT, TradeStatus.FAILED, "both killed", {}, NOW + 60)

    assert await journal.conclude(end) == usd("0")

    [trade] = await journal.trade_log.trades(Mode.SIM, 10)
    assert (trade.status, trade.bet_size, trade.roi) == (TradeStatus.FAILED, usd("9.2"), None)
    legs = trade.details["legs"]
    assert isinstance(legs, list)
    assert [leg["error"] for leg in legs] == ["fok_not_filled: no depth"] * 2


async def test_a_fill_voided_after_the_lock_puts_the_loss_at_risk_again(journal: Journal) -> None:
    request = await admitted(journal)
    fills = {}
    for order, _ in request.orders:
        fills[order.venue] = a_fill(order, state=FillState.PROVISIONAL)
        await journal.mark_sent(order.intent_id, NOW + 1)
        answer = Filled(f"order-{order.venue}", (fills[order.venue],))
        await journal.record_answer(order.intent_id, answer, NOW + 50)
    await journal.lock(request.arb_id, TradeStatus.SUCCESS, {}, NOW + 60)
    voided = replace(fills[Venue.POLYMARKET], state=FillState.VOIDED)
    await journal.record_fills([voided], NOW + 70)

    await journal.set_phase(
        request.arb_id, Phase.UNWINDING, NOW + 80, status=TradeStatus.PARTIAL, reason="voided"
    )

    stats = await journal.trade_log.stats(Mode.SIM, DAY)
    assert stats.at_risk == usd("1")
    [trade] = await journal.trade_log.trades(Mode.SIM, 10)
    # Only Kalshi's NO is held: nothing is guaranteed of the 4.05 it cost.
    assert (trade.status, trade.pnl) == (TradeStatus.PARTIAL, usd("-4.05"))


async def test_nothing_is_concluded_while_an_order_is_open(journal: Journal) -> None:
    request = await admitted(journal)
    first, second = (order for order, _ in request.orders)
    await journal.mark_sent(first.intent_id, NOW + 1)
    end = Conclusion(request.arb_id, Phase.FLAT, TradeStatus.FAILED, "", {}, NOW + 60)

    with pytest.raises(StillOpen, match="arb-1/polymarket/entry/1, arb-1/kalshi/entry/1"):
        await journal.conclude(end)

    fill = a_fill(first, state=FillState.PROVISIONAL)
    await journal.record_answer(first.intent_id, Filled("x", (fill,)), NOW + 50)
    await journal.withdraw(second.intent_id, NOW + 51)
    with pytest.raises(StillOpen, match="may still be voided"):
        await journal.conclude(end)
    assert [one.arb_id for one in await journal.unfinished()] == [request.arb_id]


async def test_an_operator_may_conclude_with_the_cash_that_was_moved_by_hand(
    journal: Journal,
) -> None:
    request = await admitted(journal)
    await answer_entries(journal, request, kalshi="0")
    await journal.set_phase(request.arb_id, Phase.NEEDS_OPERATOR, NOW + 60)
    end = Conclusion(
        request.arb_id,
        Phase.FLAT,
        TradeStatus.ROLLED_BACK,
        "sold on the site",
        {},
        NOW + 70,
        moved_by_hand=usd("4.8"),
    )

    assert await journal.conclude(end) == usd("-0.25")


async def test_an_illegal_step_is_refused_and_changes_nothing(journal: Journal) -> None:
    request = await locked(journal)
    before = await journal.arbitrage(request.arb_id)

    with pytest.raises(IllegalStep, match="after HOLDING expected"):
        await journal.set_phase(request.arb_id, Phase.PLACING, NOW + 70)

    assert await journal.arbitrage(request.arb_id) == before
    assert not (await journal.run_state()).halted


async def test_events_are_numbered_without_a_gap(journal: Journal) -> None:
    request = await admitted(journal)
    await journal.note(request.arb_id, "seen", {"leg": "kalshi"}, NOW + 5)
    await roll_back(journal, request, "0.45")

    events = await journal.events(request.arb_id)

    assert [event.revision for event in events] == list(range(1, len(events) + 1))
    assert [event.kind for event in events] == ["reserved", "seen", "phase", "concluded"]
    assert await journal.events(request.arb_id, after_revision=3) == events[3:]
    assert (await journal.arbitrage(request.arb_id)).revision == len(events)


async def test_what_is_quiet_is_listed_for_the_reconciler(journal: Journal) -> None:
    await admitted(journal, an_opportunity("quiet"))
    busy = await admitted(journal, an_opportunity("busy"))
    await journal.note(busy.arb_id, "seen", {}, NOW + 500)

    assert [one.arb_id for one in await journal.unfinished(NOW + 499)] == ["arb-quiet"]
    assert len(await journal.unfinished()) == 2


async def test_the_seed_tables_read_as_the_seed_wrote_them(journal: Journal) -> None:
    await locked(journal)

    raw = plain(journal.database.place)
    trade = raw.execute(
        "SELECT id, timestamp, event_title, status, bet_size, pnl, poly_order_id, kalshi_order_id "
        "FROM executor_trades"
    ).fetchall()
    ((roi, details),) = raw.execute("SELECT roi, details FROM executor_trades").fetchall()
    position = raw.execute(
        "SELECT id, event_key, event_title, opened_at, poly_side, poly_price, poly_contracts, "
        "kalshi_side, kalshi_price, kalshi_contracts, status FROM executor_positions"
    ).fetchall()
    raw.close()
    looked = inspect(journal.database.reader)
    indexes = {
        index["name"]: index["column_names"]
        for name in ("executor_trades", "executor_positions")
        for index in looked.get_indexes(name)
    }

    at = "2026-09-21T14:13:20.060Z"
    assert trade == [(1, at, "Game 1", "SUCCESS", 9.1, 0.9, "order-polymarket", "order-kalshi")]
    assert round(roi, 4) == 9.8901
    assert isinstance(json.loads(details), dict)
    assert position == [(1, "arb-1", "Game 1", at, "yes", 0.505, 10, "no", 0.405, 10, "open")]
    assert indexes["idx_trades_timestamp"] == ["timestamp"]
    assert indexes["idx_positions_status"] == ["status"]
