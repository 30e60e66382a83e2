"""From what Polymarket says about an order to exact fills: never a split by guess.

A trade row names size and price; the cash of the whole order is known exactly (a BUY spends its
dollars), so rows may disagree with it by what rounding a row to a micro-dollar can explain.
"""

from collections.abc import Iterable
from dataclasses import replace

from domain.fees import PolymarketFee
from domain.money import (
    MICRO,
    NO_USD,
    ONE,
    ZERO,
    Price,
    Size,
    Usd,
    cost_ceil,
    floor_to,
    proceeds_floor,
)
from domain.order import Fill, FillState, Order
from domain.venue import Action, Venue
from venues.polymarket.shapes import Posted, Trade

ROUNDED = 2 * MICRO
"""What one level's dollars may differ from price times size by: both are cut to a micro-unit."""


def matched(order: Order, posted: Posted) -> tuple[Size, Usd]:
    """(size, notional) of an answer: a BUY makes dollars and takes shares, a SELL the reverse."""
    if order.action is Action.BUY:
        return Size(posted.taking), Usd(posted.making)
    return Size(posted.making), Usd(posted.taking)


def implausible(order: Order, size: Size, notional: Usd) -> str | None:
    """Why these amounts cannot be this order's: beyond its limit, its dollars or its shares.

    This also catches an answer in base units, a million times too large on either side.
    """
    if size <= ZERO or notional <= ZERO:
        return f"matched {size} for ${notional}"
    tick = order.instrument.tick_at(notional / size)
    bound = size * order.limit
    if order.action is Action.BUY:
        checks = (
            (notional <= order.size * order.limit, f"spent more than {order.size} * {order.limit}"),
            (notional <= bound + MICRO, f"paid more than {order.limit}"),
            (notional + MICRO >= size * tick, f"paid less than the tick {tick}"),
        )
    else:
        checks = (
            (size <= order.size, f"sold more than {order.size}"),
            (notional >= bound - MICRO, f"received less than {order.limit}"),
            (notional - MICRO <= size * (ONE - tick), f"received more than a dollar less {tick}"),
        )
    for holds, complaint in checks:
        if not holds:
            return f"{size} for ${notional}: {complaint}"
    return None


def single(order: Order, trade_id: str, size: Size, notional: Usd, at_ms: int) -> Fill:
    """The one fill of an answer that names one trade.

    The fee follows the level's price, which lies on the tick; an answer that spans levels is
    charged at its mean price, which is never less (p(1-p) is concave).
    """
    mean = notional / size
    tick = order.instrument.tick_at(mean)
    level = floor_to(mean + tick / 2, tick)
    on_tick = abs(level * size - notional) <= ROUNDED
    fee = _fee(order).charge(size, Price(level if on_tick else mean))
    return _fill(order, trade_id, size, notional, fee, FillState.PROVISIONAL, at_ms)


def of_rows(order: Order, trades: Iterable[Trade], total: Usd | None = None) -> tuple[Fill, ...]:
    """One fill per trade row, by trade id; `total` is the order's exact cash where it is known.

    The micro-dollars that rounding the rows lost against `total` go to the largest row.
    """
    fills = [_of_row(order, trade) for trade in sorted(trades, key=lambda row: row.trade_id)]
    if total is None or not fills:
        return tuple(fills)
    lost = total - sum((fill.notional for fill in fills), NO_USD)
    if lost and abs(lost) <= ROUNDED * len(fills):
        largest = max(range(len(fills)), key=lambda index: fills[index].notional)
        grown = Usd(fills[largest].notional + lost)
        fills[largest] = replace(fills[largest], notional=grown)
    return tuple(fills)


def adds_up(order: Order, trades: tuple[Trade, ...]) -> bool:
    """Whether the rows are the whole fill-or-kill order: all its dollars, or all its shares."""
    if order.action is Action.SELL:
        return sum((row.size for row in trades), ZERO) == order.size
    spent = sum((cost_ceil(row.size * row.price) for row in trades), ZERO)
    return bool(trades) and abs(spent - order.size * order.limit) <= ROUNDED * len(trades)


def agrees(order: Order, trades: tuple[Trade, ...], size: Size, notional: Usd) -> bool:
    """Whether the rows add up to the size and, up to rounding, to the cash of an answer."""
    rows = of_rows(order, trades)
    sizes = sum((fill.size for fill in rows), ZERO)
    cash = sum((fill.notional for fill in rows), ZERO)
    return bool(rows) and sizes == size and abs(cash - notional) <= ROUNDED * len(rows)


def known_total(order: Order, trades: tuple[Trade, ...]) -> Usd | None:
    """The exact cash of a whole BUY; None where only the rows can tell."""
    if order.action is Action.BUY and adds_up(order, trades):
        return Usd(order.size * order.limit)
    return None


def latest(fills: tuple[Fill, ...], seen: tuple[Fill, ...]) -> tuple[Fill, ...]:
    """Known fills in the state seen now, then those not known before.

    A final state does not fall back to PROVISIONAL because a listing lags; one final state after
    the other is passed on, for the journal to refuse loudly. Amounts stay as first recorded.
    """
    now = {fill.trade_id: fill for fill in seen}
    moved = tuple(
        replace(fill, state=now[fill.trade_id].state)
        if fill.trade_id in now and (now[fill.trade_id].state.final or not fill.state.final)
        else fill
        for fill in fills
    )
    known = {fill.trade_id for fill in fills}
    return moved + tuple(fill for fill in seen if fill.trade_id not in known)


def _of_row(order: Order, trade: Trade) -> Fill:
    exact = trade.size * trade.price
    notional = cost_ceil(exact) if order.action is Action.BUY else proceeds_floor(exact)
    fee = _fee(order).charge(trade.size, trade.price)
    return _fill(order, trade.trade_id, trade.size, notional, fee, trade.state, trade.at_ms)


def _fee(order: Order) -> PolymarketFee:
    fee = order.instrument.fee
    assert isinstance(fee, PolymarketFee), f"expected a Polymarket fee, found {fee}"
    return fee


def _fill(
    order: Order,
    trade_id: str,
    size: Size,
    notional: Usd,
    fee: Usd,
    state: FillState,
    at_ms: int,
) -> Fill:
    return Fill(
        venue=Venue.POLYMARKET,
        trade_id=trade_id,
        intent_id=order.intent_id,
        action=order.action,
        size=size,
        notional=notional,
        fee=fee,
        state=state,
        at_ms=at_ms,
    )
