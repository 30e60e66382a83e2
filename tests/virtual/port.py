"""A modelled venue as an executor sees it over the network."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from domain.book import Book, Level
from domain.evidence import Observation
from domain.money import Price, Size, Usd, from_micro
from domain.order import Answer, Fill, Filled, Identity, NotFilled, Order, Rejection, Unknown
from domain.venue import Instrument, Outcome, Venue
from tests.virtual.exchange import ONE, Exchange, Fate, Placed, Quote, Trade
from venues.port import FirstByte, Resolution, Sighting, VenueUnreachable

BACK_MS = 20
ANSWER_MS_MAX = 3_000
SOURCES = {Venue.POLYMARKET: ("order", "trades"), Venue.KALSHI: ("orders", "kalshi fills")}
REFUSALS = {
    "killed": Rejection.KILLED,
    "refuse": Rejection.INVALID_ORDER,
    "limited": Rejection.RATE_LIMITED,
    "closed": Rejection.VENUE_CLOSED,
    "balance": Rejection.INSUFFICIENT_BALANCE,
}

Point = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Network:
    """What the way to a venue is like. `dark` says whether reads fail now,
    `read_ms` how long they take; `lag_ms` how far the
    venue's own as-of time trails; `shows_killed` whether a read finds a killed order."""

    fate: Callable[[Order], Fate]
    dark: Callable[[], bool]
    read_ms: int
    lag_ms: int
    shows_killed: bool


@dataclass(frozen=True, slots=True)
class ModelledVenue:
    """Implements what activities use of a venue port. `point` is where the process may die."""

    exchange: Exchange
    own: Instrument
    network: Network
    point: Point
    before_first_byte: Callable[[Order], None]

    @property
    def venue(self) -> Venue:
        """Which venue this is."""
        return self.exchange.venue

    def identify(self, order: Order) -> Identity:
        """The intent is the key."""
        return Identity(order.intent_id, {})

    async def place(self, order: Order, identity: Identity, first_byte: FirstByte) -> Answer:
        """Send once; the packet travels on whatever becomes of the sender."""
        exchange, loop = self.exchange, self.exchange.loop
        stopped = await first_byte()
        if stopped is not None:
            return stopped
        self.point(f"before the bytes of {order.intent_id}")
        self.before_first_byte(order)
        fate = self.network.fate(order)
        exchange.sent[order.intent_id] = exchange.sent.get(order.intent_id, 0) + 1
        answer: asyncio.Future[Placed | None] = loop.create_future()

        def arrive() -> None:
            placed = exchange.arrive(order, fate)
            if fate.answered != "lost":
                loop.after_ms(BACK_MS, hear, placed)

        def hear(placed: Placed | None) -> None:
            if not answer.done():
                answer.set_result(placed)

        impatience = loop.after_ms(ANSWER_MS_MAX, hear, None)
        if fate.reach:
            loop.after_ms(fate.arrive_ms, arrive)
        self.point(f"after the bytes of {order.intent_id}")
        heard = await answer
        impatience.cancel()
        self.point(f"answer of {order.intent_id}")
        if heard is None:
            return Unknown("no answer in time")
        if fate.answered == "garbled":
            return Unknown("502")
        return self._answer(heard)

    async def find(self, order: Order, identity: Identity, sent_at_ms: int) -> Sighting:
        """Two sources, of which both know or neither does."""
        if self.network.read_ms:
            await asyncio.sleep(self.network.read_ms / 1000)
        self.point("read")
        now_ms = self.exchange.loop.now_ms
        sources = SOURCES[self.venue]
        if self.network.dark():
            return Sighting(None, tuple(Observation(one, now_ms, None) for one in sources))
        as_of_ms = now_ms - self.network.lag_ms if self.venue is Venue.KALSHI else None
        placed = self.exchange.placed.get(order.intent_id)
        if placed is None or not self._shows(placed, as_of_ms or now_ms):
            misses = (Observation(one, now_ms, False, as_of_ms) for one in sources)
            return Sighting(None, tuple(misses))
        seen = tuple(Observation(one, now_ms, True, as_of_ms) for one in sources)
        return Sighting(self._answer(placed), seen)

    async def refresh(self, order: Order, fills: tuple[Fill, ...]) -> tuple[Fill, ...]:
        """The fills as they are now."""
        await self._read()
        return self._fills(self.exchange.placed[order.intent_id])

    async def sellable(self, instrument: Instrument) -> Size:
        """What the balance shows."""
        await self._read()
        return Size(from_micro(self.exchange.sellable))

    async def instrument(self, market: str, outcome: Outcome) -> Instrument:
        """One outcome of the market; both have the same rules."""
        await self._read()
        return replace(self.own, outcome=outcome, token=f"{self.venue}-{outcome}")

    async def book(self, instrument: Instrument) -> Book:
        """One level on each side; that of the other outcome is the mirror of our own."""
        await self._read()
        quote = self.exchange.quote
        if instrument.outcome is not self.exchange.outcome:
            quote = Quote(ONE - quote.bid, ONE - quote.ask, quote.bid_depth, quote.depth)
        bid = Level(Price(from_micro(quote.bid)), Size(from_micro(quote.bid_depth)))
        ask = Level(Price(from_micro(quote.ask)), Size(from_micro(quote.depth)))
        return Book(
            venue=self.venue,
            token=instrument.token,
            asks=(ask,) if quote.depth else (),
            bids=(bid,) if quote.bid_depth else (),
            version=1,
            at_ms=self.exchange.loop.now_ms,
            received_ns=self.exchange.loop.now_us * 1000,
        )

    async def resolution(self, instrument: Instrument) -> Resolution | None:
        """What the question paid."""
        await self._read()
        found = self.exchange.resolution
        if found is None or instrument.outcome is self.exchange.outcome:
            return found
        return Resolution(1 - found.pays, found.credited)

    async def _read(self) -> None:
        if self.network.read_ms:
            await asyncio.sleep(self.network.read_ms / 1000)
        self.point("read")
        if self.network.dark():
            raise VenueUnreachable(f"{self.venue} cannot be read")

    def _shows(self, placed: Placed, as_of_ms: int) -> bool:
        if placed.trades:
            return as_of_ms >= placed.at_ms + placed.fate.shown_ms
        return placed.verdict == "killed" and self.network.shows_killed

    def _answer(self, placed: Placed) -> Answer:
        if placed.trades:
            return Filled(placed.order.intent_id, self._fills(placed))
        return NotFilled(REFUSALS[placed.verdict], placed.verdict)

    def _fills(self, placed: Placed) -> tuple[Fill, ...]:
        return tuple(self._fill(placed.order, trade) for trade in placed.trades)

    def _fill(self, order: Order, trade: Trade) -> Fill:
        """The same object until its state changes."""
        if trade.shown is None or trade.shown.state is not trade.state:
            trade.shown = Fill(
                venue=self.venue,
                trade_id=trade.trade_id,
                intent_id=order.intent_id,
                action=order.action,
                size=Size(from_micro(trade.size)),
                notional=Usd(from_micro(trade.notional)),
                fee=Usd(from_micro(trade.fee)),
                state=trade.state,
                at_ms=trade.at_ms,
            )
        return trade.shown
