"""The latest book of every instrument of the listed pairs, and which pairs changed."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from domain.book import Book
from domain.venue import Instrument, Venue
from markets.feed import DEFAULT_LIMITS, NS_PER_MS, Feed, FeedHealth, FeedLimits
from markets.pairs import ListedPair
from venues.port import MarketData

BookKey = tuple[Venue, str]


def key_of(instrument: Instrument) -> BookKey:
    """What names a book: every outcome has a token of its own."""
    return instrument.venue, instrument.token


@dataclass(frozen=True, slots=True)
class _Running:
    feed: Feed
    task: asyncio.Task[None]


class Changes:
    """Names in the order of their first change, each at most once: bounded by the number of pairs.
    Whoever takes a name reads the newest books, so that none of them is ever lost."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._any = asyncio.Event()

    def __len__(self) -> int:
        return len(self._names)

    def put(self, name: str) -> None:
        """Something of this name changed."""
        self._names[name] = None
        self._any.set()

    def names(self) -> list[str]:
        """Those that wait, the longest first."""
        return list(self._names)

    def clear(self) -> None:
        """Nothing has changed."""
        self._names.clear()

    async def take(self) -> str:
        """The name that has waited longest; waits for one."""
        while not self._names:
            self._any.clear()
            await self._any.wait()
        name = next(iter(self._names))
        del self._names[name]
        return name


class Books:
    """Live books of both venues. `watch` says of which pairs, `run` follows them; `heard` is called
    with every book that is kept."""

    def __init__(
        self,
        venues: Mapping[Venue, MarketData],
        limits: FeedLimits = DEFAULT_LIMITS,
        clock: Callable[[], int] = time.monotonic_ns,
        heard: Callable[[Book], None] | None = None,
    ) -> None:
        self._venues = venues
        self._heard = heard
        self._limits = limits
        self._clock = clock
        self.changes = Changes()
        self._latest: dict[BookKey, Book] = {}
        self._pairs: dict[BookKey, set[str]] = {}
        self._wanted: dict[Venue, tuple[Instrument, ...]] = {}
        self._running: dict[Venue, _Running] = {}
        self._rewatch = asyncio.Event()
        self._asking: set[asyncio.Task[None]] = set()

    def watch(self, pairs: Iterable[ListedPair]) -> None:
        """Follow these pairs and no others. Feeds whose tokens stay the same go on undisturbed."""
        followed: dict[BookKey, set[str]] = {}
        wanted: dict[Venue, dict[str, Instrument]] = {}
        for listed in pairs:
            for instrument in listed.instruments:
                followed.setdefault(key_of(instrument), set()).add(listed.pair.pair_id)
                wanted.setdefault(instrument.venue, {})[instrument.token] = instrument
            self.changes.put(listed.pair.pair_id)
        self._pairs = followed
        self._latest = {key: book for key, book in self._latest.items() if key in followed}
        self._wanted = {key: tuple(found.values()) for key, found in wanted.items()}
        self._rewatch.set()

    async def run(self) -> None:
        """Until cancelled. A venue's trouble is retried; a bug of ours ends it."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._rewatch.clear()
                await self._adjust(group)
                await self._rewatch.wait()

    def latest(self, instrument: Instrument) -> Book | None:
        """The newest book; None before the first one."""
        return self._latest.get(key_of(instrument))

    def age_ms(self, book: Book) -> int:
        """Milliseconds since the book was read, by the monotonic clock."""
        return (self._clock() - book.received_ns) // NS_PER_MS

    def ask(self, instrument: Instrument) -> None:
        """Have this book read anew: its pairs are told when it is there. Not more often than
        FeedLimits allow: who asks sooner is answered then. Nothing happens while its feed is not
        running."""
        running = self._running.get(instrument.venue)
        if running is None:
            return
        wait_ms = running.feed.ask_in_ms(instrument.token)
        if wait_ms is not None:
            task = asyncio.create_task(_read_in(wait_ms, running.feed, instrument))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    def health(self) -> dict[Venue, FeedHealth]:
        """How current each followed venue is."""
        return {venue: running.feed.health() for venue, running in self._running.items()}

    async def _adjust(self, group: asyncio.TaskGroup) -> None:
        """Stop the feeds that are not wanted as they are; start those that are missing."""
        for venue, running in list(self._running.items()):
            if _tokens(self._wanted.get(venue, ())) != _tokens(running.feed.instruments):
                del self._running[venue]
                running.task.cancel()
                await asyncio.wait({running.task})
        for venue, instruments in self._wanted.items():
            if venue not in self._running:
                port = self._venues[venue]
                feed = Feed(port, instruments, self._limits, self.take, self._clock)
                self._running[venue] = _Running(feed, group.create_task(feed.run()))

    def take(self, instrument: Instrument, book: Book) -> None:
        """This is the newest book of the instrument; nothing happens where none of its pairs is
        watched."""
        key = key_of(instrument)
        if key not in self._pairs:
            return
        self._latest[key] = book
        if self._heard is not None:
            self._heard(book)
        for pair_id in self._pairs[key]:
            self.changes.put(pair_id)


async def _read_in(wait_ms: int, feed: Feed, instrument: Instrument) -> None:
    if wait_ms:
        await asyncio.sleep(wait_ms / 1_000)
    await feed.read(instrument)


def _tokens(instruments: tuple[Instrument, ...]) -> set[str]:
    return {instrument.token for instrument in instruments}
