"""The Polymarket account behind the venue port.

Signing an order takes 0.8 ms (hash, signature and the second hash that is compared; measured on
one core with coincurve), so it stays on the event loop.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from domain.book import Book
from domain.funds import Funds
from domain.money import ZERO, Size, Usd, size_floor
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
from venues.polymarket import errors, orders, parse, terms, verdicts
from venues.polymarket.account import PolymarketAccount, wallet_of
from venues.polymarket.approvals import Approvals
from venues.polymarket.catalogue import Catalogue, sound
from venues.polymarket.closing import Doors
from venues.polymarket.feed import MarketFeed
from venues.polymarket.fills import known_total, latest, of_rows
from venues.polymarket.ladders import Ladders
from venues.polymarket.lookup import READ_FAILURES, Lookup
from venues.polymarket.shapes import Snapshot, Trade
from venues.polymarket.user import UserStream
from venues.polymarket.wire import Host, Wire
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
from venues.transport import Lost, NotSent, Reply

log = logging.getLogger(__name__)

PAGES = 50
HINT_SECONDS = 1
"""How long a balance waits for the venue to look at its chain: a sale waits for both."""


class PolymarketClient:
    """One Polymarket account (venues.port.VenuePort)."""

    def __init__(self, account: PolymarketAccount) -> None:
        self._account = account
        self._wallet = wallet_of(account)
        self._wire = Wire(account, self._wallet)
        self._catalogue = Catalogue(self._wire, account.timeouts.metadata_age)
        self._stream = UserStream(f"{account.ws_url}/user", account.timeouts)
        self._lookup = Lookup(self._wire, self._stream)
        self._approvals = Approvals(self._wire, self._wallet)
        self._doors = Doors()

    @property
    def venue(self) -> Venue:
        """Polymarket."""
        return Venue.POLYMARKET

    async def instrument(self, market: str, outcome: Outcome) -> Instrument | Untradable:
        """One outcome of the market with this condition id, no older than `metadata_age`."""
        return await self._catalogue.instrument(market, outcome)

    async def barred(self, instrument: Instrument) -> Untradable | None:
        """An approval that the wallet has not given to the market's exchange."""
        return await self._approvals.lacking(instrument)

    async def terms(self, market: str) -> Terms | None:
        """Gamma's own words for the market; its lists hold either open or closed ones."""
        for closed in ("false", "true"):
            params = {"condition_ids": market, "closed": closed}
            body = await self._wire.public(Host.GAMMA, "/markets/keyset", params)
            found = sound(lambda text: terms.terms(text, market), body)
            if found is not None:
                return found
        return None

    def identify(self, order: Order) -> Identity:
        """The order hash and the fields it is taken from."""
        return orders.identify(order, self._wallet)

    async def place(self, order: Order, identity: Identity, first_byte: FirstByte) -> Answer:
        """Sign and send once, fill-or-kill. What cannot be read is Unknown, never an error."""
        refused = orders.unfit(order)
        if refused is not None:
            return refused
        if _now_ms() > order.not_after_ms:
            return NotFilled(Rejection.TOO_LATE, f"expected to leave by {order.not_after_ms}")
        try:
            key = await self._wire.key()
        except READ_FAILURES as problem:
            return NotFilled(Rejection.NOT_SENT, f"no API key: {problem}")
        self._stream.start(key)
        payload = orders.signed_payload(order, identity, self._wallet, self._wire.signer, key.key)
        body = json.dumps(payload, separators=(",", ":"))
        match await self._wire.send_order(key, body, first_byte):
            case Reply() as reply:
                answer = await self._understood(order, identity.key, reply)
                self._doors.note(answer, reply)
                return answer
            case NotSent(refusal):
                return refusal
            case Lost(detail):
                return Unknown(detail)

    async def find(self, order: Order, identity: Identity, sent_at_ms: int) -> Sighting:
        """The order by its hash, its trades, and what the user stream said."""
        await self._listen()
        found = await self._lookup.records(order, identity.key, sent_at_ms)
        answer = verdicts.of_records(order, identity.key, found.order, found.trades)
        part = None
        if isinstance(answer, Unknown) and found.trades:
            part = Filled(identity.key, of_rows(order, found.trades))
        elif isinstance(answer, Unknown) and not found.shown:
            answer = None  # the stream's word of then: whether it still works, the reads say
        return Sighting(answer, found.observations, part)

    async def refresh(self, order: Order, fills: tuple[Fill, ...]) -> tuple[Fill, ...]:
        """Settlement states as listed now; a final state told by the user stream counts too."""
        await self._listen()
        order_id = self.identify(order).key
        try:
            listed = await self._lookup.settled(order, order_id)
        except Malformed as problem:
            raise VenueMisuse(f"unreadable trades: {problem}") from problem
        seen = of_rows(order, listed, known_total(order, listed))
        return latest(fills, seen)

    async def cash(self) -> Usd:
        """The pUSD balance as the order book counts it."""
        params = {"asset_type": "COLLATERAL", "signature_type": self._wallet.kind}
        return Usd(await self._balance(params))

    async def funds(self) -> Funds:
        """One purse for all markets."""
        return Funds(await self.cash())

    async def sellable(self, instrument: Instrument) -> Size:
        """The balance after the venue was told to look at the chain again, in whole steps.

        Until a bought trade is settled the venue's cache may not hold it: zero is no error. That
        the venue does not take the hint is logged and changes nothing: it is a help, limited to
        five a second, and the venue looks by itself once a trade is settled.
        """
        params = {
            "asset_type": "CONDITIONAL",
            "token_id": instrument.token,
            "signature_type": self._wallet.kind,
        }
        try:
            async with asyncio.timeout(HINT_SECONDS):
                await self._wire.private("/balance-allowance/update", params)
        except (VenueUnreachable, VenueMisuse, TimeoutError) as trouble:
            why = str(trouble) or f"no answer within {HINT_SECONDS} s"
            log.warning("polymarket takes no hint to look at its chain: %s", why)
        return size_floor(await self._balance(params), instrument.size_step)

    async def positions(self) -> dict[tuple[str, Outcome], Size]:
        """Tokens held on chain as the Data API lists them; it lags, so reconcile with care."""
        held: dict[tuple[str, Outcome], Size] = {}
        params = {"user": self._wallet.funder, "limit": "1000"}
        for _ in range(PAGES):
            body = await self._wire.public(Host.DATA, "/v2/positions", params)
            rows, cursor = sound(parse.positions_page, body)
            for row in rows:
                if row.size > ZERO:
                    outcome = await self._catalogue.outcome_of(row.market, row.token)
                    held[row.market, outcome] = row.size
            if cursor is None:
                return held
            params["cursor"] = cursor
        raise VenueMisuse(f"/v2/positions: expected at most {PAGES} pages")

    async def activity(self, since_ms: int) -> AccountActivity:
        """Trades since then, as taker or as maker, and live orders."""
        try:
            return await self._lookup.activity(since_ms, self._wallet.funder)
        except Malformed as problem:
            raise VenueMisuse(f"unreadable account: {problem}") from problem

    async def book(self, instrument: Instrument) -> Book:
        """The book by REST. It is as old as the question: the reply may have been long on its
        way."""
        ladders, asked_ns = Ladders(instrument.token), time.monotonic_ns()
        ladders.replace(await self._snapshot(instrument.token))
        return ladders.book(asked_ns)

    async def books(self, instruments: tuple[Instrument, ...]) -> AsyncGenerator[Book, None]:
        """Books from the market stream."""
        feed = MarketFeed(
            f"{self._account.ws_url}/market",
            [instrument.token for instrument in instruments],
            self._account.timeouts,
            self._snapshot,
            self._catalogue.forget,
        )
        async with aclosing(feed.books()) as books:
            async for book in books:
                yield book

    async def resolution(self, instrument: Instrument) -> Resolution | None:
        """Gamma's verdict, and the dollars of our redemption once the Data API lists it."""
        pays = await self._catalogue.verdict(instrument)
        if pays is None:
            return None
        if pays == ZERO:
            return Resolution(pays, Usd(ZERO))
        params = {"user": self._wallet.funder, "market": instrument.market, "type": "REDEEM"}
        body = await self._wire.public(Host.DATA, "/activity", params)
        return Resolution(pays, sound(parse.redeemed, body))

    async def status(self) -> VenueStatus:
        """Whether the venue answers and has not lately refused an order for being closed."""
        await self._wire.knock()
        now_ms = sound(parse.server_time_ms, await self._wire.public(Host.CLOB, "/time"))
        closed = self._doors.closed()
        return VenueStatus(closed is None, closed or "open", now_ms)

    async def close(self) -> None:
        """Close the user stream and every connection."""
        await self._stream.close()
        await self._wire.close()

    async def _understood(self, order: Order, order_id: str, reply: Reply) -> Answer:
        """The verdict on the venue's answer to our POST."""
        if reply.status != 200:
            return errors.refusal(reply.status, parse.error_text(reply.body))
        try:
            posted = parse.posted(reply.body)
        except Malformed as problem:
            return Unknown(f"HTTP 200 that is no order answer: {problem}")
        if posted.refuses:
            # a refusal inside a 200 speaks the texts of a 400
            return errors.refusal(400, posted.error)
        if not posted.success or posted.error:
            # "delayed due to market conditions" beside an order: it may be matched later
            return Unknown(f"{posted.status or 'no status'}: {errors.quoted(200, posted.error)}")
        rows: tuple[Trade, ...] = ()
        if posted.status == "matched" and len(posted.trade_ids) != 1:
            patience = self._account.timeouts.rows.total_seconds()
            try:
                async with asyncio.timeout(patience):
                    rows = await self._lookup.trades(order, order_id)
            except READ_FAILURES as problem:
                return Unknown(f"matched, but its trades could not be read: {problem}")
            except TimeoutError:
                return Unknown(f"matched, but its trades were not listed within {patience:g} s")
        return verdicts.of_answer(order, order_id, posted, rows, _now_ms())

    async def _listen(self) -> None:
        """Start the user stream where it can be started; look-ups do not depend on it."""
        try:
            self._stream.start(await self._wire.key())
        except READ_FAILURES:
            return

    async def _balance(self, params: dict[str, str]) -> Size:
        return Size(sound(parse.balance, await self._wire.private("/balance-allowance", params)))

    async def _snapshot(self, token: str) -> Snapshot:
        body = await self._wire.public(Host.CLOB, "/book", {"token_id": token})
        return sound(parse.snapshot, body)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
