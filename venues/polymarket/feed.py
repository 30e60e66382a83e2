"""Books from the market WebSocket: snapshots, changes, a watchdog, and REST where it is silent."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from datetime import timedelta

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from domain.book import Book
from venues.lateness import Lateness
from venues.polymarket import parse
from venues.polymarket.account import Timeouts
from venues.polymarket.ladders import Ladders, TokenChanges
from venues.polymarket.shapes import Change, Changes, MarketEvent, Snapshot, TickChange
from venues.port import VenueMisuse, VenueUnreachable
from venues.strict_json import Malformed

FRAME_LIMIT = 16 * 1024 * 1024
PING, PONG = "PING", "PONG"
READS_AT_ONCE = 10
log = logging.getLogger(__name__)
# Its DEBUG lines hold whole frames, and the first one of a user stream holds the API secret.
logging.getLogger("websockets").setLevel(logging.WARNING)

Told = asyncio.Queue[Book | None]
"""Books in the order they became known; None once whoever puts them has ended."""

ReadBook = Callable[[str], Awaitable[Snapshot]]
"""Asks REST for the book of one token."""


class Silent(Exception):
    """The stream is connected but has told nothing for longer than its data may age."""


async def frames(
    socket: ClientConnection, ping: timedelta, silence: timedelta, *, pong_counts: bool
) -> AsyncGenerator[str, None]:
    """Text frames, PONG included. Sends PING when due; raises Silent after `silence` without one.

    A market stream can stay open and answer PINGs while it has stopped telling anything, so there
    PONG must not count. A quiet market is reconnected just the same: that costs one snapshot.
    """
    clock = asyncio.get_running_loop().time
    heard_at = ping_at = clock()
    while True:
        ping_due = ping_at + ping.total_seconds()
        silent_at = heard_at + silence.total_seconds()
        try:
            async with asyncio.timeout_at(min(ping_due, silent_at)):
                text = await socket.recv(decode=True)
        except TimeoutError:
            if clock() >= silent_at:
                raise Silent(f"nothing heard for {silence}") from None
            await socket.send(PING)
            ping_at = clock()
            continue
        if pong_counts or text != PONG:
            heard_at = clock()
        yield text


class MarketFeed:
    """Books of some tokens, each yielded when it changes."""

    def __init__(
        self,
        url: str,
        tokens: Iterable[str],
        timeouts: Timeouts,
        read_book: ReadBook,
        tick_changed: Callable[[str], None],
    ) -> None:
        self._url = url
        self._ladders = {token: Ladders(token) for token in tokens}
        self._timeouts = timeouts
        self._read_book = read_book
        self._tick_changed = tick_changed
        self._lateness = Lateness()
        self._doubts: dict[str, list[TokenChanges]] = {}
        self._doubted = asyncio.Event()

    async def books(self) -> AsyncGenerator[Book, None]:
        """Until closed. While the stream is down or silent REST is asked instead."""
        while True:
            try:
                async with aclosing(self._stream()) as stream:
                    async for book in stream:
                        yield book
            except (OSError, TimeoutError, WebSocketException, Silent, Malformed) as problem:
                log.warning("polymarket market stream: %s: %s", type(problem).__name__, problem)
            for part in _parts(self._ladders):
                for fresh in await asyncio.gather(*map(self._fresh, part)):
                    if fresh is not None:
                        yield fresh
            await asyncio.sleep(self._timeouts.reconnect.total_seconds())

    async def _stream(self) -> AsyncGenerator[Book, None]:
        async with connect(
            self._url,
            ping_interval=None,
            open_timeout=self._timeouts.connect.total_seconds(),
            close_timeout=1,
            max_size=FRAME_LIMIT,
        ) as socket:
            asked = {"assets_ids": list(self._ladders), "type": "market", "initial_dump": True}
            await socket.send(json.dumps(asked))
            told: Told = asyncio.Queue()
            tasks = [
                asyncio.create_task(one) for one in (self._read(socket, told), self._renew(told))
            ]
            for task in tasks:
                task.add_done_callback(lambda _ended: told.put_nowait(None))
            try:
                while (book := await told.get()) is not None:
                    yield book
                for task in tasks:
                    if task.done():
                        task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self._doubts.clear()

    async def _read(self, socket: ClientConnection, told: Told) -> None:
        """Frames as they come. Nothing else is waited for here: a frame would wait as well, and
        count as new when its turn came."""
        limits = self._timeouts
        async for text in frames(socket, limits.ping, limits.stale_after, pong_counts=False):
            if text == PONG:
                continue
            received_ns = time.monotonic_ns()
            for token, true_ns in self._take(parse.market_events(text), received_ns).items():
                told.put_nowait(self._ladders[token].book(true_ns))

    def _take(self, events: Iterable[MarketEvent], received_ns: int) -> dict[str, int]:
        """Apply a frame; the tokens whose book it changed and whose best prices agree, each with
        the monotonic time (ns) that its age counts from."""
        touched: dict[str, int] = {}
        for event in events:
            if isinstance(event, TickChange):
                self._tick_changed(event.market)
            elif isinstance(event, Snapshot):
                if event.token in self._ladders and self._ladders[event.token].replace(event):
                    # Its time is that of the last change, however long ago: it is as new as read.
                    touched[event.token] = received_ns
                    self._doubts.pop(event.token, None)
            else:
                true_ns = self._lateness.true_ns(event.at_ms, received_ns)
                for token in self._changed(event):
                    touched[token] = true_ns
        return {token: true_ns for token, true_ns in touched.items() if token not in self._doubts}

    def _changed(self, event: Changes) -> Iterator[str]:
        """Apply changes; the tokens that they are news for."""
        for token, changes in self._by_token(event).items():
            ladders = self._ladders[token]
            if not ladders.apply(changes, event.at_ms):
                continue
            if token in self._doubts:
                self._doubts[token].append((event.at_ms, changes))
            elif not ladders.agrees(changes[-1].best_bid, changes[-1].best_ask):
                log.info("polymarket market stream: best prices of %s differ, asking anew", token)
                self._doubts[token] = [(event.at_ms, changes)]
                self._doubted.set()
            yield token

    def _by_token(self, event: Changes) -> dict[str, list[Change]]:
        own: dict[str, list[Change]] = {}
        for change in event.changes:
            if change.token in self._ladders:
                own.setdefault(change.token, []).append(change)
        return own

    async def _renew(self, told: Told) -> None:
        """Ask REST for the books whose best prices a frame contradicted, until it knows them."""
        while True:
            await self._doubted.wait()
            self._doubted.clear()
            while self._doubts:
                for part in _parts(self._doubts):
                    for book in await asyncio.gather(*map(self._healed, part)):
                        if book is not None:
                            told.put_nowait(book)
                if self._doubts:
                    await asyncio.sleep(self._timeouts.reconnect.total_seconds())

    async def _healed(self, token: str) -> Book | None:
        """A doubted book as REST has it, with the changes that came after that."""
        asked_ns = time.monotonic_ns()
        snapshot = await self._snapshot(token)
        since = self._doubts.get(token)
        # The stream itself may have told the whole book meanwhile.
        if snapshot is None or since is None:
            return None
        if not self._ladders[token].renew(snapshot, since):
            return None
        del self._doubts[token]
        return self._ladders[token].book(asked_ns)

    async def _fresh(self, token: str) -> Book | None:
        asked_ns = time.monotonic_ns()
        snapshot = await self._snapshot(token)
        ladders = self._ladders[token]
        return ladders.book(asked_ns) if snapshot and ladders.replace(snapshot) else None

    async def _snapshot(self, token: str) -> Snapshot | None:
        try:
            return await self._read_book(token)
        except (VenueUnreachable, VenueMisuse) as problem:
            log.warning("polymarket book of %s: %s", token, problem)
            return None


def _parts(tokens: Iterable[str]) -> Iterator[list[str]]:
    """As many as may be asked for at once, until all had their turn."""
    waiting = list(tokens)
    for start in range(0, len(waiting), READS_AT_ONCE):
        yield waiting[start : start + READS_AT_ONCE]
