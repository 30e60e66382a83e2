"""Books from the market WebSocket: snapshots, changes, a watchdog, and REST where it is silent."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from datetime import timedelta

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from domain.book import Book
from venues.polymarket import parse
from venues.polymarket.account import Timeouts
from venues.polymarket.ladders import Ladders
from venues.polymarket.shapes import Change, Changes, MarketEvent, Snapshot, TickChange
from venues.port import VenueMisuse, VenueUnreachable
from venues.strict_json import Malformed

FRAME_LIMIT = 16 * 1024 * 1024
PING, PONG = "PING", "PONG"
READS_AT_ONCE = 10
log = logging.getLogger(__name__)
# Its DEBUG lines hold whole frames, and the first one of a user stream holds the API secret.
logging.getLogger("websockets").setLevel(logging.WARNING)

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
        self._doubtful: set[str] = set()

    async def books(self) -> AsyncGenerator[Book, None]:
        """Until closed. While the stream is down or silent REST is asked instead."""
        while True:
            try:
                async for book in self._stream():
                    yield book
            except (OSError, TimeoutError, WebSocketException, Silent, Malformed) as problem:
                log.warning("polymarket market stream: %s: %s", type(problem).__name__, problem)
            tokens = list(self._ladders)
            for start in range(0, len(tokens), READS_AT_ONCE):
                part = tokens[start : start + READS_AT_ONCE]
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
            limits = self._timeouts
            async for text in frames(socket, limits.ping, limits.stale_after, pong_counts=False):
                if text == PONG:
                    continue
                received_ns = time.monotonic_ns()
                for token in self._take(parse.market_events(text)):
                    yield self._ladders[token].book(received_ns)
                for token in await self._resync():
                    yield self._ladders[token].book(time.monotonic_ns())

    def _take(self, events: Iterable[MarketEvent]) -> list[str]:
        """Apply a frame; the tokens whose book it changed and whose best prices agree."""
        touched: dict[str, None] = {}
        for event in events:
            if isinstance(event, TickChange):
                self._tick_changed(event.market)
            elif isinstance(event, Snapshot):
                if event.token in self._ladders and self._ladders[event.token].replace(event):
                    touched[event.token] = None
            else:
                for token, changes in self._by_token(event).items():
                    ladders = self._ladders[token]
                    if ladders.apply(changes, event.at_ms):
                        touched[token] = None
                        if not ladders.agrees(changes[-1].best_bid, changes[-1].best_ask):
                            self._doubtful.add(token)
        return [token for token in touched if token not in self._doubtful]

    def _by_token(self, event: Changes) -> dict[str, list[Change]]:
        own: dict[str, list[Change]] = {}
        for change in event.changes:
            if change.token in self._ladders:
                own.setdefault(change.token, []).append(change)
        return own

    async def _resync(self) -> list[str]:
        """Ask REST for the books whose best prices the last frame contradicted."""
        renewed = []
        for token in sorted(self._doubtful):
            log.info("polymarket market stream: best prices of %s differ, asking anew", token)
            if await self._fresh(token) is not None:
                renewed.append(token)
        self._doubtful.clear()
        return renewed

    async def _fresh(self, token: str) -> Book | None:
        try:
            snapshot = await self._read_book(token)
        except (VenueUnreachable, VenueMisuse) as problem:
            log.warning("polymarket book of %s: %s", token, problem)
            return None
        ladders = self._ladders[token]
        return ladders.book(time.monotonic_ns()) if ladders.replace(snapshot) else None
