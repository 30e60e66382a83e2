"""What a card says of depth and of our share of each ask is what the venues would do."""

from dataclasses import replace

from app.sighted import ladder, terms_of, volumes
from domain.money import usd
from domain.opportunity import Opportunity
from domain.policy import ExecutorSettings
from domain.sizing import size_pair
from domain.venue import Outcome, Venue
from markets.pairs import Direction
from markets.scanner import Seen
from tests.domain.build import PAIR, a_side, an_instrument

PM_YES = an_instrument(Venue.POLYMARKET, Outcome.YES, size_min="5", notional_min="1")
KX_NO = an_instrument(Venue.KALSHI, Outcome.NO, size_min="1")
SETTINGS = replace(ExecutorSettings(), max_bet=usd(100))


def test_polymarket_s_dollars_are_marked_on_its_asks_and_bound_the_depth() -> None:
    polymarket = a_side(PM_YES, [("0.40", 5), ("0.42", 5), ("0.50", 90)])
    kalshi = a_side(KX_NO, [("0.48", 6), ("0.49", 100)])
    plan = size_pair(PAIR, polymarket, kalshi, SETTINGS, seen_ns=0)
    assert isinstance(plan, Opportunity)
    assert [str(one) for one in (plan.size, plan.polymarket.limit, plan.kalshi.limit)] == [
        "9",
        "0.42",
        "0.49",
    ]
    asks = polymarket.book.asks[0].price, kalshi.book.asks[0].price
    seen = Seen(Outcome.YES, 0, *asks, 0, 0, plan)
    terms = terms_of(seen, Direction(PM_YES, KX_NO))
    books = {Venue.POLYMARKET: polymarket.book, Venue.KALSHI: kalshi.book}
    shares = {
        venue: [row["taken"] for row in ladder(book.asks, terms.taken(venue, book.asks))]
        for venue, book in books.items()
    }
    # 9 * 0.42 = 3.78 dollars: 2.00 of them buy the five at 0.40, 1.78 the rest at 0.42.
    assert shares == {Venue.POLYMARKET: ["5", "4.238095", "0"], Venue.KALSHI: ["6", "3"]}
    assert terms.buyable(Venue.POLYMARKET, polymarket.book.asks) == plan.size + usd("0.76")
    assert volumes(books, terms)["depth"] == "9.76"
