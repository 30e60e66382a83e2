"""What Polymarket's own records prove about one order. Absence proves nothing here."""

from domain.order import Answer, Filled, NotFilled, Order, Rejection, Unknown
from venues.polymarket import fills
from venues.polymarket.shapes import OrderSeen, Posted, Trade

KILLED_STATUSES = {
    "CANCELED": Rejection.KILLED,
    "CANCELED_MARKET_RESOLVED": Rejection.MARKET_CLOSED,
    "INVALID": Rejection.INVALID_ORDER,
}
"""Terminal statuses of an order of which nothing was matched; so is CANCELED_ with any reason."""


def of_answer(
    order: Order, order_id: str, posted: Posted, rows: tuple[Trade, ...], now_ms: int
) -> Answer:
    """The verdict on an accepted POST; `rows` are its trades where it names none or several.

    A fill-or-kill that is `live`, `delayed` or `unmatched` may still be matched. Amounts that the
    order cannot have, or rows that do not add up to them, are not split by guess.
    """
    if posted.order_id != order_id:
        return Unknown(f"expected order {order_id}, the answer names {posted.order_id!r}")
    if posted.status != "matched":
        return Unknown(f"accepted with status {posted.status!r}, not matched yet")
    size, notional = fills.matched(order, posted)
    complaint = fills.implausible(order, size, notional)
    if complaint is not None:
        return Unknown(f"implausible answer: {complaint}")
    if len(posted.trade_ids) == 1:
        fill = fills.single(order, posted.trade_ids[0], size, notional, now_ms)
        return Filled(order_id, (fill,))
    named = set(posted.trade_ids)
    own = tuple(row for row in rows if not named or row.trade_id in named)
    if fills.agrees(order, own, size, notional):
        return Filled(order_id, fills.of_rows(order, own, notional))
    return Unknown(f"matched {size} for ${notional} in trades that are not all visible yet")


def of_records(
    order: Order, order_id: str, seen: OrderSeen | None, rows: tuple[Trade, ...]
) -> Answer | None:
    """The verdict of look-ups; None where neither the order nor a trade of it was seen."""
    if rows:
        if fills.adds_up(order, rows) or _all_listed(seen, rows):
            return Filled(order_id, fills.of_rows(order, rows, fills.known_total(order, rows)))
        return Unknown(f"{len(rows)} trades visible, not yet the whole order")
    if seen is None:
        return None
    rejection = KILLED_STATUSES.get(seen.status)
    if rejection is None and seen.status.startswith("CANCELED_"):
        rejection = Rejection.KILLED
    if rejection is not None and not seen.matched:
        return NotFilled(rejection, f"the venue shows it as {seen.status}", order_id)
    return Unknown(f"the venue shows it as {seen.status}, {seen.size_matched} matched")


def _all_listed(seen: OrderSeen | None, rows: tuple[Trade, ...]) -> bool:
    """Whether the order is over and every trade that it names is among the rows."""
    if seen is None or seen.status != "MATCHED" or not seen.trade_ids:
        return False
    listed = {row.trade_id for row in rows}
    return listed == set(seen.trade_ids) and sum(row.size for row in rows) == seen.size_matched
