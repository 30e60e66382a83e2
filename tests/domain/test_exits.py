"""Complete or sell: what each way out of an uneven pair costs, on books that were just read."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.book import Book, Level
from domain.exits import Naked, price_exits
from domain.fees import KalshiFee, PolymarketFee
from domain.leg import LegState
from domain.money import CENT, Price, Size, price, size, usd
from domain.venue import Instrument, Outcome, TickBand, Venue
from tests.domain.build import a_book, an_instrument
from tests.domain.tables import rows

CENTS = (TickBand(CENT, Decimal("0.99"), CENT),)
POLYMARKET = Instrument(
    Venue.POLYMARKET, "0xc", "1", Outcome.YES, CENTS, size("0.01"), size(5), usd(1),
    PolymarketFee(Decimal("0.04")),
)  # fmt: skip
KALSHI = Instrument(
    Venue.KALSHI, "K", "K:no", Outcome.NO, CENTS, size("0.01"), size("0.01"), usd(0),
    KalshiFee(Decimal(1), Decimal("0.0001")),
)  # fmt: skip
BUDGET = usd(2)


def book(venue: Venue, bid: str, ask: str, depth: str = "100") -> Book:
    """One bid and one ask of the same depth; a price of 0 means that there is none."""

    def levels(text: str) -> tuple[Level, ...]:
        return () if text == "0" else (Level(price(text), size(depth)),)

    return Book(venue, "t", levels(ask), levels(bid), 1, 0, 0)


def held_at(venue: Venue, paid_each: str, contracts: str = "10") -> LegState:
    """A leg that was bought at this price, fees included."""
    bought = size(contracts)
    return LegState(venue, bought, bought, bought, paid=usd(Decimal(paid_each) * bought))


def naked(paid_each: str = "0.46") -> Naked:
    """Ten contracts on Polymarket, nothing at Kalshi."""
    return Naked(held_at(Venue.POLYMARKET, paid_each), size(10), POLYMARKET, KALSHI)


# Polymarket's bid, Kalshi's ask, and what is done: 10 contracts were bought at 0.46.
TABLE = [
    ("0.44", "0.49", "complete"),
    ("0.44", "0.52", "complete"),
    ("0.44", "0.56", "sell"),
    ("0.30", "0.60", "complete"),
    ("0.30", "0.80", "sell"),
    ("0", "0.60", "complete"),
    ("0", "0.80", "sell"),
    ("0.44", "0", "sell"),
    ("0", "0", "sell"),
]


@pytest.mark.parametrize(("bid", "ask", "way"), TABLE)
def test_the_cheaper_way_out_is_taken_within_the_budget(bid: str, ask: str, way: str) -> None:
    held = book(Venue.POLYMARKET, bid, "0.99")
    exits = price_exits(naked(), held, book(Venue.KALSHI, "0.01", ask), BUDGET)
    assert ("complete" if exits.completes(BUDGET) else "sell") == way
    assert exits.said


def test_a_completion_that_gains_is_a_negative_loss() -> None:
    exits = price_exits(
        naked(), book(Venue.POLYMARKET, "0.44", "0.48"), book(Venue.KALSHI, "0.4", "0.45"), BUDGET
    )
    assert exits.completion_loss is not None
    # Ten pairs pay 10.00; 4.60 was spent, 4.50 and at most the fee bound will be.
    bound = KALSHI.fee.bound_buy(size(10), price("0.45"))  # type: ignore[arg-type]
    assert exits.completion_loss == usd("4.60") + usd("4.50") + bound - 10


def test_a_missing_polymarket_leg_is_bought_in_whole_contracts_and_above_its_minimums() -> None:
    kalshi = Naked(held_at(Venue.KALSHI, "0.5", "10.4"), size("10.4"), KALSHI, POLYMARKET)
    asks, bids = book(Venue.POLYMARKET, "0.40", "0.45"), book(Venue.KALSHI, "0.48", "0.99")
    completion = price_exits(kalshi, bids, asks, BUDGET).completion
    assert completion is not None
    assert (completion.size, completion.limit) == (size(10), price("0.45"))
    few = replace(kalshi, excess=size("4.9"))
    assert price_exits(few, bids, asks, BUDGET).completion is None


def test_a_crossed_or_thin_book_is_no_way_to_complete() -> None:
    held = book(Venue.POLYMARKET, "0.44", "0.48")
    for missing in (
        book(Venue.KALSHI, "0.50", "0.49"),
        book(Venue.KALSHI, "0.40", "0.49", depth="9"),
    ):
        assert price_exits(naked(), held, missing, BUDGET).completion is None


# Ten contracts are missing at Polymarket: what its asks and the grid of its prices let us buy.
COMPLETIONS = """
    tick    asks                    bought
    0.01    0.40x10                 10 at 0.40
    0.01    0.40x5 0.42x5           -
    0.01    0.40x5 0.42x6           10 at 0.42
    0.01    0.40x5 0.42x5 0.44x5    10 at 0.44
    0.001   0.403x10                -
    0.001   0.403x11                10 at 0.41
"""


@pytest.mark.parametrize(("tick", "asks", "expected"), rows(COMPLETIONS))
def test_polymarket_completes_only_what_its_dollars_can_buy(
    tick: str, asks: str, expected: str
) -> None:
    rule = an_instrument(Venue.POLYMARKET, tick=tick, size_min="5", notional_min="1")
    kalshi = Naked(held_at(Venue.KALSHI, "0.5"), size(10), KALSHI, rule)
    levels = [level.split("x") for level in asks.split(" ")]
    offered = a_book(rule, [(at, contracts) for at, contracts in levels])
    bids = book(Venue.KALSHI, "0.48", "0.99")
    found = price_exits(kalshi, bids, offered, BUDGET).completion
    assert (f"{found.size} at {found.limit}" if found else "-") == expected


@given(
    bid=st.integers(1, 98), ask=st.integers(2, 99), paid=st.integers(1, 99), ten=st.integers(5, 40)
)
def test_a_completion_never_costs_more_than_it_says(
    bid: int, ask: int, paid: int, ten: int
) -> None:
    leg = held_at(Venue.POLYMARKET, str(Decimal(paid).scaleb(-2)), str(ten))
    pair = Naked(leg, size(ten), POLYMARKET, KALSHI)
    cents = [str(Decimal(number).scaleb(-2)) for number in (bid, ask)]
    exits = price_exits(
        pair,
        book(Venue.POLYMARKET, cents[0], "0.99"),
        book(Venue.KALSHI, "0.01", cents[1]),
        BUDGET,
    )
    if exits.completion is None or exits.completion_loss is None:
        return
    filled, at = exits.completion.size, exits.completion.limit
    fee = KALSHI.fee.charge(Size(filled), Price(at))
    spent = leg.paid + filled * at + fee
    assert spent - filled <= exits.completion_loss
