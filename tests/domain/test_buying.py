"""What a fill-or-kill BUY gets: Kalshi counts contracts, Polymarket spends dollars to the last."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.buying import buy_limit, buyable, lowest_limit, taken
from domain.money import Price, price, size
from domain.venue import Venue
from tests.domain.build import a_book, an_instrument
from tests.domain.tables import rows

# The most contracts that one order at the limit gets, 0 where it gets none.
TABLE = """
    venue       tick    asks                    limit   most
    kalshi      0.01    0.40x5 0.42x5           0.42    10
    kalshi      0.01    0.40x5 0.42x5           0.41    5
    polymarket  0.01    0.40x10                 0.40    10
    polymarket  0.01    0.40x5 0.42x5           0.40    5
    polymarket  0.01    0.40x5 0.42x5           0.42    9.76
    polymarket  0.01    0.40x5 0.42x5           0.41    4.87
    polymarket  0.001   0.403x10                0.41    9.82
    polymarket  0.001   0.403x10 0.408x10       0.41    19.78
    polymarket  0.01    0.40x100 0.42x100       0.42    195.23
    polymarket  0.01    0.40x5                  0.39    0
    polymarket  0.01    0.40x0.004              0.40    0
"""
# The lowest limit that gets all of the size, - where the book does not hold it.
LIMITS = """
    venue       tick    asks                    size    limit
    kalshi      0.01    0.40x5 0.42x5           10      0.42
    kalshi      0.01    0.40x5 0.42x5           10.01   -
    polymarket  0.01    0.40x10 0.42x5          10      0.40
    polymarket  0.01    0.40x5 0.42x5           9       0.42
    polymarket  0.01    0.40x5 0.42x5           10      -
    polymarket  0.01    0.40x5 0.42x5 0.45x0.5  10      -
    polymarket  0.01    0.40x5 0.42x5 0.45x1    10      0.45
    polymarket  0.001   0.403x10                10      -
    polymarket  0.001   0.403x10                9       0.41
    polymarket  0.001   0.403x10 0.408x1        10      0.41
    polymarket  0.001   0.992x10                5       -
"""


def asks(text: str) -> list[tuple[str, str]]:
    """Levels as text: 0.40x5 is five contracts at 0.40."""
    levels = [level.split("x") for level in text.split(" ")]
    return [(at, offered) for at, offered in levels]


@pytest.mark.parametrize(("venue", "tick", "offered", "limit", "most"), rows(TABLE))
def test_the_most_that_one_order_gets_is_the_row_of_the_table(
    venue: str, tick: str, offered: str, limit: str, most: str
) -> None:
    rule = an_instrument(Venue(venue), tick=tick)
    found = buyable(rule, a_book(rule, asks(offered)).asks, price(limit))
    assert found == size(most)


@pytest.mark.parametrize(("venue", "tick", "offered", "wanted", "limit"), rows(LIMITS))
def test_the_lowest_limit_that_gets_all_is_the_row_of_the_table(
    venue: str, tick: str, offered: str, wanted: str, limit: str
) -> None:
    rule = an_instrument(Venue(venue), tick=tick)
    found = lowest_limit(rule, a_book(rule, asks(offered)), size(wanted))
    assert found == (None if limit == "-" else price(limit))


# What of each ask an order takes that arrives at this very book.
TAKEN = """
    venue       asks                    size    limit   takes
    kalshi      0.40x5 0.42x5           8       0.42    5 3
    kalshi      0.40x5 0.42x5           10      0.40    5 0
    polymarket  0.40x10                 8       0.40    8
    polymarket  0.40x5 0.42x5           9       0.42    5 4.238095
    polymarket  0.40x50 0.42x5          10      0.42    10.5 0
"""


@pytest.mark.parametrize(("venue", "offered", "wanted", "limit", "takes"), rows(TAKEN))
def test_what_an_order_takes_of_each_ask_is_the_row_of_the_table(
    venue: str, offered: str, wanted: str, limit: str, takes: str
) -> None:
    rule = an_instrument(Venue(venue))
    found = taken(rule, a_book(rule, asks(offered)).asks, size(wanted), price(limit))
    assert list(found) == [size(one) for one in takes.split(" ")]


def test_a_crossed_book_has_no_limit() -> None:
    for venue in Venue:
        rule = an_instrument(venue)
        crossed = a_book(rule, asks=[("0.40", 100)], bids=[("0.41", 1)])
        assert lowest_limit(rule, crossed, size(5)) is None


def spent(levels: list[tuple[Decimal, Decimal]], limit: Decimal, dollars: Fraction) -> Fraction:
    """How many of these dollars a walk up to the limit spends, in fractions."""
    left = dollars
    for at, offered in sorted(levels):
        if at <= limit:
            left -= min(left, Fraction(at) * Fraction(offered))
    return dollars - left


MILLS = st.integers(1, 999).map(lambda mills: Decimal(mills) / 1000)
LEVELS = st.lists(
    st.tuples(MILLS, st.decimals("0.01", 60, places=2)),
    min_size=1,
    max_size=5,
    unique_by=lambda level: level[0],
)


@given(LEVELS, MILLS)
@example([(Decimal("0.4"), Decimal(5)), (Decimal("0.42"), Decimal(5))], Decimal("0.42"))
def test_polymarket_spends_every_dollar_of_it_and_not_those_of_a_step_more(
    levels: list[tuple[Decimal, Decimal]], limit: Decimal
) -> None:
    rule = an_instrument(Venue.POLYMARKET, tick="0.001")
    most = buyable(rule, a_book(rule, levels).asks, Price(limit))
    for contracts, whole in ((most, True), (most + rule.size_step, False)):
        dollars = Fraction(contracts) * Fraction(limit)
        assert (spent(levels, limit, dollars) == dollars) is whole


@given(LEVELS, st.integers(1, 100).map(Decimal))
def test_no_limit_below_the_lowest_one_gets_all(
    levels: list[tuple[Decimal, Decimal]], wanted: Decimal
) -> None:
    rule = an_instrument(Venue.POLYMARKET, tick="0.001")
    found = lowest_limit(rule, a_book(rule, levels), size(wanted))
    enough = [
        cents
        for cents in (Decimal(number) / 100 for number in range(1, 100))
        if spent(levels, cents, Fraction(wanted * cents)) == Fraction(wanted * cents)
    ]
    assert found == (enough[0] if enough else None)


def test_a_limit_is_on_the_grid_and_at_polymarket_on_a_whole_cent() -> None:
    fine = an_instrument(Venue.POLYMARKET, tick="0.001")
    assert buy_limit(fine, price("0.403")) == price("0.41")
    assert buy_limit(fine, price("0.41")) == price("0.41")
    assert buy_limit(fine, price("0.995")) is None
    assert buy_limit(an_instrument(Venue.KALSHI, tick="0.001"), price("0.403")) == price("0.403")
    assert buy_limit(an_instrument(Venue.POLYMARKET, tick="0.0025"), price("0.4025")) == price(
        "0.41"
    )
    assert buy_limit(an_instrument(Venue.POLYMARKET, tick="0.1"), price("0.31")) == price("0.4")
