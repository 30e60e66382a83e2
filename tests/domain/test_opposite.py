"""What cannot be sold is neutralised: size, limit and loss of buying the other outcome."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.leg import fold
from domain.money import CENT, Price, size, to_micro, usd
from domain.opposite import Opposite, opposite_loss, plan_opposite
from domain.order import Fill
from domain.unwind import NoSale
from domain.venue import Outcome, Venue
from tests.domain.build import a_book, a_fill, a_leg, an_instrument
from tests.domain.tables import rows

OTHER = an_instrument(Venue.POLYMARKET, Outcome.NO, size_min="5", notional_min="1")
FINE = an_instrument(Venue.POLYMARKET, Outcome.NO, tick="0.001", size_min="5", notional_min="1")
BUDGET = "2"

# The leg paid 0.44 for each contract. Asks are those of the other outcome, fee rate 0.05.
TABLE = """
    excess  asks                budget  bought
    20      0.58x100            2       20 at 0.58
    20      0.58x20             2       20 at 0.58
    20      0.58x19             2       -
    20.37   0.58x100            2       21 at 0.58
    20      0.55x10 0.58x100    2       20 at 0.58
    20      0.50x10 0.58x12     2       20 at 0.58
    20      0.50x10 0.58x10     2       -
    20      0.50x10 0.58x10 0.60x9  2   20 at 0.60
    20      0.62x100            1       -
    20      0.62x100            none    20 at 0.62
    20      none                2       -
    4       0.58x100            2       -
    0.06    0.58x100            2       -
    6       0.10x100            none    -
    10      0.10x100            none    10 at 0.10
"""


def planned(excess: str, asks: str, budget: str | None) -> Opposite | NoSale:
    """What is bought of the other outcome beside a leg that paid 0.44 a contract."""
    levels = [] if asks == "none" else [tuple(one.split("x")) for one in asks.split(" ")]
    paid = str(Decimal(excess) * Decimal("0.44"))
    leg = a_leg(Venue.POLYMARKET, excess, paid=paid)
    book = a_book(OTHER, asks=[(price, depth) for price, depth in levels])
    bound = None if budget is None else usd(budget)
    return plan_opposite(OTHER, book, leg, size(excess), bound)


@pytest.mark.parametrize(("excess", "asks", "budget", "expected"), rows(TABLE))
def test_the_purchase_is_the_row_of_the_table(
    excess: str, asks: str, budget: str, expected: str
) -> None:
    found = planned(excess, asks, None if budget == "none" else budget)
    said = "-" if isinstance(found, NoSale) else f"{found.size} at {found.limit}"
    assert said == expected


def test_a_finer_tick_is_rounded_up_to_a_whole_cent() -> None:
    book = a_book(FINE, asks=[("0.575", 100)])
    found = plan_opposite(FINE, book, a_leg(Venue.POLYMARKET, "20"), size(20), None)
    assert found == Opposite(size(20), Price(Decimal("0.58")))


def test_a_crossed_book_buys_nothing() -> None:
    book = a_book(OTHER, asks=[("0.58", 100)], bids=[("0.60", 100)])
    found = plan_opposite(OTHER, book, a_leg(Venue.POLYMARKET, "20"), size(20), None)
    assert isinstance(found, NoSale)


def test_what_is_too_dear_says_what_it_may_lose() -> None:
    found = planned("20", "0.62x100", "1")
    assert isinstance(found, NoSale)
    assert found.reason == ("buying 20 of the other outcome at 0.62 may lose 1.4976, of 1 left")


CENTS = st.integers(1, 99).map(lambda cents: Decimal(cents) / 100)


@given(
    st.decimals("0.06", 50, places=6),
    CENTS,
    st.lists(st.tuples(CENTS, st.decimals("0.01", 60, places=2)), min_size=1, max_size=4),
)
def test_bought_from_the_book_it_was_planned_on_it_neutralises_all_within_its_loss(
    excess: Decimal, paid_each: Decimal, asks: list[tuple[Decimal, Decimal]]
) -> None:
    own = a_fill(excess, (excess * paid_each).quantize(Decimal("0.000001")))
    leg = fold(Venue.POLYMARKET, size(20), [own])
    book = a_book(OTHER, asks=asks)
    plan = plan_opposite(OTHER, book, leg, leg.held, None)
    if isinstance(plan, NoSale):
        return
    dollars = plan.size * plan.limit
    assert dollars % CENT == 0
    assert plan.size - excess < 1
    fills, left = [], dollars
    for number, level in enumerate(book.asks):
        spent = min(left, level.price * level.size)
        if spent <= 0 or level.price > plan.limit:
            break
        left -= spent
        fills.append(_bought(number, spent, level.price))
    assert left == 0
    after = fold(Venue.POLYMARKET, size(20), [own, *fills], opposite=frozenset({"other"}))
    assert after.held <= Decimal("0.000004")
    bound = opposite_loss(OTHER, leg, leg.held, plan, book.asks[0].price)
    assert after.unwind_loss <= bound + Decimal("0.00001")


def _bought(number: int, spent: Decimal, price: Decimal) -> Fill:
    """A trade of so many dollars at a price; contracts cut to the micro-unit."""
    contracts = Decimal(int(spent / price * 1_000_000)) / 1_000_000
    fee = Decimal(int(Decimal("0.05") * contracts * price * (1 - price) * 100_000)) / 100_000
    found = a_fill(contracts, spent.quantize(Decimal("0.000001")), fee=fee, trade_id=f"o{number}")
    assert to_micro(found.size) > 0
    return Fill(
        found.venue, found.trade_id, "other", found.action, found.size, found.notional,
        found.fee, found.state, 0,
    )  # fmt: skip
