"""What became of an order whose answer was lost: every source, and never a second send.

A read that failed is recorded as such and is no miss. The venue's as-of time is read before the
lists, so that it never vouches for more than they show.
"""

import time
from collections import OrderedDict

from domain.evidence import Observation
from domain.order import Answer, FillState, Order, Unknown
from domain.reconcile import AccountTrade, WorkingOrder
from domain.venue import Instrument
from venues.kalshi import market, parse
from venues.kalshi.listing import part
from venues.kalshi.private import OwnOrders
from venues.kalshi.shapes import FillRow, OrderSeen
from venues.kalshi.verdicts import verdict
from venues.kalshi.wire import NotThere, Wire, readable
from venues.port import AccountActivity, Sighting, VenueMisuse, VenueUnreachable

LOOK_BACK_MS = 60_000
"""How far before the send lists are read from: more than any clock skew the venue accepts."""
SKEW_MARGIN_MS = 2_000
OWNERS_KEPT = 10_000
FAILED = (VenueUnreachable, VenueMisuse)


class Lookup:
    """Searches the account for orders by client_order_id."""

    def __init__(self, wire: Wire, own: OwnOrders) -> None:
        self._wire, self._own = wire, own
        # Whose order a fill belongs to never changes: {order_id: client_order_id}.
        self._owners: OrderedDict[str, str] = OrderedDict()

    async def find(self, order: Order, key: str, sent_at_ms: int) -> Sighting:
        """Ask the stream, then orders, then fills, then the position; the first definite answer
        ends the search. What the stream told is seen when it was told, and a fill that is told or
        counted by an order, as much as one that is listed."""
        search = _Search(order, key, sent_at_ms)
        streamed = self._own.answer(order, key)
        told_ms, told_filled = self._own.last(key)
        if streamed is not None:
            search.note("stream", found=True, detail=str(streamed), at_ms=told_ms)
        if told_filled:
            search.note("fills", found=True, detail="told by the stream", at_ms=told_ms)
        if streamed is not None and not isinstance(streamed, Unknown):
            return search.ends(streamed)
        try:
            search.as_of_ms = await self._as_of()
        except FAILED as problem:
            search.note("user_data_timestamp", found=None, detail=str(problem))
        for source in (self._in_orders, self._in_fills, self._in_positions):
            try:
                answer = await source(search)
            except FAILED as problem:
                search.note(source.__name__.removeprefix("_in_"), found=None, detail=str(problem))
                continue
            if answer is not None:
                return search.ends(answer)
        # Told to work, then: whether it still does, the lists say.
        return search.ends(streamed if told_filled else None)

    async def rows_of(self, order_id: str) -> tuple[FillRow, ...]:
        """An order's fills as far as they are readable."""
        asked = {"order_id": order_id}
        return await self._wire.rows("/portfolio/fills", "fills", parse.fill, asked)

    async def activity(self, since_ms: int) -> AccountActivity:
        """The account's fills since then, each with its order's client_order_id, and what rests.

        VenueUnreachable while the order of a fill is not readable yet.
        """
        asked = {"min_ts": str(max(0, since_ms) // 1000)}
        fills = await self._wire.rows("/portfolio/fills", "fills", parse.fill, asked)
        earlier = {"min_ts": str(max(0, since_ms - LOOK_BACK_MS) // 1000)}
        for seen in await self._wire.rows("/portfolio/orders", "orders", parse.order, earlier):
            self._remember(seen)
        resting = await self._wire.rows(
            "/portfolio/orders", "orders", parse.order, {"status": "resting"}
        )
        trades = [
            AccountTrade(
                trade_id=row.trade_id,
                order_id=row.order_id,
                key=await self._owner(row.order_id),
                market=row.ticker,
                size=row.size,
                state=FillState.CONFIRMED,
                at_ms=row.at_ms,
            )
            for row in fills
        ]
        working = (
            WorkingOrder(one.order_id, one.client_order_id, one.ticker, one.remaining)
            for one in resting
        )
        return AccountActivity(tuple(trades), tuple(working))

    async def _owner(self, order_id: str) -> str:
        """The client_order_id of an order, "" where its sender gave none."""
        if order_id not in self._owners:
            try:
                body = await self._wire.get(f"/portfolio/orders/{order_id}")
            except NotThere as problem:
                raise VenueUnreachable(f"order {order_id} has a fill: {problem}") from problem
            self._remember(readable(parse.one_order)(body))
        return self._owners[order_id]

    async def _as_of(self) -> int:
        body = await self._wire.get("/exchange/user_data_timestamp")
        return readable(parse.as_of_ms)(body)

    async def _in_orders(self, search: "_Search") -> Answer | None:
        asked = {"ticker": search.order.instrument.market, "min_ts": search.since_s}
        listed = await self._wire.rows("/portfolio/orders", "orders", parse.order, asked)
        for seen in listed:
            self._remember(seen)
        mine = next((seen for seen in listed if seen.client_order_id == search.key), None)
        search.note("orders", found=mine is not None, detail=mine.status if mine else "")
        if mine is not None and mine.filled:
            search.note("fills", found=True, detail=f"{mine.filled} counted by the order")
        return await self._conclude(search, mine) if mine else None

    async def _in_fills(self, search: "_Search") -> Answer | None:
        """REST fills do not name the client_order_id: each one's order is looked up, once."""
        asked = {"ticker": search.order.instrument.market, "min_ts": search.since_s}
        search.fills = await self._wire.rows("/portfolio/fills", "fills", parse.fill, asked)
        for order_id in {row.order_id for row in search.fills}:
            if self._owners.get(order_id, search.key) != search.key:
                continue
            try:
                body = await self._wire.get(f"/portfolio/orders/{order_id}")
            except NotThere:
                search.note("fills", found=None, detail=f"whose is {order_id}? not readable yet")
                return None
            seen = readable(parse.one_order)(body)
            self._remember(seen)
            if seen.client_order_id == search.key:
                search.note("fills", found=True, detail=seen.status)
                return await self._conclude(search, seen)
        search.note("fills", found=False)
        return None

    async def _in_positions(self, search: "_Search") -> Answer | None:
        """A tripwire: a position that changed after the send, without a fill that explains it. In
        a decided market its settlement is enough to explain it."""
        ticker = search.order.instrument.market
        asked = {"ticker": ticker, "settlement_status": "all"}
        rows = await self._wire.rows(
            "/portfolio/positions", "market_positions", parse.position, asked
        )
        changed = max((row.changed_at_ms for row in rows if row.ticker == ticker), default=0)
        sent_there_ms = search.sent_at_ms + (self._wire.skew_ms or 0) - SKEW_MARGIN_MS
        explained = any(row.at_ms >= changed - SKEW_MARGIN_MS for row in search.fills)
        if changed < sent_there_ms or explained or await self._decided(search.order.instrument):
            search.note("positions", found=False)
            return None
        search.note("positions", found=None, detail=f"changed at {changed} without a fill")
        return Unknown(f"the position in {ticker} changed at {changed}; no fill explains it yet")

    async def _decided(self, instrument: Instrument) -> bool:
        body = await self._wire.get(f"/markets/{part(instrument.market)}")
        return market.resolution(readable(parse.market)(body), instrument.outcome) is not None

    async def _conclude(self, search: "_Search", seen: OrderSeen) -> Answer:
        if not seen.ended:
            return Unknown(f"order {seen.order_id} is {seen.status}")
        streamed = self._own.rows(search.key)
        try:
            read = await self.rows_of(seen.order_id) if seen.filled else ()
        except FAILED as problem:
            search.note("fills", found=None, detail=str(problem))
            read = ()
        return verdict(search.order, seen.order_id, seen.filled, (*streamed, *read))

    def _remember(self, seen: OrderSeen) -> None:
        self._owners[seen.order_id] = seen.client_order_id
        while len(self._owners) > OWNERS_KEPT:
            self._owners.popitem(last=False)


class _Search:
    """One search under way and what it saw."""

    def __init__(self, order: Order, key: str, sent_at_ms: int) -> None:
        self.order, self.key, self.sent_at_ms = order, key, sent_at_ms
        self.since_s = str(max(0, sent_at_ms - LOOK_BACK_MS) // 1000)
        self.as_of_ms: int | None = None
        self.fills: tuple[FillRow, ...] = ()
        self._seen: list[Observation] = []

    def note(
        self, source: str, *, found: bool | None, detail: str = "", at_ms: int | None = None
    ) -> None:
        """Add an observation, made now unless another time is given."""
        as_of_ms = self.as_of_ms if found is False else None
        made_ms = at_ms or time.time_ns() // 1_000_000
        self._seen.append(Observation(f"kalshi {source}", made_ms, found, as_of_ms, detail))

    def ends(self, answer: Answer | None) -> Sighting:
        """The search's result."""
        return Sighting(answer, tuple(self._seen))
