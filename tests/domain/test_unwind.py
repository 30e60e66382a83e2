"""Selling an excess: within the bids, on the grid, never beyond the budget."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.book import depth
from domain.fees import PolymarketFee
from domain.leg import LegState
from domain.money import Price, Size, Usd, on_grid, price, size, usd
from domain.unwind import FOK_TRIES, NoSale, Sale, plan_sale
from domain.venue import Instrument, TimeInForce, Venue
from tests.domain.build import a_book, a_leg, an_instrument
from tests.domain.tables import rows

INSTRUMENTS = st.builds(
    an_instrument,
    st.sampled_from(Venue),
    tick=st.sampled_from(["0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001"]),
)
HUNDREDTHS = st.integers(0, 3_000).map(lambda n: size(Decimal(n).scaleb(-2)))


@st.composite
def sales(draw: st.DrawFn) -> tuple[Instrument, list[tuple[Decimal, Size]], Size, Usd, Usd, int]:
    """An instrument, bids on its grid, an excess, what was paid for it, a budget, an attempt."""
    instrument = draw(INSTRUMENTS)
    step = instrument.ticks[0].step
    ticks = draw(st.lists(st.integers(1, int(1 / step) - 1), max_size=6, unique=True))
    bids = [(n * step, draw(HUNDREDTHS)) for n in ticks]
    paid, budget = draw(st.integers(0, 2_000)), draw(st.integers(0, 500))
    excess = size(Decimal(draw(st.integers(1, 20_000_000))).scaleb(-6))
    return (
        instrument, bids, excess, usd(Decimal(paid).scaleb(-2)), usd(Decimal(budget).scaleb(-2)),
        draw(st.integers(1, 6)),
    )  # fmt: skip


@given(sales(), st.integers(1, 9_999).map(lambda n: price(Decimal(n).scaleb(-4))))
def test_a_sale_keeps_the_limit_and_is_what_it_is_without_one(
    drawn: tuple[Instrument, list[tuple[Decimal, Size]], Size, Usd, Usd, int], least: Price
) -> None:
    instrument, bids, excess, paid, budget, attempt = drawn
    leg = LegState(instrument.venue, excess, excess, excess, paid=paid)
    book = a_book(instrument, bids=bids)
    free = plan_sale(instrument, book, leg, excess, budget, attempt)
    kept = plan_sale(instrument, book, leg, excess, budget, attempt, least)
    if isinstance(kept, Sale):
        assert kept.floor >= least
    if isinstance(free, Sale) and free.floor >= least:
        assert kept == free


@given(sales())
def test_a_sale_keeps_the_budget_the_grid_the_excess_and_the_bids(
    drawn: tuple[Instrument, list[tuple[Decimal, Size]], Size, Usd, Usd, int],
) -> None:
    instrument, bids, excess, paid, budget, attempt = drawn
    leg = LegState(instrument.venue, excess, excess, excess, paid=paid)
    book = a_book(instrument, bids=bids)
    sale = plan_sale(instrument, book, leg, excess, budget, attempt)
    if isinstance(sale, NoSale):
        return
    assert instrument.allows_price(sale.floor)
    assert on_grid(sale.size, instrument.size_step)
    assert 0 < sale.size <= min(excess, depth(book.bids, sale.floor, buying=False))
    cost = Fraction(paid) / Fraction(excess) * Fraction(sale.size)
    proceeds = Fraction(sale.size) * Fraction(sale.floor)
    fee = Fraction(instrument.fee.bound_sell(sale.size, sale.floor))
    assert cost - proceeds + fee <= Fraction(budget) + Fraction(1, 10**20)
    assert sale.reduce_only is (sale.time_in_force is TimeInForce.IOC)
    ioc = instrument.venue is Venue.KALSHI and attempt > FOK_TRIES
    assert sale.reduce_only is ioc
    if instrument.venue is Venue.POLYMARKET:
        assert on_grid(sale.size * sale.floor, Decimal("0.0001"))


# 10 contracts were bought for $4.50 at Polymarket, free of fees; attempt 1.
TABLE = """
    excess   bids                budget  sale
    10       0.44x10             1       10 at 0.44
    10       0.44x20             1       10 at 0.44
    10       0.46x2 0.44x8       1       10 at 0.44
    10       0.44x8              1       8 at 0.44
    10       0.44x8 0.01x90      1       8 at 0.44
    10       0.44x8 0.01x90      5       10 at 0.01
    10       0.40x10             0.50    10 at 0.40
    10       0.40x10             0.49    none
    10       0.46x10             0       10 at 0.46
    2.07     0.443x10            1       2.07 at 0.44
    2        0.443x10            1       2 at 0.443
    2.079    0.44x10             1       2.07 at 0.44
    0.009    0.44x10             1       none
    10       0.44x0.004          1       none
    2.07     0.005x10            5       none
    10       -                   5       none
"""


@pytest.mark.parametrize(("excess", "bids", "budget", "expected"), rows(TABLE))
def test_an_excess_is_offered_as_the_table_says(
    excess: str, bids: str, budget: str, expected: str
) -> None:
    instrument = an_instrument(Venue.POLYMARKET, tick="0.001", fee=PolymarketFee(Decimal(0)))
    levels = [tuple(bid.split("x")) for bid in bids.split() if bid != "-"]
    book = a_book(instrument, bids=[(at, contracts) for at, contracts in levels])
    leg = a_leg(Venue.POLYMARKET, "10", "10", paid="4.50")
    sale = plan_sale(instrument, book, leg, size(excess), usd(budget), attempt=1)
    if isinstance(sale, NoSale):
        assert expected == "none", sale.reason
        return
    assert expected != "none"
    contracts, at = expected.split(" at ")
    assert sale == Sale(size(contracts), price(at), TimeInForce.FOK, reduce_only=False)


def test_kalshi_kills_twice_and_then_takes_what_there_is() -> None:
    instrument = an_instrument(Venue.KALSHI)
    book = a_book(instrument, bids=[("0.44", 5)])
    leg = a_leg(Venue.KALSHI, "10", "10", paid="4.60")
    tifs = []
    for attempt in (1, 2, 3, 4):
        sale = plan_sale(instrument, book, leg, size(10), usd(2), attempt)
        assert isinstance(sale, Sale)
        tifs.append(sale.time_in_force)
    assert tifs == [TimeInForce.FOK] * 2 + [TimeInForce.IOC] * 2


def test_why_nothing_is_sold_says_what_was_expected_and_found() -> None:
    instrument = an_instrument(Venue.KALSHI)
    leg = a_leg(Venue.KALSHI, "10", "10", paid="9")
    book = a_book(instrument, bids=[("0.44", 50)])
    sale = plan_sale(instrument, book, leg, size(10), usd("0.10"), attempt=1)
    assert isinstance(sale, NoSale)
    assert sale.reason == "selling 10 at 0.44 may lose 4.796, of 0.1 left"
