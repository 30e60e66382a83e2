"""The book: walks by size and by dollars, changes and their listeners."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.book import Action, Book, LevelChange
from sim.units import ONE

LEVELS = st.dictionaries(st.integers(1, 99).map(lambda cents: cents * 10_000),
                         st.integers(1, 10**9), max_size=8)  # fmt: skip


def a_book(bids: dict[int, int] | None = None, asks: dict[int, int] | None = None) -> Book:
    book = Book()
    book.replace(bids or {}, asks or {})
    return book


def test_a_buy_walks_the_asks_from_the_cheapest_and_gets_their_price() -> None:
    book = a_book(asks={550_000: 10 * ONE, 570_000: 5 * ONE, 600_000: ONE})
    assert book.take("buy", 570_000, 12 * ONE) == [(550_000, 10 * ONE), (570_000, 2 * ONE)]
    assert book.asks == {570_000: 3 * ONE, 600_000: ONE}


def test_a_sell_walks_the_bids_from_the_dearest_and_stops_at_the_limit() -> None:
    book = a_book(bids={530_000: ONE, 520_000: ONE, 500_000: ONE})
    assert book.take("sell", 520_000, 9 * ONE) == [(530_000, ONE), (520_000, ONE)]


def test_a_preview_changes_nothing() -> None:
    book = a_book(asks={550_000: ONE})
    version = book.version
    assert book.preview("buy", 990_000, 5 * ONE) == [(550_000, ONE)]
    assert book.preview_dollars("buy", 990_000, ONE)[0].size == ONE
    assert (book.asks, book.version) == ({550_000: ONE}, version)


def test_dollars_buy_more_at_a_better_price_and_are_spent_to_the_micro() -> None:
    book = a_book(asks={400_000: 5 * ONE, 500_000: 100 * ONE})
    spends = book.take_dollars("buy", 600_000, 5 * ONE)
    assert [(spend.price, spend.size, spend.cost) for spend in spends] == [
        (400_000, 5 * ONE, 2 * ONE),
        (500_000, 6 * ONE, 3 * ONE),
    ]


def test_dollars_on_the_sell_side_buy_no_at_its_own_price() -> None:
    book = a_book(bids={600_000: 100 * ONE})
    (spend,) = book.take_dollars("sell", 500_000, 2 * ONE)
    assert (spend.price, spend.size, spend.cost) == (600_000, 5 * ONE, 2 * ONE)


@given(LEVELS, st.sampled_from(["buy", "sell"]), st.integers(1, 10**10))
def test_a_dollar_walk_never_gives_more_than_it_was_paid_for(
    levels: dict[int, int], action: Action, dollars: int
) -> None:
    book = a_book(asks=levels) if action == "buy" else a_book(bids=levels)
    limit = ONE - 1 if action == "buy" else 1
    held = sum(levels.values())
    spends = book.take_dollars(action, limit, dollars)
    spent = sum(spend.cost for spend in spends)
    assert spent <= dollars
    for spend in spends:
        unit = spend.price if action == "buy" else ONE - spend.price
        assert Fraction(unit * spend.size, ONE) <= spend.cost
    left = sum((book.asks if action == "buy" else book.bids).values())
    assert held - left == sum(spend.size for spend in spends)
    if left:
        assert spent == dollars


@given(LEVELS, st.integers(1, 99).map(lambda cents: cents * 10_000), st.integers(1, 10**10))
def test_a_walk_by_size_takes_the_best_first_and_conserves_volume(
    levels: dict[int, int], limit: int, size: int
) -> None:
    book = a_book(asks=levels)
    found = book.take("buy", limit, size)
    taken = sum(part for _, part in found)
    assert [price for price, _ in found] == sorted(price for price, _ in found)
    assert taken == min(size, sum(part for price, part in levels.items() if price <= limit))
    assert sum(book.asks.values()) == sum(levels.values()) - taken


def test_listeners_hear_every_change_until_they_end() -> None:
    book, heard = Book(), list[LevelChange]()
    end = book.listen(heard.append)
    book.set_level("ask", 550_000, 3 * ONE)
    book.take("buy", 550_000, ONE, cause="mine")
    end()
    book.set_level("ask", 550_000, 0)
    assert heard == [
        LevelChange("ask", 550_000, 3 * ONE, 1, None),
        LevelChange("ask", 550_000, -ONE, 2, "mine"),
    ]
    assert book.version == 3


def test_own_resting_size_is_shown_and_not_walked() -> None:
    book = a_book(asks={560_000: ONE})
    book.rest("ask", 550_000, 2 * ONE, "mine")
    assert book.levels("ask") == [(550_000, 2 * ONE), (560_000, ONE)]
    assert book.best("ask") == 560_000
    assert book.take("buy", 990_000, 9 * ONE) == [(560_000, ONE)]
    book.replace({}, {})
    assert book.levels("ask") == [(550_000, 2 * ONE)]


def test_a_crossed_book_and_levels_off_the_steps_are_refused_and_change_nothing() -> None:
    book = Book(price_step=100, size_step=10_000)
    book.replace({500_000: ONE}, {510_000: ONE})
    with pytest.raises(ValueError, match="crossed book"):
        book.replace({510_000: ONE}, {510_000: ONE})
    for price, size in ((0, ONE), (ONE, ONE), (500_050, ONE), (500_000, 5), (500_000, -ONE)):
        with pytest.raises(ValueError, match="expected"):
            book.replace({price: size}, {})
    assert (book.bids, book.asks) == ({500_000: ONE}, {510_000: ONE})
