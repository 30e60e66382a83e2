"""How long one leg was held beyond the other, and what else graphs are told of an arbitrage."""

from dataclasses import replace

import pytest

from api.measured import Measured, naked_since_ms
from domain.leg import fold
from domain.money import NO_SIZE, usd
from domain.order import Fill, FillState
from domain.trade import Phase, TradeStatus
from domain.venue import Action, Mode, Venue
from store.arbitrages import ArbitrageState
from store.tally import Series
from tests.store.builders import NOW, a_fill

TABLE = """
    fills                                     naked now  seconds  flat
    -                                         -          -        -
    p100+10 k100+10                           -          -        -
    p100+10 k140+10                           -          0.040    -
    k100+10 p140+12                           -          0.040    -
    p100+10                                   100        -        -
    p100+10 k140+4                            100        0.040    -
    p100+10 k140+4 p300-6                     -          0.200    0.200
    p100+10 p300-10                           -          0.200    0.200
    p100+10 k140x10                           100        -        -
    p100+10 k140x10 p300-10                   -          0.200    0.200
    p100+10 k140+10 p900-10 k950-10           -          0.090    0.850
"""
ROWS = [line.strip().rsplit(maxsplit=3) for line in TABLE.strip().splitlines()[1:]]


def with_fills(state: ArbitrageState, said: str) -> ArbitrageState:
    """`p100+10`: Polymarket bought 10 at 100 ms; `-` sold, `x` a fill that was voided."""
    orders = {one.order.venue.value[0]: one.order for one in state.intents}
    fills: list[Fill] = []
    for number, word in enumerate(said.split() if said != "-" else ()):
        sign = next(one for one in "+x-" if one in word)
        at_ms, contracts = word[1:].split(sign)
        fill = a_fill(orders[word[0]], trade=str(number), contracts=contracts)
        voided = FillState.VOIDED if sign == "x" else FillState.CONFIRMED
        action = Action.SELL if sign == "-" else Action.BUY
        fills.append(replace(fill, at_ms=NOW + int(at_ms), state=voided, action=action))
    size, ordered = state.opportunity.size, {one.intent_id: one.size for one in orders.values()}
    polymarket, kalshi = (
        fold(venue, size, [one for one in fills if one.venue is venue], ordered=ordered)
        for venue in Venue
    )
    return replace(state, fills=tuple(fills), polymarket=polymarket, kalshi=kalshi)


def told(measured: Measured, name: str) -> list[Series]:
    return [one for one in measured.tally.told() if one[0] == name]


def seconds(measured: Measured, name: str) -> str:
    """The one duration that was measured."""
    found = told(measured, name)
    if not found:
        return "-"
    *counts, total_us = found[0][3]
    assert sum(counts) == 1
    return f"{total_us / 1_000_000:.3f}"


@pytest.mark.parametrize(("fills", "now", "naked", "flat"), ROWS, ids=[row[0] for row in ROWS])
def test_what_was_naked_is_measured_between_fills(
    admitted_one: ArbitrageState, fills: str, now: str, naked: str, flat: str
) -> None:
    state = with_fills(admitted_one, fills)
    since = naked_since_ms(state)
    assert ("-" if since is None else str(since - NOW)) == now
    sold_back = flat != "-"
    phase = Phase.FLAT if sold_back else Phase.HOLDING
    status = TradeStatus.ROLLED_BACK if sold_back else TradeStatus.SUCCESS
    measured = Measured(0, Mode.SIM)
    for _ in range(2):
        measured.take(replace(state, phase=phase, status=status, realised=usd("-0.3")))
    assert seconds(measured, "arb_naked_seconds") == naked
    assert seconds(measured, "arb_time_to_flat_seconds") == flat
    lost = [300_000] if sold_back else [0]
    assert [one[3] for one in told(measured, "arb_rollback_loss_usd")] == [lost]


def test_each_word_fee_and_voided_fill_counts_once(admitted_one: ArbitrageState) -> None:
    measured = Measured(0, Mode.SIM)
    held = with_fills(admitted_one, "p100+10 k110+10")
    locked = replace(held, phase=Phase.HOLDING, status=TradeStatus.SUCCESS)
    taken_back = with_fills(admitted_one, "p100x10 k110+10 k500-10")
    ended = replace(taken_back, phase=Phase.FLAT, status=TradeStatus.ROLLED_BACK)
    moving = replace(held, phase=Phase.RESOLVING, status=TradeStatus.PARTIAL)
    for state in (moving, locked, locked, moving, ended, ended):
        measured.take(state)
    words = {labels[0][1]: n for _, _, labels, n in told(measured, "arb_executions")}
    assert {word for word, n in words.items() if n == [1]} == {"SUCCESS", "ROLLED_BACK"}
    fees = {labels[0][1]: n for _, _, labels, n in told(measured, "arb_fees_usd")}
    assert fees == {"polymarket": [50_000], "kalshi": [100_000]}
    voided = {labels[0][1]: n for _, _, labels, n in told(measured, "arb_voided_fills")}
    assert voided == {"polymarket": [1], "kalshi": [0]}
    by_market = [(dict(labels), n) for _, _, labels, n in told(measured, "arb_ghost_fills")]
    assert by_market == [({"venue": "polymarket", "market": "pair-1-polymarket"}, [1])]
    formula = {labels[0][1]: n[0] for _, _, labels, n in told(measured, "arb_fees_by_formula_usd")}
    assert all(0 < micro < 1_000_000 for micro in formula.values())


