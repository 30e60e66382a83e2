"""What a leg holds is a fold over its fills."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.leg import LegState, fold
from domain.money import Size, size, usd
from domain.order import Fill, FillState
from domain.payout import holdings, paid_out, payout_by_outcome
from domain.venue import Action, Outcome, Venue
from tests.domain.build import a_fill

PM = Venue.POLYMARKET
THREE = size(3)

FILLS = st.lists(
    st.builds(
        a_fill,
        st.decimals("0.01", 50, places=6),
        st.decimals("0.01", 50, places=6),
        fee=st.decimals(0, 1, places=6),
        trade_id=st.uuids().map(str),
        action=st.sampled_from(Action),
        state=st.sampled_from(FillState),
    ),
    max_size=8,
)


@given(FILLS.flatmap(lambda fills: st.tuples(st.just(fills), st.permutations(fills))))
def test_the_order_in_which_fills_arrive_does_not_matter(
    orders: tuple[list[Fill], list[Fill]],
) -> None:
    first, second = orders
    assert fold(PM, THREE, first) == fold(PM, THREE, second)


@given(FILLS)
def test_voiding_a_fill_is_as_if_it_had_never_been(fills: list[Fill]) -> None:
    for index, fill in enumerate(fills):
        voided = [*fills[:index], replace(fill, state=FillState.VOIDED), *fills[index + 1 :]]
        assert fold(PM, THREE, voided) == fold(PM, THREE, fills[:index] + fills[index + 1 :])


@given(FILLS)
def test_a_leg_is_settled_exactly_when_no_counted_fill_is_provisional(fills: list[Fill]) -> None:
    provisional = any(fill.state is FillState.PROVISIONAL for fill in fills)
    assert fold(PM, THREE, fills).settled is not provisional


@given(FILLS)
def test_contracts_and_cash_are_conserved(fills: list[Fill]) -> None:
    leg = fold(PM, THREE, fills)
    counted = [fill for fill in fills if fill.state is not FillState.VOIDED]
    sign = {Action.BUY: 1, Action.SELL: -1}
    assert leg.held == sum(sign[fill.action] * fill.size for fill in counted)
    cash = sum(-sign[fill.action] * fill.notional - fill.fee for fill in counted)
    assert leg.received - leg.paid == cash


def test_a_leg_without_fills_holds_nothing_and_has_no_average_price() -> None:
    leg = fold(PM, THREE, (), unknown=("arb-1/polymarket/entry/1",))
    assert leg == LegState(PM, THREE, unknown=("arb-1/polymarket/entry/1",))
    assert leg.average_price is None


def test_the_average_price_and_the_loss_of_a_sale_count_the_fees_of_both_ways() -> None:
    bought = a_fill("5", "2.35", fee="0.08718")
    sold = a_fill("2", "0.90", trade_id="t2", fee="0.03", action=Action.SELL)
    leg = fold(PM, size(5), (bought, sold))
    assert leg.average_price == Decimal("2.43718") / 5
    assert leg.unwind_loss == usd("2.43718") / 5 * 2 - Decimal("0.87")
    assert (leg.held, leg.bought) == (size(3), size(5))


def test_only_what_an_order_bought_beyond_its_own_size_is_surplus() -> None:
    """Two purchases of the same leg are no better price."""
    first = a_fill("3.2", "1.5")
    rest = replace(a_fill("2.5", "1"), intent_id="arb-1/polymarket/complete/1", trade_id="t2")
    more = replace(rest, size=size("0.6"), trade_id="t3")
    void = replace(rest, state=FillState.VOIDED, trade_id="t4")
    sold = a_fill("3", "1", trade_id="t5", action=Action.SELL)
    fills = (first, rest, more, void, sold)
    ordered = {first.intent_id: THREE, rest.intent_id: THREE}
    assert fold(PM, THREE, fills, ordered=ordered).surplus == size("0.3")
    assert fold(PM, THREE, (), ordered={}).surplus == 0
    assert fold(PM, THREE, fills).surplus is None, "nobody has counted it"


OTHER = "arb-1/polymarket/unwind/2"


def others(fills: list[Fill]) -> list[Fill]:
    """The same as purchases of the other outcome."""
    return [
        replace(one, intent_id=OTHER, action=Action.BUY, trade_id=f"{one.trade_id}-other")
        for one in fills
    ]


def folded(own: list[Fill], other: list[Fill]) -> LegState:
    """A leg with contracts of both outcomes."""
    return fold(PM, THREE, own + others(other), opposite=frozenset({OTHER}))


@given(FILLS, FILLS)
def test_contracts_of_both_outcomes_and_their_cash_are_conserved(
    own: list[Fill], other: list[Fill]
) -> None:
    leg, alone = folded(own, other), fold(PM, THREE, own)
    counted = [fill for fill in other if fill.state is not FillState.VOIDED]
    assert leg.owned == alone.held
    assert leg.bought == alone.bought
    assert leg.average_price == alone.average_price
    assert leg.opposite == sum(fill.size for fill in counted)
    cost = sum(fill.notional + fill.fee for fill in counted)
    assert (leg.paid - alone.paid, leg.paid_opposite) == (cost, cost)
    assert leg.neutral >= 0
    assert leg.spare >= 0
    assert leg.held <= 0 or leg.spare == 0


@given(FILLS, FILLS)
def test_what_neutral_pairs_pay_is_the_same_under_every_answer(
    own: list[Fill], other: list[Fill]
) -> None:
    leg = folded(own, other)
    pays = payout_by_outcome(holdings(leg, Outcome.YES))
    exposed = {Outcome.YES: leg.held, Outcome.NO: leg.spare}
    assert {answer: pays[answer] - exposed[answer] for answer in Outcome} == dict.fromkeys(
        Outcome, leg.neutral
    )
    assert paid_out(leg, Decimal(1)) == pays[Outcome.YES]
    assert paid_out(leg, Decimal(0)) == pays[Outcome.NO]
    half = (leg.owned + leg.opposite) / 2
    assert half - Decimal("0.000002") < paid_out(leg, Decimal("0.5")) <= half


@given(FILLS, FILLS)
def test_what_unwinding_lost_is_the_cash_it_moved_less_what_is_left_at_its_cost(
    own: list[Fill], other: list[Fill]
) -> None:
    leg = folded(own, other)
    kept = (leg.average_price or Decimal(0)) * leg.held
    lost = leg.paid - leg.received - leg.neutral - kept
    assert abs(leg.unwind_loss - lost) < Decimal("1e-12")


@given(FILLS, FILLS)
def test_the_order_in_which_both_outcomes_are_bought_does_not_matter(
    own: list[Fill], other: list[Fill]
) -> None:
    names = frozenset({OTHER})
    there, back = own + others(other), others(other)[::-1] + own[::-1]
    assert fold(PM, THREE, there, opposite=names) == fold(PM, THREE, back, opposite=names)


def test_a_better_price_leaves_spare_contracts_that_are_no_hedge() -> None:
    own = a_fill("20.37", "8.5554")
    other = replace(a_fill("22", "12.18"), intent_id=OTHER, trade_id="t2")
    leg = fold(PM, size(20), [own, other], opposite=frozenset({OTHER}))
    assert (leg.held, leg.neutral, leg.spare) == (size(0), size("20.37"), size("1.63"))
    assert leg.unwind_loss == usd("8.5554") + usd("12.18") - Size(Decimal("20.37"))
