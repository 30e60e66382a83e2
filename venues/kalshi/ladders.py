"""A market's book as the stream tells it, and either outcome's view of it."""

from decimal import Decimal

from domain.book import Book, Level, ladder
from domain.money import ONE, ZERO, Price, Size
from domain.venue import Instrument, Outcome, Venue
from venues.kalshi.shapes import Delta, Quotes


class BrokenBook(Exception):
    """A change that the book cannot have had: messages were missed."""


class Ladder:
    """The levels of one market in YES prices."""

    def __init__(self, quotes: Quotes) -> None:
        self._bids = {level.price: Decimal(level.size) for level in quotes.bids}
        self._asks = {level.price: Decimal(level.size) for level in quotes.asks}

    def apply(self, delta: Delta) -> None:
        """Change one level; BrokenBook where it would hold less than nothing."""
        levels = self._bids if delta.bid else self._asks
        size = levels.get(delta.price, ZERO) + delta.change
        if size < ZERO:
            raise BrokenBook(f"{delta.ticker}: expected a size of 0 or more, found {size}")
        if size == ZERO:
            levels.pop(delta.price, None)
        else:
            levels[delta.price] = size

    def quotes(self) -> Quotes:
        """The book as it stands."""
        bids = [(price, Size(size)) for price, size in self._bids.items()]
        asks = [(price, Size(size)) for price, size in self._asks.items()]
        return Quotes(
            ladder(bids, best_is_lowest=False),
            ladder(asks, best_is_lowest=True),
        )


def book(
    instrument: Instrument, quotes: Quotes, version: int, at_ms: int, received_ns: int
) -> Book:
    """The instrument's view: a bid for YES at p is an offer of NO at 1 - p."""
    yes = instrument.outcome is Outcome.YES
    return Book(
        venue=Venue.KALSHI,
        token=instrument.token,
        asks=quotes.asks if yes else _complement(quotes.bids),
        bids=quotes.bids if yes else _complement(quotes.asks),
        version=version,
        at_ms=at_ms,
        received_ns=received_ns,
    )


def _complement(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return tuple(Level(Price(ONE - level.price), level.size) for level in levels)
