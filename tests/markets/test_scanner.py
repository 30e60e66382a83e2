"""From changed books to opportunities: fresh, screened, told once, and counted where refused."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from domain.money import Usd, price, size, usd
from domain.opportunity import Opportunity, Refused
from domain.policy import Bounds, ExecutorSettings, Refusal
from domain.venue import Instrument, Outcome, Venue
from markets.books import Books
from markets.feed import FeedLimits
from markets.pairs import ListedPair, Pairs
from markets.scanner import Scanner
from store.tally import Tally
from tests.domain.build import PAIR
from tests.domain.tables import rows
from tests.markets.conftest import running, until
from tests.markets.venue import LocalVenue

PM, KX = Venue.POLYMARKET, Venue.KALSHI
PATIENT = FeedLimits(quiet_ms=60_000)


@dataclass
class Desk:
    """A scanner over two local venues, and what it told."""

    venues: dict[Venue, LocalVenue]
    listed: dict[str, ListedPair]
    books: Books
    cash: dict[Venue, Usd | None] = field(default_factory=lambda: dict.fromkeys(Venue, usd(1_000)))
    settings: ExecutorSettings = field(default_factory=ExecutorSettings)
    told: list[Opportunity] = field(default_factory=list)
    skew_ms_max: int = 5_000
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.scanner = Scanner(
            self.books,
            lambda: self.listed,
            lambda: self.settings,
            lambda rule: self.cash[rule.venue],
            Bounds(book_age_ms_max=5_000, book_skew_ms_max=self.skew_ms_max),
            self._take,
            tally=self.tally,
        )

    async def _take(self, opportunity: Opportunity) -> None:
        self.told.append(opportunity)

    def rule(self, venue: Venue, outcome: Outcome) -> Instrument:
        market = PAIR.condition_id if venue is PM else PAIR.ticker
        return self.venues[venue].at(market, outcome)

    async def quote(
        self, venue: Venue, outcome: Outcome, ask: str, contracts: int = 50, *, age_ms: int = 0
    ) -> None:
        """The venue's stream tells a book, and the scanner has looked at it."""
        looks = self.scanner.looks
        self.venues[venue].quote(self.rule(venue, outcome), [(ask, contracts)], age_ms=age_ms)
        await until(lambda: self.scanner.looks > looks and not len(self.books.changes))

    def verdict(self, direction: Outcome) -> Opportunity | Refused:
        """What the last look said of a direction."""
        return next(seen.verdict for seen in self.scanner.seen("p1") if seen.direction is direction)

    def reason(self, direction: Outcome = Outcome.YES) -> str:
        verdict = self.verdict(direction)
        return verdict.reason if isinstance(verdict, Refused) else "opportunity"


@asynccontextmanager
async def desk(venues: dict[Venue, LocalVenue], skew_ms_max: int = 5_000) -> AsyncIterator[Desk]:
    pairs = Pairs((PAIR,), venues)
    await pairs.load()
    books = Books(venues, PATIENT)
    books.watch(pairs.listed.values())
    made = Desk(venues, pairs.listed, books, skew_ms_max=skew_ms_max)
    async with running(books.run, made.scanner.run):
        for venue in venues.values():
            await venue.streamed.wait()
        yield made


# Lowest asks at Polymarket and Kalshi, YES and NO of each; what both directions come to.
TABLE = """
    pm yes  pm no  kx yes  kx no  buy yes            buy no
    0.40    0.62   0.52    0.50   opportunity        edge_below_policy
    0.62    0.40   0.50    0.52   edge_below_policy  opportunity
    0.50    0.52   0.52    0.50   edge_below_policy  edge_below_policy
    0.49    0.53   0.50    0.49   edge_below_policy  edge_below_policy
    0.40    0.40   0.50    0.50   books_contradict   books_contradict
    0.40    -      0.52    0.50   opportunity        book_empty
    0.40    0.62   0.52    -      book_empty         edge_below_policy
    0.10    0.92   0.92    0.10   roi_above_policy   edge_below_policy
"""


