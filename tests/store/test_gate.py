"""The gate: every refusal by name, the order of its checks, and what it writes."""

from dataclasses import replace

import pytest

from domain.funds import Funds
from domain.money import usd
from domain.opportunity import Opportunity, Refused
from domain.order import Filled, FillState, NotFilled, Rejection
from domain.policy import Refusal
from domain.trade import Phase, TradeStatus
from domain.venue import Mode, Venue
from store import reviews
from store.errors import JournalConflict
from store.gate import GateRequest, Granted
from store.journal import Journal
from store.lifecycle import Conclusion
from store.reviews import Review
from store.states import IntentState, ReviewVerdict
from tests.store.builders import (
    NOW,
    a_fill,
    a_request,
    admitted,
    an_act,
    an_opportunity,
)

# The request asks for $9.20 (5.10 + 4.10), gains 8.6957 %, and may lose $1.
TABLE = """
    given                                     verdict
    nothing                                   granted
    halted                                    halted
    disabled                                  disabled
    halted; disabled                          halted
    late                                      past_its_deadline
    venue_shut                                venue_closed
    disabled; venue_shut                      disabled
    venue_shut; late                          venue_closed
    disabled; late                            disabled
    min_bet=9.20                              granted
    min_bet=9.21                              bet_below_minimum
    late; min_bet=9.21                        past_its_deadline
    books_apart=500                           granted
    books_apart=501                           books_apart
    late; books_apart=501                     past_its_deadline
    books_apart=501; min_bet=9.21             books_apart
    max_bet=9.20                              granted
    max_bet=9.19                              bet_above_maximum
    max_bet=9.19; min_roi=9                   bet_above_maximum
    min_roi=8.695                             granted
    min_roi=8.696                             edge_below_policy
    max_roi=8.696                             granted
    max_roi=8.695                             roi_above_policy
    max_roi=8; max_daily_trades=0             roi_above_policy
    max_daily_trades=1                        granted
    max_daily_trades=0                        daily_trades_reached
    max_daily_trades=0; max_daily_loss=0      daily_trades_reached
    max_daily_loss=1                          granted
    max_daily_loss=0.999999                   daily_loss_reached
    pair_open; max_daily_loss=1               daily_loss_reached
    pair_open                                 pair_already_open
    market_open                               pair_already_open
    market_was_open                           granted
    pair_rejected                             pair_rejected
    pair_open; pair_rejected                  pair_rejected
    pair_rejected; pair_approved              granted
    pair_rejected; max_daily_trades=0         daily_trades_reached
    pair_failed                               pair_cooling_down
    pair_failed_long_ago                      granted
    pair_succeeded                            granted
    pair_failed; balance_60001_ms_old         pair_cooling_down
    no_balance                                balance_unknown
    balance_60000_ms_old                      granted
    balance_60001_ms_old                      balance_unknown
    polymarket_cash=5.10                      granted
    polymarket_cash=5.09                      polymarket_cash_too_low
    polymarket_cash=5.09; kalshi_cash=4.09    polymarket_cash_too_low
    kalshi_cash=4.10                          granted
    kalshi_cash=4.09                          kalshi_cash_too_low
"""
ROWS = [line.strip().rsplit(None, 1) for line in TABLE.strip().splitlines()[1:]]


@pytest.mark.parametrize(("given", "verdict"), ROWS, ids=[f"{g} -> {v}" for g, v in ROWS])
async def test_the_gate_names_its_verdict(journal: Journal, given: str, verdict: str) -> None:
    request = a_request(an_opportunity("asked", pair="pair-x"))
    for circumstance in given.split("; "):
        request = await arrange(journal, circumstance, request)

    answer = await journal.reserve(request)

    assert ("granted" if isinstance(answer, Granted) else answer.reason) == verdict


async def arrange(journal: Journal, circumstance: str, request: GateRequest) -> GateRequest:
    name, _, value = circumstance.partition("=")
    later = replace(request, now_ms=NOW + 1)
    match name:
        case "nothing":
            pass
        case "halted":
            await journal.halt("a test says so", an_act())
        case "disabled":
            await change(journal, enabled=False)
        case "late":
            return replace(request, now_ms=NOW + 2_001)
        case "venue_shut":
            return replace(request, shut="kalshi takes no orders: paused")
        case "pair_open":
            await admitted(journal, an_opportunity("earlier", pair="pair-x"))
            return later
        case "market_open":
            await admitted(journal, an_opportunity("earlier", pair="pair-old", market="pair-x"))
            return later
        case "market_was_open":
            renamed = an_opportunity("earlier", pair="pair-old", market="pair-x")
            await conclude_flat(journal, "earlier", TradeStatus.FAILED, renamed)
            return later
        case "pair_rejected" | "pair_approved":
            verdict = ReviewVerdict(name.removeprefix("pair_"))
            markets = {Venue.POLYMARKET: "0xother", Venue.KALSHI: "KXOTHER"}
            review = Review("pair-x", verdict, markets, "other words", an_act())
            await journal.write(NOW, lambda s: reviews.say(s, review))
        case "pair_failed" | "pair_failed_long_ago" | "pair_succeeded":
            status = TradeStatus.SUCCESS if name == "pair_succeeded" else TradeStatus.FAILED
            await conclude_flat(journal, "earlier", status)
            cooldown_ms = 2 if name == "pair_failed_long_ago" else 60_000
            return replace(later, now_ms=NOW + 20, cooldown_ms=cooldown_ms)
        case "books_apart":
            plan = request.opportunity
            kalshi = replace(plan.kalshi, book_lag_ms=int(value))
            return replace(request, opportunity=replace(plan, kalshi=kalshi))
        case "no_balance":
            return replace(request, mode=Mode.PAPER)
        case "balance_60000_ms_old" | "balance_60001_ms_old":
            return replace(patient(request), now_ms=NOW + int(name.split("_")[1]))
        case "polymarket_cash" | "kalshi_cash":
            venue = Venue(name.split("_")[0])
            await journal.record_balance(venue, Mode.SIM, Funds(usd(value)), NOW)
        case _:
            await change(journal, **{name: value})
    return request


