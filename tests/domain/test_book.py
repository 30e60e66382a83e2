"""Ladders and the walk through their depth."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.book import Level, depth, ladder, walk
from domain.money import NO_SIZE, Price, Size, price, size
from domain.venue import Venue
from tests.domain.build import a_book, an_instrument

PRICES = st.integers(1, 99).map(lambda cent: price(Decimal(cent).scaleb(-2)))
SIZES = st.integers(0, 20_000).map(lambda hundredths: size(Decimal(hundredths).scaleb(-2)))
LEVELS = st.lists(st.tuples(PRICES, SIZES), max_size=8, unique_by=lambda level: level[0])
WANTED = st.integers(1, 40_000).map(lambda hundredths: size(Decimal(hundredths).scaleb(-2)))
KALSHI = an_instrument(Venue.KALSHI)


@given(LEVELS, st.booleans())
def test_a_ladder_is_in_walking_order_and_without_empty_levels(
    levels: list[tuple[Price, Size]], lowest: bool
) -> None:
    found = ladder(levels, best_is_lowest=lowest)
    prices = [level.price for level in found]
    assert prices == sorted(prices, reverse=not lowest)
    assert all(level.size > 0 for level in found)
    assert {(at.price, at.size) for at in found} == {(p, s) for p, s in levels if s > 0}


@given(LEVELS, WANTED)
def test_a_walk_takes_the_cheapest_contracts_there_are_or_none(
    levels: list[tuple[Price, Size]], wanted: Size
) -> None:
    asks = ladder(levels, best_is_lowest=True)
    hundredths = [at.price for at in asks for _ in range(int(at.size * 100))]
    walked = walk(asks, wanted)
    needed = int(wanted * 100)
    if needed > len(hundredths):
        assert walked is None
        return
    assert walked is not None
    taken = hundredths[:needed]
    assert walked.notional == sum(taken) / 100
    assert (walked.best, walked.worst) == (taken[0], taken[-1])
    assert walked.size == wanted


@given(LEVELS, WANTED)
def test_a_walk_succeeds_exactly_when_the_depth_at_its_worst_price_holds_it(
    levels: list[tuple[Price, Size]], wanted: Size
) -> None:
    asks = ladder(levels, best_is_lowest=True)
    walked = walk(asks, wanted)
    if walked is None:
        assert depth(asks, Price(Decimal("0.99")), buying=True) < wanted
    else:
        assert depth(asks, walked.worst, buying=True) >= wanted
        cheaper = Price(walked.worst - Decimal("0.01"))
        assert depth(asks, cheaper, buying=True) < wanted


def test_nothing_is_walked_for_nothing_or_from_nothing() -> None:
    asks = (Level(price("0.40"), size(5)),)
    assert walk(asks, NO_SIZE) is None
    assert walk((), size(1)) is None


def test_depth_of_bids_counts_the_floor_and_everything_above() -> None:
    bids = ladder([(price("0.40"), size(5)), (price("0.42"), size(2))], best_is_lowest=False)
    assert depth(bids, price("0.41"), buying=False) == size(2)
    assert depth(bids, price("0.40"), buying=False) == size(7)


def test_a_book_is_crossed_when_a_bid_meets_an_ask() -> None:
    assert a_book(KALSHI, [("0.40", 1)], [("0.40", 1)]).crossed
    assert a_book(KALSHI, [("0.40", 1)], [("0.41", 1)]).crossed
    assert not a_book(KALSHI, [("0.40", 1)], [("0.39", 1)]).crossed
    assert not a_book(KALSHI, [("0.40", 1)]).crossed
