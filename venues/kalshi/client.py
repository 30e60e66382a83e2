"""The Kalshi account behind the venue port."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import suppress

from domain.book import Book
from domain.funds import Funds
from domain.identity import client_order_id
from domain.money import ZERO, Size, Usd
from domain.order import (
    Answer,
    Fill,
    Filled,
    Identity,
    NotFilled,
    Order,
    Rejection,
    Unknown,
)
from domain.terms import Terms
from domain.venue import Instrument, Outcome, Venue
from venues.kalshi import errors, feed, ladders, market, orders, parse, terms
from venues.kalshi.account import KalshiAccount
from venues.kalshi.listing import Listing, part
from venues.kalshi.lookup import FAILED, Lookup
from venues.kalshi.private import OwnOrders
from venues.kalshi.shapes import Created, PositionRow, Quotes
from venues.kalshi.signing import Signer
from venues.kalshi.verdicts import verdict
from venues.kalshi.wire import NotThere, Wire, readable, server_time_ms
from venues.port import (
    AccountActivity,
    FirstByte,
    Resolution,
    Sighting,
    Untradable,
    VenueMisuse,
    VenueStatus,
    VenueUnreachable,
)
from venues.strict_json import Malformed
from venues.strict_json import parse as parse_json
from venues.transport import Lost, Moment, NotSent, Reply

ROW_TRIES = 3
BOOKS_A_POLL = 100


class KalshiClient:
    """One account at Kalshi; implements `venues.port.VenuePort`.

    Answers are built from fill rows only. A reply names how much filled and rounded averages; the
    exact cash and the trade ids come from rows, which trail it. `place` gives them a moment (three
    reads within `timeouts.rows`, the account's own stream usually sooner) and otherwise answers
    Unknown: `find` then ends it as soon as the rows add up. A fill booked from averages under an
    invented id would be a second truth beside its own row.
    """

    def __init__(self, account: KalshiAccount) -> None:
        """VenueMisuse where the account's key is unusable. Nothing is sent yet."""
        signer = Signer(account.key_id, account.private_key_pem)
        self._account = account
        self._wire = Wire(account, signer)
        self._own = OwnOrders(account, signer)
        self._lookup = Lookup(self._wire, self._own)
        self._listing = Listing(self._wire)
        self._versions = itertools.count(1)
        self._feed = feed.BookFeed(account, signer, self._poll, self._versions)
        self._shards: set[int] = set()

    @property
    def venue(self) -> Venue:
        """Kalshi."""
        return Venue.KALSHI

    @property
    def clock_skew_ms(self) -> int | None:
        """The venue's clock minus ours, to half a second; None before the first reply. Requests
        are refused from about ten seconds on."""
        return self._wire.skew_ms

    async def barred(self, _instrument: Instrument) -> Untradable | None:
        """Kalshi asks for no approval."""
        return None

    async def instrument(self, market_: str, outcome: Outcome) -> Instrument | Untradable:
        """The rules of one outcome, from the market, its event and its series."""
        try:
            listed = await self._listing.market(market_)
        except NotThere:
            return Untradable("market_not_found", f"Kalshi lists no market {market_!r}")
        event = await self._listing.event(listed.event_ticker)
        series = await self._listing.series(event.series_ticker)
        found = market.instrument(listed, event, series, outcome, self._account.fee_grid)
        if isinstance(found, Instrument):
            self._shards.add(found.exchange_index)
        return found

    async def terms(self, market_: str) -> Terms | None:
        """The market's own title, rules and times, under the name of its event."""
        try:
            listed, event = await self._listing.words(market_)
        except NotThere:
            return None
        return readable(terms.terms)(listed, event)

    def identify(self, order: Order) -> Identity:
        """The client_order_id, and the body it will be sent with."""
        key = client_order_id(order.intent_id)
        return Identity(key, {name: str(value) for name, value in orders.body(order, key).items()})

    async def place(self, order: Order, identity: Identity, first_byte: FirstByte) -> Answer:
        """Send once: Filled from rows, NotFilled where proven, else Unknown."""
        fault = orders.fault(order)
        if fault is not None:
            return NotFilled(Rejection.INVALID_ORDER, fault)
        self._own.start()
        reply = await self._wire.order(orders.body(order, identity.key), first_byte)
        match reply:
            case NotSent(refusal):
                return refusal
            case Lost(detail):
                return Unknown(detail)
            case Reply(status=200 | 201):
                return await self._accepted(order, identity.key, reply)
            case Reply(status=status, body=body):
                return errors.order_answer(status, body)

    async def find(self, order: Order, identity: Identity, sent_at_ms: int) -> Sighting:
        """The account's stream, orders, fills and position, searched for the client_order_id."""
        self._own.start()
        return await self._lookup.find(order, identity.key, sent_at_ms)

    async def refresh(self, order: Order, fills: tuple[Fill, ...]) -> tuple[Fill, ...]:
        """Fills are final when they are first read; rows that were missing are added."""
        sighting = await self.find(order, self.identify(order), order.created_at_ms)
        known = {fill.trade_id: fill for fill in fills}
        if isinstance(sighting.answer, Filled):
            known |= {fill.trade_id: fill for fill in sighting.answer.fills}
        return tuple(known.values())

    async def cash(self) -> Usd:
        """Dollars over all shards."""
        return (await self.funds()).total

    async def funds(self) -> Funds:
        """Dollars over all shards and on each: an order can use its own shard's only."""
        return readable(parse.balance)(await self._wire.get("/portfolio/balance"))

    async def sellable(self, instrument: Instrument) -> Size:
        """The net position where it is of the instrument's outcome, else none."""
        held = await self.positions()
        return held.get((instrument.market, instrument.outcome), Size(ZERO))

    async def positions(self) -> dict[tuple[str, Outcome], Size]:
        """Net positions that are not settled."""
        asked = {"count_filter": "position", "settlement_status": "unsettled"}
        rows: tuple[PositionRow, ...] = await self._wire.rows(
            "/portfolio/positions", "market_positions", parse.position, asked
        )
        return {(row.ticker, row.outcome): Size(abs(row.size)) for row in rows if row.size}

    async def activity(self, since_ms: int) -> AccountActivity:
        """Fills since then with the client_order_id of each one's order, and resting orders."""
        return await self._lookup.activity(since_ms)

    async def book(self, instrument: Instrument) -> Book:
        """The book by REST. Both its times are those of the question: the body names none, and the
        reply may have been long on its way."""
        asked = Moment.now()
        body = await self._wire.get(f"/markets/{part(instrument.market)}/orderbook")
        quotes, version = readable(parse.orderbook)(body), next(self._versions)
        return ladders.book(instrument, quotes, version, asked.wall_ms, asked.monotonic_ns)

    def books(self, instruments: tuple[Instrument, ...]) -> AsyncGenerator[Book, None]:
        """Books as they change; polled once a second while the socket is down."""
        self._own.start()
        return self._feed.books(instruments)

    async def resolution(self, instrument: Instrument) -> Resolution | None:
        """What a contract pays once the market is decided; the credit is the settlement's own
        revenue for the account's whole position in the market."""
        body = await self._wire.get(f"/markets/{part(instrument.market)}")
        verdict_ = market.resolution(readable(parse.market)(body), instrument.outcome)
        if verdict_ is None:
            return None
        asked = {"ticker": instrument.market}
        rows = await self._wire.rows(
            "/portfolio/settlements", "settlements", parse.settlement, asked
        )
        revenue = [row.revenue for row in rows if row.ticker == instrument.market]
        return Resolution(verdict_.pays, revenue[0] if revenue else None)

    async def status(self) -> VenueStatus:
        """Whether the exchange, and every shard an instrument was asked of, trades.

        `server_time_ms` is good to half a second: the Date header names seconds.
        """
        reply = await self._wire.ask("/exchange/status")
        server_ms = server_time_ms(reply)
        if reply.status not in (200, 503, 504):
            raise VenueUnreachable(f"GET /exchange/status: HTTP {reply.status}")
        if server_ms is None:
            raise VenueMisuse("GET /exchange/status: expected a Date header, found none")
        try:
            state = parse.exchange_state(parse_json(reply.body))
        except Malformed as problem:
            if reply.status == 200:
                raise VenueMisuse(str(problem)) from problem
            return VenueStatus(False, f"HTTP {reply.status}", server_ms)
        stopped = sorted(s for s in self._shards if not state.shards.get(s, True))
        if not (state.active and state.trading):
            resumes = f", until about {state.resumes_at}" if state.resumes_at else ""
            return VenueStatus(False, f"Kalshi does not trade now{resumes}", server_ms)
        if stopped:
            return VenueStatus(False, f"shards {stopped} do not trade now", server_ms)
        return VenueStatus(True, "trading", server_ms)

    async def close(self) -> None:
        """Close every connection."""
        await self._own.close()
        await self._feed.close()
        await self._wire.close()

    async def _accepted(self, order: Order, key: str, reply: Reply) -> Answer:
        """Read a 2xx: only one that names our order is believed."""
        try:
            done = parse.created(parse_json(reply.body))
        except Malformed as problem:
            return Unknown(f"HTTP {reply.status}, and the reply is unreadable: {problem}")
        if done.client_order_id not in (None, key):
            return Unknown(f"expected the reply to name {key}, found {done.client_order_id}")
        if done.remaining > ZERO:
            return Unknown(f"order {done.order_id}: {done.remaining} may still be matched")
        return await self._with_rows(order, key, done)

    async def _with_rows(self, order: Order, key: str, done: Created) -> Answer:
        """The answer of an order that ended, after waiting a bounded moment for its rows: whoever
        waits for it keeps the lease, and a naked leg elsewhere waits for that."""
        patience = self._account.timeouts.rows
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                for _ in range(ROW_TRIES):
                    answer = self._told(order, key, done)
                    if isinstance(answer, Unknown):
                        answer = await self._read(order, key, done)
                    if not isinstance(answer, Unknown):
                        return answer
                    await self._own.until_filled(key, done.filled, patience / (2 * ROW_TRIES))
        told = self._told(order, key, done)
        return answer if isinstance(told, Unknown) else told

    def _told(self, order: Order, key: str, done: Created) -> Answer:
        """What the account's own stream makes of it."""
        return verdict(order, done.order_id, done.filled, self._own.rows(key))

    async def _read(self, order: Order, key: str, done: Created) -> Answer:
        """What the rows that can be read make of it, with those that were told."""
        try:
            read = await self._lookup.rows_of(done.order_id)
        except FAILED as problem:
            return Unknown(f"order {done.order_id} filled {done.filled}; rows: {problem}")
        return verdict(order, done.order_id, done.filled, (*self._own.rows(key), *read))

    async def _poll(self, tickers: tuple[str, ...]) -> dict[str, Quotes]:
        found: dict[str, Quotes] = {}
        for start in range(0, len(tickers), BOOKS_A_POLL):
            asked = {"tickers": tickers[start : start + BOOKS_A_POLL]}
            found |= readable(parse.orderbooks)(await self._wire.get("/markets/orderbooks", asked))
        return found