def patient(request: GateRequest) -> GateRequest:
    """The same request with orders that may leave much later."""
    (first, its_key), (second, other_key) = request.orders
    limit = NOW + 100_000
    return replace(
        request,
        orders=(
            (replace(first, not_after_ms=limit), its_key),
            (replace(second, not_after_ms=limit), other_key),
        ),
    )


async def change(journal: Journal, **changes: str | bool) -> None:
    await journal.settings.update(changes, journal.settings.current.version, an_act())


async def conclude_flat(
    journal: Journal, key: str, status: TradeStatus, plan: Opportunity | None = None
) -> None:
    request = await admitted(journal, plan or an_opportunity(key, pair="pair-x"))
    for order, _ in request.orders:
        await journal.withdraw(order.intent_id, NOW + 5)
    end = Conclusion(request.arb_id, Phase.FLAT, status, "neither filled", {}, NOW + 10)
    assert await journal.conclude(end) == usd("0")


async def test_a_grant_writes_the_arbitrage_its_reservation_and_both_orders(
    journal: Journal,
) -> None:
    request = await admitted(journal)

    state = await journal.arbitrage(request.arb_id)
    assert state.phase is Phase.PLACING
    assert state.opportunity == request.opportunity
    stored = {(one.order, one.identity.key) for one in state.intents}
    assert stored == {(order, identity.key) for order, identity in request.orders}
    assert [one.state for one in state.intents] == [IntentState.PLANNED] * 2
    assert set(state.polymarket.unknown + state.kalshi.unknown) == {
        order.intent_id for order, _ in request.orders
    }
    assert [event.kind for event in await journal.events(request.arb_id)] == ["reserved"]
    stats = await journal.trade_log.stats(Mode.SIM, "2026-09-21")
    assert (stats.trades, stats.at_risk) == (1, usd("1"))


async def test_a_second_run_repeats_the_first_grant_and_charges_nothing_twice(
    journal: Journal,
) -> None:
    request = a_request()
    first = await journal.reserve(request)
    await journal.halt("in between", an_act())

    # A second run of the activity reads the clock again, so that its orders differ.
    rerun = a_request(now_ms=NOW + 700)
    assert await journal.reserve(rerun) == first

    stats = await journal.trade_log.stats(Mode.SIM, "2026-09-21")
    assert (stats.trades, stats.at_risk) == (1, usd("1"))
    stored = await journal.intent(request.orders[0][0].intent_id)
    assert stored.order == request.orders[0][0]


async def test_a_second_run_repeats_the_first_refusal_even_if_it_would_pass_now(
    journal: Journal,
) -> None:
    await change(journal, enabled=False)
    first = await journal.reserve(a_request())
    await change(journal, enabled=True)

    assert isinstance(first, Refused)
    assert await journal.reserve(a_request()) == first


async def test_another_pair_under_a_known_id_is_a_conflict_that_halts(journal: Journal) -> None:
    await admitted(journal, an_opportunity("1", pair="one"))

    with pytest.raises(JournalConflict, match="journaled for one"):
        await journal.reserve(a_request(an_opportunity("1", pair="other")))

    state = await journal.run_state()
    assert state.halted
    assert "journaled for one" in (state.reason or "")


async def test_refusals_are_counted_by_reason(journal: Journal) -> None:
    await change(journal, max_daily_trades="1")
    for key in "abc":
        await journal.reserve(a_request(an_opportunity(key)))
    await change(journal, enabled=False)
    await journal.reserve(a_request(an_opportunity("d")))

    assert await journal.refusals(Mode.SIM, NOW) == {
        Refusal.DAILY_TRADES_REACHED: 2,
        Refusal.DISABLED: 1,
    }


