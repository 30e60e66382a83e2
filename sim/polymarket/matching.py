"""What an order would trade against the book, in terms of its own outcome.

One book per market in YES prices; NO is its mirror: buying NO at p lifts a YES bid at 1 - p.
"""

from dataclasses import dataclass

from sim.book import Action, Book
from sim.book import Side as BookSide
from sim.polymarket.orders import Side
from sim.units import ONE, notional_ceil, notional_floor


@dataclass(frozen=True, slots=True)
class Piece:
    """One level's part of a match: `price` of the order's outcome, `dollars` exchanged."""

    price: int
    size: int
    dollars: int
    yes_price: int


@dataclass(frozen=True, slots=True)
class Reach:
    """How an order walks the YES book: direction and YES limit."""

    action: Action
    limit: int
    mirrored: bool

    @property
    def side(self) -> BookSide:
        """Where the order would rest in the YES book."""
        return "bid" if self.action == "buy" else "ask"

    def own_price(self, yes_price: int) -> int:
        return ONE - yes_price if self.mirrored else yes_price


def reach(outcome: str, side: Side, limit: int) -> Reach:
    """The walk of an order on `outcome` with its own limit price."""
    mirrored = outcome == "no"
    lifts_asks = (side is Side.BUY) != mirrored
    return Reach("buy" if lifts_asks else "sell", ONE - limit if mirrored else limit, mirrored)


def by_dollars(book: Book, way: Reach, dollars: int) -> list[Piece]:
    """A BUY that spends up to `dollars`; a remainder too small for a share joins the last piece."""
    pieces: list[Piece] = []
    for part in book.preview_dollars(way.action, way.limit, dollars):
        if part.size:
            pieces.append(Piece(way.own_price(part.price), part.size, part.cost, part.price))
        elif pieces:
            last = pieces.pop()
            grown = last.dollars + part.cost
            pieces.append(Piece(last.price, last.size, grown, last.yes_price))
    return pieces


def by_shares(book: Book, way: Reach, side: Side, size: int) -> list[Piece]:
    """Up to `size` shares: buyers pay rounded up, sellers receive rounded down."""
    dollars = notional_ceil if side is Side.BUY else notional_floor
    return [
        Piece(way.own_price(price), part, dollars(way.own_price(price), part), price)
        for price, part in book.preview(way.action, way.limit, size)
    ]


def take(book: Book, way: Reach, pieces: list[Piece], cause: str) -> None:
    """Remove previewed pieces from the book."""
    for piece in pieces:
        taken = book.take(way.action, piece.yes_price, piece.size, cause)
        assert taken == [(piece.yes_price, piece.size)], f"expected {piece}, took {taken}"
