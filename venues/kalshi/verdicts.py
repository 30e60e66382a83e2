"""From what the venue shows of an order to an answer. Truth is rows: a fill counts once its own
row, with its trade id, price and fee, was read; averages in replies are rounded and never booked.
"""

from collections.abc import Iterable
from decimal import Decimal

from domain.money import ONE, ZERO, Price, Size, Usd
from domain.order import Answer, Fill, Filled, FillState, NotFilled, Order, Rejection, Unknown
from domain.venue import Outcome, Venue
from venues.kalshi.shapes import FillRow


def verdict(order: Order, order_id: str, filled: Size, rows: Iterable[FillRow]) -> Answer:
    """The answer for an order that ended with `filled` contracts, from its rows so far.

    Unknown while the rows do not add up: reads trail the matching engine by up to seconds.
    """
    mine = {row.trade_id: row for row in rows if row.order_id == order_id}
    shown = sum((row.size for row in mine.values()), start=Decimal(0))
    if filled > order.size or shown > filled:
        return Unknown(
            f"order {order_id}: expected at most {order.size} filled, "
            f"found {filled} filled and rows of {shown}"
        )
    if filled == ZERO:
        return NotFilled(Rejection.KILLED, "the order ended without a fill", order_id)
    if shown < filled:
        return Unknown(f"order {order_id} filled {filled}; rows of {shown} are visible yet")
    ordered = sorted(mine.values(), key=lambda row: (row.at_ms, row.trade_id))
    return Filled(order_id, tuple(as_fill(order, row) for row in ordered))


def as_fill(order: Order, row: FillRow) -> Fill:
    """A row as a fill of this order; its cash is in prices of the outcome that was traded."""
    yes = order.instrument.outcome is Outcome.YES
    price = row.yes_price if yes else Price(ONE - row.yes_price)
    return Fill(
        venue=Venue.KALSHI,
        trade_id=row.trade_id,
        intent_id=order.intent_id,
        action=order.action,
        size=row.size,
        notional=Usd(row.size * price),
        fee=row.fee,
        state=FillState.CONFIRMED,
        at_ms=row.at_ms,
    )
