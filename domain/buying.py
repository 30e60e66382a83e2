"""What one fill-or-kill BUY gets from a book, and at which limit: the one rule for every purchase.

Kalshi buys contracts. Polymarket spends the order's dollars, size * limit, to the last cent and
gives what they buy, so it kills an order whose dollars the asks within the limit do not take.
"""

from decimal import Decimal

from domain.book import Book, Level, depth
from domain.money import CENT, MICRO, NO_SIZE, ONE, ZERO, Price, Size, ceil_to, size_floor
from domain.venue import Instrument, Venue


def buy_limit(rule: Instrument, at: Price) -> Price | None:
    """The lowest limit not below `at` that the venue takes exactly, None where it has none.

    Polymarket counts the dollars of a BUY in whole cents, so there it is a whole cent.
    """
    limit = rule.price_at_least(at)
    if rule.venue is Venue.POLYMARKET:
        limit = Price(ceil_to(limit, CENT))
    return limit if rule.allows_price(limit) else None


def buyable(rule: Instrument, asks: tuple[Level, ...], limit: Price) -> Size:
    """The largest size, in the venue's steps, of which a BUY at `limit` is filled and not killed.

    What Polymarket's dollars would buy at better prices is more than that size, never less.
    """
    if rule.venue is Venue.KALSHI:
        return size_floor(depth(asks, limit, buying=True), rule.size_step)
    dollars = sum((ask.price * ask.size for ask in asks if ask.price <= limit), start=ZERO)
    return size_floor(dollars / limit, rule.size_step)


def taken(rule: Instrument, asks: tuple[Level, ...], size: Size, limit: Price) -> tuple[Size, ...]:
    """What a BUY takes of each ask if it arrives at this very book, rounded down to a millionth.

    At Polymarket more than `size` in all, where asks below the limit give more for its dollars.
    """
    left = Decimal(size if rule.venue is Venue.KALSHI else size * limit)
    found = []
    for ask in asks:
        each = ONE if rule.venue is Venue.KALSHI else ask.price
        got = min(ask.size, size_floor(left / each, MICRO)) if ask.price <= limit else NO_SIZE
        left -= got * each
        found.append(got)
    return tuple(found)


def lowest_limit(rule: Instrument, book: Book, size: Size) -> Price | None:
    """The lowest limit at which a BUY of `size` is filled; None where the book cannot fill it."""
    if book.crossed:
        return None
    for ask in book.asks:
        limit = buy_limit(rule, ask.price)
        if limit is not None and buyable(rule, book.asks, limit) >= size:
            return limit
    return None