@pytest.mark.parametrize(("pm_yes", "pm_no", "kx_yes", "kx_no", "buy_yes", "buy_no"), rows(TABLE))
async def test_both_directions_of_a_pair_are_judged_as_the_table_says(
    venues: dict[Venue, LocalVenue],
    pm_yes: str,
    pm_no: str,
    kx_yes: str,
    kx_no: str,
    buy_yes: str,
    buy_no: str,
) -> None:
    async with desk(venues) as made:
        for venue, outcome, ask in (
            (PM, Outcome.YES, pm_yes),
            (PM, Outcome.NO, pm_no),
            (KX, Outcome.YES, kx_yes),
            (KX, Outcome.NO, kx_no),
        ):
            if ask != "-":
                await made.quote(venue, outcome, ask)
        assert (made.reason(Outcome.YES), made.reason(Outcome.NO)) == (buy_yes, buy_no)


async def test_an_opportunity_names_both_instruments_and_is_sized_from_both_books(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues) as made:
        await made.quote(PM, Outcome.YES, "0.40")
        before_ns = time.time_ns()
        await made.quote(KX, Outcome.NO, "0.50")
        (found,) = made.told
    assert found.polymarket.instrument == made.rule(PM, Outcome.YES)
    assert found.kalshi.instrument == made.rule(KX, Outcome.NO)
    assert (found.polymarket.limit, found.kalshi.limit) == (price("0.40"), price("0.50"))
    assert found.size == size(10)
    assert abs(found.seen_ns - before_ns) < 5 * 10**9, "wall-clock time of the later book"
    assert made.scanner.found == 1


async def test_an_opportunity_is_told_once_until_its_price_or_its_size_moves(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues) as made:
        await made.quote(PM, Outcome.YES, "0.40")
        await made.quote(KX, Outcome.NO, "0.50")
        await made.quote(KX, Outcome.NO, "0.50")
        await made.quote(KX, Outcome.NO, "0.50", 60)
        assert len(made.told) == 1
        await made.quote(KX, Outcome.NO, "0.49")
        assert len(made.told) == 2
        await made.quote(KX, Outcome.NO, "0.49", 7)
        assert len(made.told) == 3
        await made.quote(KX, Outcome.NO, "0.60")
        await made.quote(KX, Outcome.NO, "0.49", 7)
        assert len(made.told) == 4, "it was gone and came back"
    assert [found.size for found in made.told] == [size(10), size(10), size(7), size(7)]


async def test_a_pair_is_told_again_when_it_is_armed_again(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues) as made:
        await made.quote(PM, Outcome.YES, "0.40")
        await made.quote(KX, Outcome.NO, "0.50")
        made.scanner.rearm("p1")
        await until(lambda: len(made.told) == 2)
    assert made.told[0].key == made.told[1].key


async def test_a_stale_book_is_refused_asked_for_anew_and_then_the_opportunity_is_told(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues) as made:
        await made.quote(PM, Outcome.YES, "0.40", age_ms=6_000)
        venues[PM].unreachable = True
        await made.quote(KX, Outcome.NO, "0.50")
        await until(lambda: bool(venues[PM].reads))
        assert made.reason() == Refusal.BOOK_STALE
        assert made.told == []
        venues[PM].unreachable = False
        made.books.ask(made.rule(PM, Outcome.YES))
        assert len(venues[PM].reads) == 1, "a pause follows each question"
    limits = FeedLimits(quiet_ms=60_000, ask_pause_ms=0)
    pairs = Pairs((PAIR,), venues)
    await pairs.load()
    books = Books(venues, limits)
    books.watch(pairs.listed.values())
    eager = Desk(venues, pairs.listed, books)
    async with running(books.run, eager.scanner.run):
        await until(lambda: len(eager.told) == 1)
    assert eager.scanner.refused[Refusal.BOOK_STALE] >= 1


async def test_books_read_too_far_apart_start_nothing_and_the_older_one_is_asked_for(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues, skew_ms_max=1_500) as made:
        venues[PM].unreachable = True
        await made.quote(PM, Outcome.YES, "0.40", age_ms=3_500)
        await made.quote(KX, Outcome.NO, "0.50")
        await until(lambda: bool(venues[PM].reads))
        assert made.reason() == Refusal.BOOKS_APART
        assert (made.told, venues[KX].reads) == ([], [])
        apart = [n for name, _, _, n in made.tally.told() if name == "arb_book_skew_seconds"]
        assert apart[0][-1] > 3_000_000, "in microseconds, also of what was refused for it"


