"""From changed books to opportunities: fresh, screened, sized, told once."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.book import Book
from domain.fees import Fee, PolymarketFee
from domain.money import ONE, Price, Size, Usd, show_cost
from domain.opportunity import Opportunity, Refused
from domain.pair import Pair
from domain.policy import Bounds, ExecutorSettings, Refusal
from domain.sizing import Side, size_pair
from domain.venue import Instrument, Outcome, Venue
from markets.books import Books
from markets.feed import NS_PER_MS
from markets.pairs import Direction, ListedPair
from store.tally import Tally

OnOpportunity = Callable[[Opportunity], Awaitable[None]]
Verdict = Opportunity | Refused
NS_PER_US = 1_000
ONE_CONTRACT = Size(ONE)
NOT_FRESH = frozenset({Refusal.BOOK_STALE, Refusal.BOOKS_APART})
Told = dict[tuple[str, Outcome], tuple[Size, Price, Price]]
"""By pair and direction: the size and both limits of the opportunity that was told last."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Nanoseconds: the wall clock that others share, and the monotonic one that ages books."""

    wall_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last look at one direction of a pair found. Ages are milliseconds, `at_ms` is
    wall-clock time; prices are the lowest asks."""

    direction: Outcome
    at_ms: int
    polymarket_ask: Price | None
    kalshi_ask: Price | None
    polymarket_age_ms: int | None
    kalshi_age_ms: int | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Quote:
    """Both books of one direction, if they are there."""

    direction: Direction
    polymarket: Book | None
    kalshi: Book | None


class Scanner:
    """Looks at a pair whenever one of its books changed. `settings` and `cash` are read at each
    look; cash is what an order for the instrument can use, None where that is not known. The
    settings' `enabled` is not asked: what to do with an opportunity is up to `on_opportunity`, and
    what that raises ends the scan.
    """

    def __init__(
        self,
        books: Books,
        listed: Callable[[], Mapping[str, ListedPair]],
        settings: Callable[[], ExecutorSettings],
        cash: Callable[[Instrument], Usd | None],
        bounds: Bounds,
        on_opportunity: OnOpportunity,
        clocks: Clocks | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._books = books
        self._listed = listed
        self._settings = settings
        self._cash = cash
        self._bounds = bounds
        self._on_opportunity = on_opportunity
        self._clocks = clocks or Clocks()
        self._tally = tally or Tally()
        self.told: Told = {}
        self._seen: dict[str, tuple[Seen, ...]] = {}
        self.looks = 0
        self.found = 0
        self.refused: Counter[Refusal] = Counter()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look(await self._books.changes.take())

    def seen(self, pair_id: str) -> tuple[Seen, ...]:
        """What the last look found, by direction; empty before the first one."""
        return self._seen.get(pair_id, ())

    def rearm(self, pair_id: str) -> None:
        """Tell the pair's opportunities again even where nothing moved: its trade has ended."""
        for outcome in Outcome:
            self.told.pop((pair_id, outcome), None)
        self._books.changes.put(pair_id)

    async def look(self, pair_id: str) -> None:
        """Judge both directions of a pair from the newest books and tell what is new."""
        listed = self._listed().get(pair_id)
        if listed is None:
            self._seen.pop(pair_id, None)
            return
        self.looks += 1
        quotes = [self._quote(direction) for direction in listed.directions]
        verdicts = self._judge(listed.pair, quotes)
        self._seen[pair_id] = tuple(
            self._note(quote, verdict) for quote, verdict in zip(quotes, verdicts, strict=True)
        )
        for quote, verdict in zip(quotes, verdicts, strict=True):
            told = (pair_id, quote.direction.outcome)
            if isinstance(verdict, Refused):
                self.refused[verdict.reason] += 1
                if verdict.reason not in NOT_FRESH:
                    self.told.pop(told, None)
                continue
            terms = (verdict.size, verdict.polymarket.limit, verdict.kalshi.limit)
            if self.told.get(told) != terms:
                self.told[told] = terms
                self.found += 1
                await self._on_opportunity(verdict)

    def _quote(self, direction: Direction) -> _Quote:
        return _Quote(
            direction,
            self._books.latest(direction.polymarket),
            self._books.latest(direction.kalshi),
        )

    def _judge(self, pair: Pair, quotes: list[_Quote]) -> list[Verdict]:
        """One verdict per direction. Both cannot gain at once: then some book is wrong."""
        screens = [_screen(quote) for quote in quotes]
        if all(refused is None for refused in screens):
            asks = [_asks(quote) for quote in quotes]
            shown = " and ".join(f"${one} + ${other}" for one, other in asks)
            contradiction = Refused(
                Refusal.BOOKS_CONTRADICT,
                f"both directions seem to gain ({shown}), so that one of the books is wrong",
            )
            return [contradiction for _ in quotes]
        return [
            refused or self._size(pair, quote)
            for refused, quote in zip(screens, quotes, strict=True)
        ]

    def _size(self, pair: Pair, quote: _Quote) -> Verdict:
        """Exactly, from books and balances that are fresh. A stale book is asked for anew, as is
        one that was read long before the other; when it comes the pair is looked at again."""
        assert quote.polymarket is not None, "the screen has seen it"
        assert quote.kalshi is not None, "the screen has seen it"
        books = (
            (quote.direction.polymarket, quote.polymarket),
            (
                quote.direction.kalshi,
                quote.kalshi,
            ),
        )
        stale = self._stale(books)
        if stale is not None:
            return stale
        sides = []
        for rule, book in books:
            cash = self._cash(rule)
            if cash is None:
                return Refused(Refusal.BALANCE_UNKNOWN, f"the cash at {rule.venue} is not known")
            sides.append(Side(rule, book, cash))
        read_ns = max(book.received_ns for _, book in books)
        seen_ns = self._clocks.wall_ns() - (self._clocks.monotonic_ns() - read_ns)
        return size_pair(pair, sides[0], sides[1], self._settings(), seen_ns)

    def _stale(self, books: tuple[tuple[Instrument, Book], ...]) -> Refused | None:
        """Why these books are too old, or too far apart, to start anything; None where not."""
        limit, apart = self._bounds.book_age_ms_max, self._bounds.book_skew_ms_max
        old = [(rule, book) for rule, book in books if self._books.age_ms(book) > limit]
        first, last = sorted(books, key=lambda one: one[1].received_ns)
        skew_ns = last[1].received_ns - first[1].received_ns
        self._tally.took("arb_book_skew_seconds", skew_ns // NS_PER_US)
        if old:
            ages = ", ".join(f"{book.venue} {self._books.age_ms(book)} ms" for _, book in old)
            found = Refusal.BOOK_STALE, f"a book is too old: {ages}, at most {limit} ms"
        else:
            skew = skew_ns // NS_PER_MS
            if skew <= apart:
                return None
            old = [first]
            found = Refusal.BOOKS_APART, f"read {skew} ms apart, at most {apart} ms are allowed"
        for rule, _ in old:
            self._books.ask(rule)
        return Refused(*found)

    def _note(self, quote: _Quote, verdict: Verdict) -> Seen:
        polymarket, kalshi = quote.polymarket, quote.kalshi
        return Seen(
            direction=quote.direction.outcome,
            at_ms=self._clocks.wall_ns() // 1_000_000,
            polymarket_ask=_lowest(polymarket),
            kalshi_ask=_lowest(kalshi),
            polymarket_age_ms=self._books.age_ms(polymarket) if polymarket else None,
            kalshi_age_ms=self._books.age_ms(kalshi) if kalshi else None,
            verdict=verdict,
        )


def _screen(quote: _Quote) -> Refused | None:
    """Why the lowest asks rule a gain out, before any ladder is walked; None where they do not.

    One contract at the lowest asks with the least of fees: every plan costs more than that.
    """
    polymarket, kalshi = _asks(quote)
    if polymarket is None or kalshi is None:
        venue = Venue.POLYMARKET if polymarket is None else Venue.KALSHI
        return Refused(Refusal.BOOK_EMPTY, f"{venue} offers nothing")
    cost = polymarket + kalshi
    if cost < ONE:
        cost += _least_fee(quote.direction.polymarket.fee, polymarket)
        cost += _least_fee(quote.direction.kalshi.fee, kalshi)
    if cost < ONE:
        return None
    return Refused(
        Refusal.EDGE_BELOW_POLICY, f"one of each costs {show_cost(cost)}, and they pay $1"
    )


def _asks(quote: _Quote) -> tuple[Price | None, Price | None]:
    return _lowest(quote.polymarket), _lowest(quote.kalshi)


def _lowest(book: Book | None) -> Price | None:
    return book.asks[0].price if book is not None and book.asks else None


def _least_fee(fee: Fee, price: Price) -> Usd:
    if isinstance(fee, PolymarketFee):
        return fee.charge(ONE_CONTRACT, price)
    return fee.trade_fee(ONE_CONTRACT, price)
