"""Every place where Polymarket may show one order, read as observations."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from domain.evidence import STREAMS, TRADES, Observation
from domain.order import Order
from domain.venue import Venue
from venues.polymarket import listing, parse
from venues.polymarket.fills import adds_up
from venues.polymarket.shapes import OrderSeen, Trade
from venues.polymarket.user import UserStream
from venues.polymarket.wire import NotThere, Wire
from venues.port import AccountActivity, VenueMisuse, VenueUnreachable
from venues.strict_json import Malformed

Row = TypeVar("Row")
LISTED = TRADES[Venue.POLYMARKET]
LOOK_BACK_S = 60
"""How far before the order's creation its trades are looked for: clocks differ."""
PAGES = 20
READ_FAILURES = (VenueUnreachable, VenueMisuse, Malformed)


@dataclass(frozen=True, slots=True)
class Records:
    """What was found of one order, and every read that looked for it. `order` is the venue's record
    of now where that is `shown`, else the stream's of then."""

    order: OrderSeen | None
    shown: bool
    trades: tuple[Trade, ...]
    observations: tuple[Observation, ...]


class Lookup:
    """Reads of one account's orders and trades."""

    def __init__(self, wire: Wire, stream: UserStream) -> None:
        self._wire = wire
        self._stream = stream

    async def records(self, order: Order, order_id: str, sent_at_ms: int) -> Records:
        """Ask all sources at once. Never raises for what the venue does: a failed read is an
        observation that found nothing out. What the stream told is seen when it was told, and a
        match that a record names, as much as a trade that is listed."""
        (by_hash, hash_seen), (listed, list_seen) = await asyncio.gather(
            self._by_hash(order_id), self._listed(order, order_id)
        )
        heard = self._stream.heard(order_id)
        known = bool(heard.order or heard.trades)
        live = self._stream.listening_since(sent_at_ms)
        stream_seen = Observation(
            STREAMS[Venue.POLYMARKET],
            heard.at_ms if known else _now_ms(),
            True if known else (False if live else None),
            detail="" if known or live else "not connected since the order was sent",
        )
        named = [hash_seen.at_ms] if by_hash is not None and by_hash.matched else []
        named += [heard.at_ms] if heard.matched else []
        matches = (Observation(LISTED, at_ms, True, detail="named elsewhere") for at_ms in named)
        return Records(
            by_hash or heard.order,
            by_hash is not None,
            self._merged(listed, order_id),
            # one read of a source and time counts once: the first of them
            (*matches, hash_seen, list_seen, stream_seen),
        )

    async def settled(self, order: Order, order_id: str) -> tuple[Trade, ...]:
        """The order's trades in their latest known states; raises what the read raises. Once the
        stream has told the whole order and that it is final, nobody needs to be asked."""
        told = self._merged((), order_id)
        if adds_up(order, told) and all(trade.state.final for trade in told):
            return told
        return self._merged(await self.trades(order, order_id), order_id)

    async def trades(self, order: Order, order_id: str) -> tuple[Trade, ...]:
        """The order's trades as the listing shows them; raises what the read raises."""
        params = {
            "market": order.instrument.market,
            "asset_id": order.instrument.token,
            "after": str(order.created_at_ms // 1000 - LOOK_BACK_S),
        }
        found: dict[str, Trade] = {}
        for _ in range(PAGES):
            page = await self._wire.private("/data/trades", params)
            rows, cursor = parse.trades_page(page, order_id)
            found |= {row.trade_id: row for row in rows}
            if cursor is None:
                return tuple(found.values())
            params["next_cursor"] = cursor
        raise VenueMisuse(f"/data/trades: expected at most {PAGES} pages")

    async def activity(self, since_ms: int, funder: str) -> AccountActivity:
        """Every trade of the account since then and its live orders; raises what a read raises."""
        after = {"after": str(max(0, since_ms) // 1000 - 1)}
        trades = await self._pages("/data/trades", after, listing.trades_page, funder)
        working = await self._pages("/data/orders", {}, listing.orders_page, funder)
        return AccountActivity(trades, working)

    async def _pages(
        self,
        path: str,
        params: dict[str, str],
        read: Callable[[bytes, str], tuple[tuple[Row, ...], str | None]],
        funder: str,
    ) -> tuple[Row, ...]:
        found: list[Row] = []
        for _ in range(PAGES):
            rows, cursor = read(await self._wire.private(path, params), funder)
            found += rows
            if cursor is None:
                return tuple(found)
            params = {**params, "next_cursor": cursor}
        raise VenueMisuse(f"{path}: expected at most {PAGES} pages")

    def _merged(self, listed: tuple[Trade, ...], order_id: str) -> tuple[Trade, ...]:
        """The listing, and what the stream told beyond it: other trades, final states."""
        rows = {row.trade_id: row for row in listed}
        for trade_id, told in self._stream.heard(order_id).trades.items():
            known = rows.get(trade_id)
            if known is None or (told.state.final and not known.state.final):
                rows[trade_id] = told
        return tuple(rows[trade_id] for trade_id in sorted(rows))

    async def _by_hash(self, order_id: str) -> tuple[OrderSeen | None, Observation]:
        source = "order by hash"
        try:
            seen = parse.order_seen(await self._wire.private(f"/data/order/{order_id}"))
        except NotThere:
            return None, Observation(source, _now_ms(), False)
        except READ_FAILURES as problem:
            return None, _failed(source, problem)
        if seen is not None and seen.order_id != order_id:
            return None, _failed(source, Malformed("order.id", order_id, seen.order_id))
        return seen, Observation(source, _now_ms(), seen is not None)

    async def _listed(self, order: Order, order_id: str) -> tuple[tuple[Trade, ...], Observation]:
        try:
            rows = await self.trades(order, order_id)
        except READ_FAILURES as problem:
            return (), _failed(LISTED, problem)
        return rows, Observation(LISTED, _now_ms(), bool(rows))


def _failed(source: str, problem: Exception) -> Observation:
    return Observation(source, _now_ms(), None, detail=str(problem))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