async def test_an_opportunity_keeps_how_long_before_the_other_a_book_was_read(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues) as made:
        await made.quote(PM, Outcome.YES, "0.40", age_ms=1_000)
        await made.quote(KX, Outcome.NO, "0.50")
        (found,) = made.told
    assert found.kalshi.book_lag_ms == 0
    assert 1_000 <= found.polymarket.book_lag_ms == found.skew_ms < 5_000
    assert found.oldest_ms == found.seen_ns // 1_000_000 - found.skew_ms


async def test_a_stale_book_that_gains_nothing_is_not_asked_for(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues) as made:
        await made.quote(PM, Outcome.YES, "0.60", age_ms=6_000)
        await made.quote(KX, Outcome.NO, "0.50")
        assert made.reason() == Refusal.EDGE_BELOW_POLICY
        assert venues[PM].reads == []


@pytest.mark.parametrize(
    ("venue", "cash", "reason"),
    [
        (PM, None, Refusal.BALANCE_UNKNOWN),
        (KX, None, Refusal.BALANCE_UNKNOWN),
        (PM, "1", Refusal.POLYMARKET_CASH_TOO_LOW),
        (KX, "1", Refusal.KALSHI_CASH_TOO_LOW),
    ],
)
async def test_cash_is_read_at_each_look(
    venues: dict[Venue, LocalVenue], venue: Venue, cash: str | None, reason: Refusal
) -> None:
    async with desk(venues) as made:
        made.cash[venue] = None if cash is None else usd(cash)
        await made.quote(PM, Outcome.YES, "0.40")
        await made.quote(KX, Outcome.NO, "0.50")
        assert made.reason() == reason
        made.cash[venue] = usd(1_000)
        made.scanner.rearm("p1")
        await until(lambda: len(made.told) == 1)


async def test_settings_are_read_at_each_look(venues: dict[Venue, LocalVenue]) -> None:
    async with desk(venues) as made:
        made.settings = ExecutorSettings(min_roi=Decimal(40))
        await made.quote(PM, Outcome.YES, "0.40")
        await made.quote(KX, Outcome.NO, "0.50")
        assert made.reason() == Refusal.EDGE_BELOW_POLICY
        made.settings = ExecutorSettings()
        made.scanner.rearm("p1")
        await until(lambda: len(made.told) == 1)


async def test_every_refusal_is_counted_and_the_last_look_shows_prices_and_ages(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues) as made:
        assert made.reason() == Refusal.BOOK_EMPTY
        empty = made.scanner.refused[Refusal.BOOK_EMPTY]
        await made.quote(PM, Outcome.YES, "0.60")
        await made.quote(KX, Outcome.NO, "0.50")
        scanner = made.scanner
        assert scanner.refused[Refusal.EDGE_BELOW_POLICY] == 1
        assert scanner.refused[Refusal.BOOK_EMPTY] == empty + 2 + 1
        assert sum(scanner.refused.values()) + scanner.found == 2 * scanner.looks
        seen = scanner.seen("p1")[0]
        assert (seen.polymarket_ask, seen.kalshi_ask) == (price("0.60"), price("0.50"))
        assert seen.polymarket_age_ms is not None
        assert 0 <= seen.polymarket_age_ms < 5_000
        assert scanner.seen("p2") == ()


async def test_a_pair_that_is_no_longer_listed_is_not_looked_at(
    venues: dict[Venue, LocalVenue],
) -> None:
    async with desk(venues) as made:
        await made.quote(PM, Outcome.YES, "0.40")
        looks = made.scanner.looks
        made.listed.clear()
        venues[KX].quote(made.rule(KX, Outcome.NO), [("0.50", 9)])
        await until(lambda: made.scanner.seen("p1") == ())
        assert made.scanner.looks == looks
        assert made.told == []
