"""What a page may say of one direction of a pair: sizes, prices and fees, and our share of asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.book import Book, Level
from domain.buying import buyable, taken
from domain.money import ONE, ZERO, Price, Size, floor_to
from domain.opportunity import Opportunity
from domain.venue import Instrument, Venue
from markets.pairs import Direction
from markets.scanner import Seen

LEVELS = 8
PERCENT_STEP = Decimal("0.01")
MICRO_STEP = Decimal("0.000001")
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a page may say of one direction: the plan, or one contract where there is none."""

    size: Size
    prices: dict[Venue, Price]
    fees: dict[Venue, Decimal]
    rules: dict[Venue, Instrument]

    def buyable(self, venue: Venue, asks: tuple[Level, ...]) -> Size:
        """The most that one order of ours gets at these prices."""
        return buyable(self.rules[venue], asks, self.prices[venue])

    def taken(self, venue: Venue, asks: tuple[Level, ...]) -> tuple[Size, ...]:
        """What our order takes of each ask."""
        return taken(self.rules[venue], asks, self.size, self.prices[venue])

    @property
    def cost(self) -> Decimal:
        """Both legs without fees."""
        return sum((self.size * price for price in self.prices.values()), start=ZERO)

    @property
    def fee(self) -> Decimal:
        """Both fees."""
        return sum(self.fees.values(), start=ZERO)

    @property
    def profit(self) -> Decimal:
        """The least that is gained."""
        return self.size - self.cost - self.fee

    @property
    def roi(self) -> Decimal:
        """Percent of what is spent, rounded down."""
        return floor_to(_percent(self.profit, self.cost + self.fee), PERCENT_STEP)


def _percent(profit: Decimal, outlay: Decimal) -> Decimal:
    """Profit as percent of what is spent."""
    return profit / outlay * 100 if outlay > ZERO else ZERO


def terms_of(seen: Seen, direction: Direction) -> Terms:
    verdict = seen.verdict
    if isinstance(verdict, Opportunity):
        legs = {Venue.POLYMARKET: verdict.polymarket, Venue.KALSHI: verdict.kalshi}
        return Terms(
            verdict.size,
            {venue: leg.limit for venue, leg in legs.items()},
            {venue: Decimal(leg.fee_bound) for venue, leg in legs.items()},
            {venue: leg.instrument for venue, leg in legs.items()},
        )
    assert seen.polymarket_ask is not None, "only looks with both asks are told"
    assert seen.kalshi_ask is not None, "only looks with both asks are told"
    one = Size(ONE)
    return Terms(
        one,
        {Venue.POLYMARKET: seen.polymarket_ask, Venue.KALSHI: seen.kalshi_ask},
        {
            Venue.POLYMARKET: direction.polymarket.fee.charge(one, seen.polymarket_ask),
            Venue.KALSHI: direction.kalshi.fee.charge(one, seen.kalshi_ask),
        },
        {Venue.POLYMARKET: direction.polymarket, Venue.KALSHI: direction.kalshi},
    )


def volumes(books: Mapping[Venue, Book | None], terms: Terms) -> Json:
    found = {venue: book.asks for venue, book in books.items() if book is not None}
    offered = sum((level.size for asks in found.values() for level in asks), start=ZERO)
    within = [terms.buyable(venue, asks) for venue, asks in found.items()]
    return {"volume": text(offered), "depth": text(min(within, default=ZERO))}


def ladder(levels: tuple[Level, ...], ours: tuple[Size, ...]) -> list[Json]:
    return [
        {"price": str(level.price), "size": text(level.size), "taken": text(mine)}
        for level, mine in list(zip(levels, ours, strict=True))[:LEVELS]
    ]


def text(value: Decimal) -> str:
    """An amount without needless zeros, rounded down to a millionth."""
    plain = f"{floor_to(value, MICRO_STEP):f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