def test_what_entries_cost_is_held_against_their_plan(admitted_one: ArbitrageState) -> None:
    """Ten YES planned at 0.50 and bought at 0.49, ten NO planned and bought at 0.40; a fill that
    was voided was never paid."""
    measured = Measured(0, Mode.SIM)
    state = with_fills(admitted_one, "p100+10 k110+10 p150x10")
    better = replace(state.fills[0], notional=usd("4.90"))
    state = replace(state, fills=(better, *state.fills[1:]))
    for _ in range(2):
        measured.take(replace(state, phase=Phase.HOLDING, status=TradeStatus.SUCCESS))
    paid = {labels[0][1]: n for _, _, labels, n in told(measured, "arb_entry_paid_usd")}
    planned = {labels[0][1]: n for _, _, labels, n in told(measured, "arb_entry_planned_usd")}
    assert paid == {"polymarket": [4_900_000], "kalshi": [4_000_000]}
    assert planned == {"polymarket": [5_000_000], "kalshi": [4_000_000]}


def test_legs_are_apart_by_their_first_bytes_and_by_their_answers(
    admitted_one: ArbitrageState,
) -> None:
    at_ms = {"polymarket": (NOW + 3, NOW + 40), "kalshi": (NOW + 10, NOW + 160)}
    intents = tuple(
        replace(one, sent_at_ms=at_ms[one.order.venue][0], answered_at_ms=at_ms[one.order.venue][1])
        for one in admitted_one.intents
    )
    measured = Measured(0, Mode.SIM)
    state = replace(admitted_one, intents=intents, phase=Phase.FLAT, status=TradeStatus.FAILED)
    for _ in range(2):
        measured.take(state)
    assert seconds(measured, "arb_leg_skew_seconds") == "0.007"
    assert seconds(measured, "arb_leg_answer_skew_seconds") == "0.120"
    unanswered = Measured(0, Mode.SIM)
    unanswered.take(replace(state, intents=(intents[0], replace(intents[1], answered_at_ms=None))))
    assert seconds(unanswered, "arb_leg_answer_skew_seconds") == "-"


def test_what_was_opened_before_is_left_to_whoever_counted_it(
    admitted_one: ArbitrageState,
) -> None:
    measured = Measured(admitted_one.opened_at_ms + 1, Mode.SIM)
    measured.take(replace(admitted_one, phase=Phase.FLAT, status=TradeStatus.FAILED))
    assert all(n == [0] for _, _, _, n in measured.tally.told())


def test_of_what_was_open_before_only_what_comes_now_counts(admitted_one: ArbitrageState) -> None:
    """A held pair whose fill is voided after the dashboard was started anew."""
    measured = Measured(admitted_one.opened_at_ms + 1, Mode.SIM)
    held = replace(
        with_fills(admitted_one, "p100+10 k140+10"),
        phase=Phase.HOLDING,
        status=TradeStatus.SUCCESS,
    )
    measured.learn(held.arb_id, held)
    measured.take(held)
    assert all(not any(n) for _, _, _, n in measured.tally.told())
    voided = with_fills(admitted_one, "p100x10 k140+10 k500-10")
    measured.take(replace(voided, phase=Phase.RESOLVING, status=TradeStatus.PARTIAL))
    for _ in range(2):
        measured.take(
            replace(voided, phase=Phase.FLAT, status=TradeStatus.ROLLED_BACK, realised=usd("-0.3"))
        )
    words = {labels[0][1] for _, _, labels, n in told(measured, "arb_executions") if n == [1]}
    assert words == {"ROLLED_BACK"}
    assert [n for *_, n in told(measured, "arb_rollback_loss_usd")] == [[300_000]]
    gone = {labels[0][1]: n for _, _, labels, n in told(measured, "arb_voided_fills")}
    assert gone == {"polymarket": [1], "kalshi": [0]}
    assert told(measured, "arb_leg_skew_seconds") == []
    fees = {labels[0][1]: n for _, _, labels, n in told(measured, "arb_fees_usd")}
    assert fees.keys() == {"kalshi"}, "the sale alone is new"


@pytest.mark.parametrize("known", [True, False])
def test_what_still_moved_at_the_start_is_counted_whole_once_it_rests(
    admitted_one: ArbitrageState, known: bool
) -> None:
    """Nobody else has: it had not come to rest, so better twice than never."""
    measured = Measured(admitted_one.opened_at_ms + 1, Mode.SIM)
    moving = replace(with_fills(admitted_one, "p100x10 k140+10"), phase=Phase.UNWINDING)
    measured.learn(moving.arb_id, moving if known else None)
    sold = with_fills(admitted_one, "p100x10 k140+10 k500-10")
    sold = replace(sold, phase=Phase.FLAT, status=TradeStatus.ROLLED_BACK, realised=usd("-0.3"))
    measured.take(sold)
    assert [n for *_, n in told(measured, "arb_rollback_loss_usd")] == [[300_000]]
    gone = {labels[0][1]: n for _, _, labels, n in told(measured, "arb_voided_fills")}
    assert gone == {"polymarket": [1], "kalshi": [0]}


def test_dust_and_what_a_better_price_gave_on_top_are_no_gap(admitted_one: ArbitrageState) -> None:
    assert naked_since_ms(with_fills(admitted_one, "p100+10.5 k100+10")) is None
    state = with_fills(admitted_one, "p100+10 k100+9.96")
    assert naked_since_ms(state) is None


def test_a_leg_that_was_bought_twice_is_naked_beside_a_whole_one(
    admitted_one: ArbitrageState,
) -> None:
    state = with_fills(admitted_one, "p100+10 k100+10 p150+10")
    twice = replace(state.polymarket, surplus=NO_SIZE)
    assert naked_since_ms(replace(state, polymarket=twice)) == NOW + 150
