"""Orders that rest: on the book, out of it, and filled when others' quotes come to cross them.

They trade with the makers' quotes only, never with each other.
"""

import asyncio

from sim.book import LevelChange
from sim.polymarket.exchange import Exchange
from sim.polymarket.market import Market
from sim.polymarket.matching import Piece, by_shares, take
from sim.polymarket.orders import OrderType, Side
from sim.polymarket.trades import Order
from sim.units import notional_ceil, notional_floor
from sim.wire import pause

GTD_MARGIN_S = 60
"""A GTD order ends one minute before its expiration."""


def watch(exchange: Exchange) -> None:
    """Sweep a market soon after others change their quotes in it."""
    for market in exchange.markets.values():
        _watch(exchange, market)


def _watch(exchange: Exchange, market: Market) -> None:
    def changed(change: LevelChange) -> None:
        # an order's own take or rest is no reason, and a sweep inside it would be too early
        if change.cause is None and any(o.market is market for o in exchange.live.values()):
            asyncio.get_running_loop().call_soon(sweep, exchange, market)

    exchange.world.book("polymarket", market.pair).listen(changed)


def rest(exchange: Exchange, order: Order) -> None:
    """Lie on the book with what is left, holding back its money or tokens."""
    order.status = order.record.state = "LIVE"
    exchange.live[order.id] = order
    reserve(order)
    book = exchange.world.book("polymarket", order.market.pair)
    book.rest(order.way.side, order.way.limit, order.remaining, order.id)
    exchange.hub.order_event(order, "PLACEMENT")
    if order.type is OrderType.GTD:
        exchange.settlement.spawn(expire(exchange, order))


def reserve(order: Order) -> None:
    """Hold back what the rest of a live order may cost."""
    if order.side is Side.BUY:
        order.wallet.reserved[order.id] = ("", notional_ceil(order.limit, order.remaining))
    else:
        order.wallet.reserved[order.id] = (order.token, order.remaining)


async def expire(exchange: Exchange, order: Order) -> None:
    """GTD ends one minute before its expiration, as the venue documents."""
    seconds = order.submission.order.expiration - GTD_MARGIN_S - exchange.now_s()
    await pause(seconds * 1000)
    if order.status == "LIVE":
        exchange.withdraw(order, "CANCELED")


def sweep(exchange: Exchange, market: Market) -> None:
    """Fill live orders of a market that others' quotes have come to cross, as makers, free."""
    book = exchange.world.book("polymarket", market.pair)
    for order in list(exchange.live.values()):
        if order.market is not market:
            continue
        found = by_shares(book, order.way, order.side, order.remaining)
        if not found:
            continue
        size = sum(piece.size for piece in found)
        money = notional_ceil if order.side is Side.BUY else notional_floor
        dollars = money(order.limit, size)
        take(book, order.way, found, order.id)
        book.rest(order.way.side, order.way.limit, -size, order.id)
        whole = Piece(order.limit, size, dollars, order.way.limit)
        fate = exchange.settlement.fate(exchange.knobs, None)
        exchange.match(order, [whole], [0], [fate], maker=True)
        if order.remaining:
            reserve(order)
        else:
            exchange.end(order, "MATCHED")
        exchange.hub.order_event(order, "UPDATE")
