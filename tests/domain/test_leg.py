"""What a leg holds is a fold over its fills."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.leg import LegState, fold
from domain.money import size, usd
from domain.order import Fill, FillState
from domain.venue import Action, Venue
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
    assert leg.sale_loss == usd("2.43718") / 5 * 2 - Decimal("0.87")
    assert (leg.held, leg.bought) == (size(3), size(5))