async def test_a_refused_pair_does_not_cool_down(journal: Journal) -> None:
    await change(journal, enabled=False)
    await journal.reserve(a_request(an_opportunity("a", pair="x")))
    await change(journal, enabled=True)

    assert isinstance(await journal.reserve(a_request(an_opportunity("b", pair="x"))), Granted)


async def test_each_utc_day_has_its_own_limit(journal: Journal) -> None:
    await change(journal, max_daily_trades="1")
    midnight = 1_790_035_200_000
    for venue in Venue:
        await journal.record_balance(venue, Mode.SIM, Funds(usd("100")), midnight - 1)
    before = await journal.reserve(a_request(an_opportunity("a"), now_ms=midnight - 1))
    after = await journal.reserve(a_request(an_opportunity("b"), now_ms=midnight))

    assert isinstance(before, Granted)
    assert isinstance(after, Granted)
    assert (before.day, after.day) == ("2026-09-21", "2026-09-22")


async def test_money_modes_do_not_share_limits(journal: Journal) -> None:
    await change(journal, max_daily_trades="1")
    await admitted(journal, an_opportunity("a"))
    for venue in Venue:
        await journal.record_balance(venue, Mode.LIVE, Funds(usd("100")), NOW)

    live = await journal.reserve(a_request(an_opportunity("b"), mode=Mode.LIVE))

    assert isinstance(live, Granted)


class TestPromisedCash:
    """What a balance does not show yet is not spent twice."""

    async def test_a_held_outlay_is_not_free(self, journal: Journal) -> None:
        await journal.record_balance(Venue.KALSHI, Mode.SIM, Funds(usd("8.19")), NOW)
        await admitted(journal, an_opportunity("a"))

        refused = await journal.reserve(a_request(an_opportunity("b")))

        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.KALSHI_CASH_TOO_LOW
        assert await journal.free_cash(Venue.KALSHI, Mode.SIM) == usd("4.09")

    async def test_an_outlay_stays_promised_until_a_balance_read_after_the_lock(
        self, journal: Journal
    ) -> None:
        request = await admitted(journal)
        for order, _ in request.orders:
            await journal.mark_sent(order.intent_id, NOW + 1)
            await journal.record_answer(
                order.intent_id, Filled(f"id-{order.venue}", (a_fill(order),)), NOW + 40
            )
        await journal.lock(request.arb_id, TradeStatus.SUCCESS, {}, NOW + 50)
        assert await journal.free_cash(Venue.KALSHI, Mode.SIM) == usd("995.9")

        await journal.record_balance(Venue.KALSHI, Mode.SIM, Funds(usd("995.95")), NOW + 51)

        assert await journal.free_cash(Venue.KALSHI, Mode.SIM) == usd("995.95")

    async def test_a_provisional_fill_keeps_its_outlay_promised(self, journal: Journal) -> None:
        request = await admitted(journal)
        filled = {}
        for order, _ in request.orders:
            await journal.mark_sent(order.intent_id, NOW + 1)
            filled[order.venue] = a_fill(order, state=FillState.PROVISIONAL)
            answer = Filled(f"id-{order.venue}", (filled[order.venue],))
            await journal.record_answer(order.intent_id, answer, NOW + 40)
        await journal.lock(request.arb_id, TradeStatus.SUCCESS, {}, NOW + 50)
        await journal.record_balance(Venue.POLYMARKET, Mode.SIM, Funds(usd("1000")), NOW + 60)
        assert await journal.free_cash(Venue.POLYMARKET, Mode.SIM) == usd("994.9")

        final = replace(filled[Venue.POLYMARKET], state=FillState.CONFIRMED)
        await journal.record_fills([final], NOW + 70)
        assert await journal.free_cash(Venue.POLYMARKET, Mode.SIM) == usd("994.9")

        await journal.record_balance(Venue.POLYMARKET, Mode.SIM, Funds(usd("994.95")), NOW + 80)
        assert await journal.free_cash(Venue.POLYMARKET, Mode.SIM) == usd("994.95")

    async def test_nothing_bought_frees_the_cash_at_once(self, journal: Journal) -> None:
        request = await admitted(journal)
        for order, _ in request.orders:
            await journal.mark_sent(order.intent_id, NOW + 1)
            killed = NotFilled(Rejection.KILLED, "no depth")
            await journal.record_answer(order.intent_id, killed, NOW + 40)
        end = Conclusion(request.arb_id, Phase.FLAT, TradeStatus.FAILED, "killed", {}, NOW + 50)
        await journal.conclude(end)

        assert await journal.free_cash(Venue.KALSHI, Mode.SIM) == usd("1000")

    async def test_an_older_balance_never_replaces_a_newer_one(self, journal: Journal) -> None:
        assert await journal.record_balance(Venue.KALSHI, Mode.SIM, Funds(usd("7")), NOW + 9)
        assert not await journal.record_balance(Venue.KALSHI, Mode.SIM, Funds(usd("9")), NOW + 8)

        assert await journal.free_cash(Venue.KALSHI, Mode.SIM) == usd("7")
