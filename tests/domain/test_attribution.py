"""The parts of a result make the result: gross edge − fees − slippage − unwind = realised."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.attribution import attribute
from domain.leg import fold
from domain.money import Usd, price, size, to_micro, usd
from domain.opportunity import Opportunity, PlannedLeg
from domain.order import Fill, FillState
from domain.venue import Action, Outcome, Venue
from tests.domain.build import a_fill, an_instrument

MICRO = st.decimals("0.000001", 50, places=6)
FILLS = st.lists(
    st.builds(
        a_fill,
        MICRO,
        MICRO,
        fee=st.decimals(0, 1, places=6),
        trade_id=st.uuids().map(str),
        action=st.sampled_from(Action),
        state=st.sampled_from(FillState),
        venue=st.sampled_from(Venue),
    ),
    max_size=8,
)
BEST = st.decimals("0.001", "0.999", places=4)
CASH = st.decimals(-100, 100, places=6).map(usd)


def a_plan(polymarket: str | Decimal = "0.40", kalshi: str | Decimal = "0.50") -> Opportunity:
    """Ten contracts on either side, the best asks as given."""
    legs = [
        PlannedLeg(
            instrument=an_instrument(venue, outcome),
            size=size(10),
            limit=price("0.99"),
            best=price(best),
            expected=usd(0),
            fee_bound=usd(0),
            outlay=usd(0),
            book_version=1,
            book_at_ms=0,
        )
        for venue, outcome, best in (
            (Venue.POLYMARKET, Outcome.YES, polymarket),
            (Venue.KALSHI, Outcome.NO, kalshi),
        )
    ]
    nothing = usd(0)
    return Opportunity(
        "k", "p1", "t", legs[0], legs[1], size(10), nothing, nothing, nothing, Decimal(0), 0
    )


def realised(fills: list[Fill], payout: Usd, by_hand: Usd) -> Decimal:
    """What the journal books: folds of both legs, the payouts, what a person moved."""
    legs = [
        fold(venue, size(10), [fill for fill in fills if fill.venue is venue]) for venue in Venue
    ]
    return payout + by_hand + sum((leg.received - leg.paid for leg in legs), start=Decimal(0))


@given(
    FILLS,
    CASH,
    CASH,
    st.decimals("0.001", "0.999", places=4),
    st.decimals("0.01", "0.99", places=4),
)
def test_the_parts_make_the_result_to_the_micro_dollar(
    fills: list[Fill], payout: Usd, by_hand: Usd, polymarket: Decimal, kalshi: Decimal
) -> None:
    parts = attribute(a_plan(polymarket, kalshi), fills, payout, by_hand)
    assert parts.net == realised(fills, payout, by_hand)
    for amount in (parts.gross_edge, parts.unwind, *parts.fees.values(), *parts.slippage.values()):
        to_micro(amount)


def test_a_locked_pair_is_edge_less_fees_and_slippage() -> None:
    fills = [
        a_fill("10", "4.10", fee="0.12"),
        a_fill("10", "5.00", fee="0.18", venue=Venue.KALSHI, trade_id="t2"),
    ]
    parts = attribute(a_plan(), fills, usd(10))
    assert parts.gross_edge == usd("1.00")
    assert parts.fees == {Venue.POLYMARKET: usd("0.12"), Venue.KALSHI: usd("0.18")}
    assert parts.slippage == {Venue.POLYMARKET: usd("0.10"), Venue.KALSHI: usd("0")}
    assert (parts.unwind, parts.net) == (usd(0), usd("0.60"))


def test_a_leg_that_was_sold_back_costs_its_unwind() -> None:
    fills = [
        a_fill("10", "4.00", fee="0.12"),
        a_fill("10", "3.80", fee="0.10", action=Action.SELL, trade_id="t2"),
    ]
    parts = attribute(a_plan(), fills, usd(0))
    assert parts.gross_edge == usd(0)
    assert parts.unwind == usd("0.30")
    assert parts.net == usd("-0.42")


def test_cash_moved_by_hand_counts_against_the_unwind() -> None:
    parts = attribute(a_plan(), [a_fill("10", "4.00")], usd(0), by_hand=usd("3.50"))
    assert parts.net == usd("-0.50")


def test_a_voided_fill_counts_nothing() -> None:
    voided = a_fill("10", "9.00", fee="1", state=FillState.VOIDED)
    assert attribute(a_plan(), [voided], usd(0)).net == usd(0)


@given(FILLS, FILLS, CASH)
def test_what_was_neutralised_is_a_part_of_the_unwind(
    fills: list[Fill], others: list[Fill], payout: Usd
) -> None:
    bought = [
        replace(one, intent_id="o", action=Action.BUY, venue=Venue.POLYMARKET, trade_id=f"o{n}")
        for n, one in enumerate(others)
    ]
    parts = attribute(a_plan(), fills + bought, payout, opposite=frozenset({"o"}))
    assert parts.net == realised(fills + bought, payout, usd(0))


def test_a_leg_that_was_neutralised_counts_as_sold_for_the_rest_of_a_dollar() -> None:
    fills = [
        a_fill("10", "4.00", fee="0.12"),
        replace(a_fill("10", "6.10", fee="0.12", trade_id="t2"), intent_id="o"),
    ]
    parts = attribute(a_plan(), fills, usd(10), opposite=frozenset({"o"}))
    assert parts.gross_edge == usd(0)
    assert parts.fees[Venue.POLYMARKET] == usd("0.12")
    assert (parts.unwind, parts.net) == (usd("0.22"), usd("-0.34"))
