"""Orders on our accounts that the product knows nothing of: a person at the venue's own page."""

import time
from decimal import Decimal
from itertools import count

from domain.money import Price, Size
from domain.order import Filled, Identity, NotFilled, Order, Purpose
from domain.venue import Action, Outcome, TimeInForce, Venue
from tests.support.trading import Trading
from venues.port import Untradable

_numbers = count(1)


async def buy_by_hand(
    trading: Trading, venue: Venue, pair_id: str, contracts: int, *, key: str | None = None
) -> Order:
    """Buy at any price. `key` is what the venue knows the order by, where a sender may choose."""
    return await _by_hand(trading, venue, pair_id, Action.BUY, Decimal(contracts), key)


async def sell_by_hand(trading: Trading, venue: Venue, pair_id: str, contracts: Decimal) -> Order:
    """Sell our outcome at any price."""
    return await _by_hand(trading, venue, pair_id, Action.SELL, contracts, None)


async def _by_hand(
    trading: Trading,
    venue: Venue,
    pair_id: str,
    action: Action,
    contracts: Decimal,
    key: str | None,
) -> Order:
    pair, port = trading.pairs[pair_id], trading.desk.venues[venue]
    polymarket = venue is Venue.POLYMARKET
    market = pair.condition_id if polymarket else pair.ticker
    instrument = await port.instrument(market, Outcome.YES if polymarket else Outcome.NO)
    assert not isinstance(instrument, Untradable), instrument
    now_ms = time.time_ns() // 1_000_000
    order = Order(
        intent_id=f"hand/{venue}/entry/{next(_numbers)}",
        arb_id="hand",
        instrument=instrument,
        purpose=Purpose.ENTRY,
        action=action,
        size=Size(contracts),
        limit=Price(Decimal("0.60" if action is Action.BUY else "0.10")),
        time_in_force=TimeInForce.FOK,
        reduce_only=False,
        created_at_ms=now_ms,
        not_after_ms=now_ms + 5_000,
    )
    identity = port.identify(order)
    if venue is Venue.KALSHI:
        identity = Identity(key or f"by-hand-{next(_numbers)}", identity.fields)
    answer = await port.place(order, identity, _now)
    assert isinstance(answer, Filled), answer
    return order


async def _now() -> NotFilled | None:
    return None
