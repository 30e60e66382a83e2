"""One stream of books: followed, watched for silence, and asked by REST where it tells nothing."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum

from domain.book import Book
from domain.venue import Instrument
from venues.port import MarketData, VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)

TROUBLE = (VenueUnreachable, VenueMisuse, OSError)
NS_PER_MS = 1_000_000


class FeedState(StrEnum):
    """How current what we know of a venue's books is."""

    LIVE = "live"
    DELAYED = "delayed"
    STALE = "stale"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """A feed's state, the age of its newest book in milliseconds (None before the first one),
    what is wrong with it ("" where nothing is), and how often its stream broke or a book could not
    be read since it was begun."""

    state: FeedState
    age_ms: int | None
    reason: str
    problems: int


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """Times in milliseconds.

    Up to `live_ms` old a feed is live, up to `delayed_ms` delayed. After `quiet_ms` without a
    streamed book REST is asked: for all books where the stream is in trouble, else for
    `quiet_reads` of them in turns, since venues count reads (Kalshi's Basic tier gives 20 a
    second). A broken stream is retried after `retry_ms`, doubling up to
    `retry_ms_max`. One book is asked for at most every `ask_pause_ms` out of turn.
    """

    live_ms: int = 2_000
    delayed_ms: int = 10_000
    quiet_ms: int = 5_000
    quiet_reads: int = 10
    retry_ms: int = 500
    retry_ms_max: int = 30_000
    ask_pause_ms: int = 1_000


DEFAULT_LIMITS = FeedLimits()


class Feed:
    """The books of some instruments of one venue. `take` is called with every one that is news."""

    def __init__(
        self,
        port: MarketData,
        instruments: tuple[Instrument, ...],
        limits: FeedLimits,
        take: Callable[[Instrument, Book], None],
        clock: Callable[[], int],
    ) -> None:
        self.instruments = instruments
        self._by_token = {instrument.token: instrument for instrument in instruments}
        assert len(self._by_token) == len(instruments), "every instrument has its own token"
        self._port = port
        self._limits = limits
        self._take = take
        self._clock = clock
        self._heard = asyncio.Event()
        self._heard_ns: int | None = None
        self._streamed_ns: dict[str, int] = {}
        self._asked_ns: dict[str, int] = {}
        self._known: set[str] = set()
        self._turn = deque(instruments)
        self._problem = ""
        self._problems = 0

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._watch())

    def health(self) -> FeedHealth:
        """As of now."""
        if self._heard_ns is None:
            return FeedHealth(FeedState.DOWN, None, self._problem or "no book yet", self._problems)
        age_ms = (self._clock() - self._heard_ns) // NS_PER_MS
        if age_ms > self._limits.delayed_ms:
            state = FeedState.DOWN if self._problem else FeedState.STALE
        elif age_ms > self._limits.live_ms or self._problem:
            state = FeedState.DELAYED
        else:
            state = FeedState.LIVE
        return FeedHealth(state, age_ms, self._problem, self._problems)

    def ask_in_ms(self, token: str) -> int | None:
        """After how many milliseconds the token may be asked for out of turn, which is taken as
        said: None while one that was said before is still to come."""
        now, pause_ns = self._clock(), self._limits.ask_pause_ms * NS_PER_MS
        last = self._asked_ns.get(token, now - pause_ns)
        if last > now:
            return None
        self._asked_ns[token] = max(now, last + pause_ns)
        return (self._asked_ns[token] - now) // NS_PER_MS

    async def read(self, instrument: Instrument) -> bool:
        """Ask REST for one book; whether the venue could be reached. What it says is no news where
        the stream told the book meanwhile."""
        asked_ns = self._clock()
        try:
            book = await self._port.book(instrument)
        except TROUBLE as problem:
            self._complain(f"book of {instrument.token}: {problem}")
            return isinstance(problem, VenueMisuse)
        self._heard_ns = self._clock()
        self._known.add(instrument.token)
        if self._streamed_ns.get(instrument.token, -1) < asked_ns:
            self._take(instrument, book)
        return True

    async def _follow(self) -> None:
        pause_ms = self._limits.retry_ms
        while True:
            try:
                async with aclosing(self._port.books(self.instruments)) as books:
                    async for book in books:
                        self._hear(book)
                        pause_ms = self._limits.retry_ms
                self._complain("the stream ended")
            except TROUBLE as problem:
                self._complain(f"stream: {problem}")
            await asyncio.sleep(pause_ms / 1000)
            pause_ms = min(pause_ms * 2, self._limits.retry_ms_max)

    def _hear(self, book: Book) -> None:
        instrument = self._by_token.get(book.token)
        if instrument is None:
            raise VenueMisuse(f"expected a book of {sorted(self._by_token)}, found {book.token}")
        self._heard_ns = self._streamed_ns[book.token] = self._clock()
        self._known.add(book.token)
        self._problem = ""
        self._heard.set()
        self._take(instrument, book)

    async def _watch(self) -> None:
        while True:
            self._heard.clear()
            try:
                async with asyncio.timeout(self._limits.quiet_ms / 1000):
                    await self._heard.wait()
            except TimeoutError:
                for instrument in self._due():
                    if not await self.read(instrument):
                        break

    def _due(self) -> tuple[Instrument, ...]:
        """What a venue that has become quiet is asked for now: what nobody ever told first."""
        if self._problem:
            return self.instruments
        unknown = [one for one in self.instruments if one.token not in self._known]
        turn = [self._turn[n] for n in range(min(self._limits.quiet_reads, len(self._turn)))]
        self._turn.rotate(-len(turn))
        return (*unknown, *(one for one in turn if one.token in self._known))

    def _complain(self, problem: str) -> None:
        self._problem = problem
        self._problems += 1
        log.warning("%s %s", self._port.venue, problem)
