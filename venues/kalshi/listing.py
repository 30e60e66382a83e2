"""What Kalshi lists: markets, events and series, read at a pace that leaves room for orders.

Reads are counted for the whole account (the lowest tier: twenty a second). Which markets there are
can wait; what became of an order cannot, and its questions pass none of this.
"""

import asyncio
import time
from collections import defaultdict
from urllib.parse import quote

from venues.kalshi import parse, terms
from venues.kalshi.shapes import Event, Market, ReadLimits, Series
from venues.kalshi.wire import Wire, readable
from venues.port import VenueMisuse, VenueUnreachable
from venues.strict_json import Node

NS = 1_000_000_000
MARKET_NS = 2 * NS
"""Long enough for both outcomes of a market to come from one read."""
SHARED_NS = 300 * NS
"""For how long an event and a series are kept: their fees are announced days before."""
READ_COST = 10
BASIC = ReadLimits(rate=200, capacity=600)


class Pacer:
    """Turns for what is not urgent: half of the reads that the account may make in a second, and a
    third of its bucket at once."""

    def __init__(self) -> None:
        self._free_ns = 0
        self.allow(BASIC.rate, BASIC.capacity)

    def allow(self, rate: int, capacity: int) -> None:
        """The account's read bucket: tokens a second, and tokens it holds."""
        self._pause_ns = 2 * READ_COST * NS // max(rate, 1)
        self._burst_ns = self._pause_ns * (capacity // (3 * READ_COST))

    async def turn(self) -> None:
        """Return when one more read may leave."""
        now_ns = time.monotonic_ns()
        self._free_ns = max(self._free_ns, now_ns - self._burst_ns) + self._pause_ns
        if self._free_ns > now_ns:
            await asyncio.sleep((self._free_ns - now_ns) / NS)


class Listing:
    """Reads of listings. Raises VenueUnreachable or VenueMisuse, of which NotThere says that there
    is no such market."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._pacer = Pacer()
        self._limits_ns: int | None = None
        self._kept: dict[str, tuple[int, Node]] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def market(self, ticker: str) -> Market:
        """The market's rules and state, as of now."""
        return readable(parse.market)(await self._market(ticker))

    async def event(self, ticker: str) -> Event:
        """The event of a market, kept for minutes."""
        return readable(parse.event)(await self._event(ticker))

    async def series(self, ticker: str) -> Series:
        """The series of an event, kept for minutes."""
        return readable(parse.series)(await self._read(f"/series/{part(ticker)}", SHARED_NS))

    async def words(self, ticker: str) -> tuple[Node, Node]:
        """The market and its event as they came."""
        market = await self._market(ticker)
        return market, await self._event(readable(terms.event_of)(market))

    async def _market(self, ticker: str) -> Node:
        return await self._read(f"/markets/{part(ticker)}", MARKET_NS)

    async def _event(self, ticker: str) -> Node:
        return await self._read(f"/events/{part(ticker)}", SHARED_NS)

    async def _read(self, path: str, kept_ns: int) -> Node:
        """At its turn; whoever asks for the same meanwhile has the same answer."""
        async with self._reading[path]:
            known = self._kept.get(path)
            if known is not None and time.monotonic_ns() - known[0] < kept_ns:
                return known[1]
            await self._learn_pace()
            await self._pacer.turn()
            asked_ns = time.monotonic_ns()
            body = await self._wire.get(path)
            self._kept[path] = asked_ns, body
            return body

    async def _learn_pace(self) -> None:
        """Ask now and then how many reads the account has; until it is known, as few as any."""
        now_ns = time.monotonic_ns()
        if self._limits_ns is not None and now_ns - self._limits_ns < SHARED_NS:
            return
        self._limits_ns = now_ns
        try:
            found = readable(parse.read_limits)(await self._wire.get("/account/limits"))
        except (VenueUnreachable, VenueMisuse):
            found = BASIC
        self._pacer.allow(found.rate, found.capacity)


def part(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")
