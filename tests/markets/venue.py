"""A venue inside the test: it lists markets and streams the books it is told, as a venue would."""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, Iterable

from domain.book import Book
from domain.terms import Terms
from domain.venue import Instrument, Outcome, Venue
from tests.domain.build import a_book, an_instrument
from venues.port import Untradable, VenueMisuse, VenueUnreachable

Levels = Iterable[tuple[str, str | int]]


class LocalVenue:
    """Market data of one venue. Markets are listed until `delisted`; whoever streams is told every
    book that `quote` sets, and asking for a book gives the newest one."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._versions = itertools.count(1)
        self._books: dict[str, Book] = {}
        self._streams: list[asyncio.Queue[Book | Exception | None]] = []
        self.delisted: dict[str, Untradable] = {}
        self.words: dict[str, Terms] = {}
        self.unreachable = False
        self.unreachable_for: set[str] = set()
        self.listed_for: list[str] = []
        self.stream_refusal: Exception | None = None
        self.reads: list[str] = []
        self.streams_opened = 0
        self.streamed = asyncio.Event()

    @property
    def venue(self) -> Venue:
        return self._venue

    def at(self, market: str, outcome: Outcome) -> Instrument:
        """The instrument as it is listed."""
        base = an_instrument(self._venue, outcome)
        return Instrument(
            venue=self._venue,
            market=market,
            token=f"{market}:{outcome}",
            outcome=outcome,
            ticks=base.ticks,
            size_step=base.size_step,
            size_min=base.size_min,
            notional_min=base.notional_min,
            fee=base.fee,
        )

    async def instrument(self, market: str, outcome: Outcome) -> Instrument | Untradable:
        self.listed_for.append(market)
        if self.unreachable or market in self.unreachable_for:
            raise VenueUnreachable(f"{self._venue} does not answer")
        return self.delisted.get(market) or self.at(market, outcome)

    async def barred(self, instrument: Instrument) -> Untradable | None:
        return None

    async def terms(self, market: str) -> Terms | None:
        if self.unreachable:
            raise VenueUnreachable(f"{self._venue} does not answer")
        return self.words.get(market)

    def rest(
        self, instrument: Instrument, asks: Levels, bids: Levels = (), *, age_ms: int = 0
    ) -> Book:
        """Set a book without telling the stream."""
        made = a_book(instrument, asks, bids, version=next(self._versions))
        received_ns = time.monotonic_ns() - age_ms * 1_000_000
        book = Book(
            made.venue, made.token, made.asks, made.bids, made.version, made.at_ms, received_ns
        )
        self._books[instrument.token] = book
        return book

    def quote(
        self, instrument: Instrument, asks: Levels, bids: Levels = (), *, age_ms: int = 0
    ) -> Book:
        """Set a book and tell the stream."""
        book = self.rest(instrument, asks, bids, age_ms=age_ms)
        self.tell(book)
        return book

    def tell(self, book: Book) -> None:
        """Tell the stream a book made elsewhere."""
        self._books[book.token] = book
        for stream in self._streams:
            stream.put_nowait(book)

    @property
    def told_all(self) -> bool:
        """Whether every stream has been read to its end."""
        return all(stream.empty() for stream in self._streams)

    def break_streams(self, problem: Exception | None) -> None:
        """End every stream, with an error or without one."""
        for stream in self._streams:
            stream.put_nowait(problem)

    async def book(self, instrument: Instrument) -> Book:
        self.reads.append(instrument.token)
        await asyncio.sleep(0)
        if self.unreachable:
            raise VenueUnreachable(f"{self._venue} does not answer")
        if instrument.token not in self._books:
            raise VenueMisuse(f"expected a token with a book, found {instrument.token}")
        known = self._books[instrument.token]
        fresh = time.monotonic_ns()
        return Book(
            known.venue, known.token, known.asks, known.bids, known.version, known.at_ms, fresh
        )

    async def books(self, instruments: tuple[Instrument, ...]) -> AsyncGenerator[Book, None]:
        self.streams_opened += 1
        if self.stream_refusal is not None:
            raise self.stream_refusal
        queue: asyncio.Queue[Book | Exception | None] = asyncio.Queue()
        tokens = {instrument.token for instrument in instruments}
        for token in tokens & self._books.keys():
            queue.put_nowait(self._books[token])
        self._streams.append(queue)
        self.streamed.set()
        try:
            while (told := await queue.get()) is not None:
                if isinstance(told, Exception):
                    raise told
                if told.token in tokens:
                    yield told
        finally:
            self._streams.remove(queue)
