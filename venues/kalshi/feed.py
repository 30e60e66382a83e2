"""Order books as they change: one socket, every number checked, polled by REST while it is down."""

import asyncio
import logging
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
)
from contextlib import aclosing

from domain.book import Book
from domain.venue import Instrument
from venues.kalshi.account import KalshiAccount
from venues.kalshi.ladders import BrokenBook, Ladder, book
from venues.kalshi.shapes import Delta, Frame, Quotes, Snapshot, StreamError, Subscribed
from venues.kalshi.signing import Signer
from venues.kalshi.socket import DOWN, USE_YES_PRICE, Socket, StreamDown, dial
from venues.lateness import Lateness
from venues.port import VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)
CHANNEL = "orderbook_delta"

Poll = Callable[[tuple[str, ...]], Awaitable[dict[str, Quotes]]]


class BookFeed:
    """Books of some instruments. `versions` counts every book read, by stream or poll."""

    def __init__(
        self, account: KalshiAccount, signer: Signer, poll: Poll, versions: Iterator[int]
    ) -> None:
        self._account, self._signer = account, signer
        self._poll, self._versions = poll, versions
        self._lateness = Lateness()
        self._sockets: set[Socket] = set()
        self._closed = asyncio.Event()

    async def close(self) -> None:
        """End every stream of books."""
        self._closed.set()
        for socket in tuple(self._sockets):
            await socket.close()

    async def books(self, instruments: tuple[Instrument, ...]) -> AsyncGenerator[Book, None]:
        """Until closed; what goes wrong is logged and cured by dialling again."""
        wanted: dict[str, list[Instrument]] = {}
        for instrument in instruments:
            wanted.setdefault(instrument.market, []).append(instrument)
        while not self._closed.is_set():
            try:
                async with aclosing(self._streamed(wanted)) as stream:
                    async for changed in stream:
                        yield changed
            except DOWN as problem:
                if self._closed.is_set():
                    return
                log.warning("kalshi books: %s: %s; polling", type(problem).__name__, problem)
            for changed in await self._polled(wanted):
                yield changed
            await asyncio.sleep(self._account.timeouts.redial.total_seconds())

    async def _streamed(self, wanted: dict[str, list[Instrument]]) -> AsyncGenerator[Book, None]:
        async with dial(self._account, self._signer) as socket:
            self._sockets.add(socket)
            try:
                async with aclosing(self._followed(socket, wanted)) as changes:
                    async for changed in changes:
                        yield changed
            finally:
                self._sockets.discard(socket)

    async def _followed(
        self, socket: Socket, wanted: dict[str, list[Instrument]]
    ) -> AsyncGenerator[Book, None]:
        patience = self._account.timeouts.read.total_seconds()
        following = _Following(socket, tuple(wanted))
        await following.subscribe()
        while True:
            # Once all books stand, silence is a quiet market: pings watch the connection.
            async with asyncio.timeout(None if following.complete else patience):
                frame = await socket.frame()
            received_ns = time.monotonic_ns()
            changed = await following.take(frame)
            if changed is not None:
                quotes = following.quotes(changed.ticker)
                at_ms = _now_ms() if changed.at_ms is None else changed.at_ms
                if isinstance(changed, Delta):
                    received_ns = self._lateness.true_ns(changed.at_ms, received_ns)
                for one in self._views(wanted[changed.ticker], quotes, at_ms, received_ns):
                    yield one

    async def _polled(self, wanted: dict[str, list[Instrument]]) -> list[Book]:
        now_ms, now_ns = _now_ms(), time.monotonic_ns()
        try:
            found = await self._poll(tuple(wanted))
        except (VenueUnreachable, VenueMisuse) as problem:
            log.warning("kalshi books: the poll failed too: %s", problem)
            return []
        return [
            one
            for ticker, quotes in found.items()
            for one in self._views(wanted.get(ticker, ()), quotes, now_ms, now_ns)
        ]

    def _views(
        self, instruments: Iterable[Instrument], quotes: Quotes, at_ms: int, received_ns: int
    ) -> Iterator[Book]:
        version = next(self._versions)
        return (book(one, quotes, version, at_ms, received_ns) for one in instruments)


class _Following:
    """One subscription and its books. A gap in its numbers drops all of them and subscribes anew:
    the new subscription has another sid, so that late messages of the old one are ignored."""

    def __init__(self, socket: Socket, tickers: tuple[str, ...]) -> None:
        self._socket, self._tickers = socket, tickers
        self._sid: int | None = None
        self._seq = 0
        self._ladders: dict[str, Ladder] = {}

    @property
    def complete(self) -> bool:
        """Whether every book has had its snapshot."""
        return len(self._ladders) == len(self._tickers)

    def quotes(self, ticker: str) -> Quotes:
        """A book that `take` said had changed."""
        return self._ladders[ticker].quotes()

    async def subscribe(self) -> None:
        """Ask for snapshots and changes of every market."""
        await self._socket.command(
            "subscribe",
            {
                "channels": [CHANNEL],
                "market_tickers": list(self._tickers),
                "use_yes_price": USE_YES_PRICE,
            },
        )

    async def take(self, frame: Frame) -> Snapshot | Delta | None:
        """Apply a message; what it changed, if it changed a book that stands."""
        match frame.message:
            case StreamError(code, text):
                raise StreamDown(f"error {code}: {text}")
            case Subscribed(channel, sid) if channel == CHANNEL:
                self._sid, self._seq = sid, 0
                return None
        if frame.sid is None or frame.sid != self._sid:
            return None
        if frame.seq is not None:
            # Acknowledgements use up numbers too.
            if frame.seq != self._seq + 1:
                await self._start_over(f"expected seq {self._seq + 1}, found {frame.seq}")
                return None
            self._seq = frame.seq
        return await self._changed(frame)

    async def _changed(self, frame: Frame) -> Snapshot | Delta | None:
        message = frame.message
        if isinstance(message, Snapshot) and message.ticker in self._tickers:
            self._ladders[message.ticker] = Ladder(message.quotes)
            return message
        if isinstance(message, Delta) and message.ticker in self._ladders:
            try:
                self._ladders[message.ticker].apply(message)
            except BrokenBook as problem:
                await self._start_over(str(problem))
                return None
            return message
        return None

    async def _start_over(self, why: str) -> None:
        log.warning("kalshi books: %s; subscribing anew", why)
        old, self._sid = self._sid, None
        self._ladders.clear()
        await self._socket.command("unsubscribe", {"sids": [old]})
        await self.subscribe()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
