"""From an order to the body of POST /portfolio/events/orders, and the price it travels as.

Kalshi trades YES only: buying NO at p is offering YES at 1 - p. Prices and sizes are strings; a
JSON number is refused by the venue.
"""

from decimal import Decimal

from domain.money import CENT, ONE, ZERO, Price, on_grid
from domain.order import Order
from domain.venue import Action, Outcome, TimeInForce

PATH = "/portfolio/events/orders"
PRICE_STEP = Decimal("0.0001")
"""The finest step of any grid, and the last digit a price travels with."""

Body = dict[str, str | int | bool]


def body(order: Order, client_order_id: str) -> Body:
    """Everything the venue needs. The market's own shard is named: routing by ticker is slower
    and billed to every shard. A self-cross cancels the new order, and fills so far are kept."""
    written: Body = {
        "ticker": order.instrument.market,
        "client_order_id": client_order_id,
        "side": "bid" if _long_yes(order) else "ask",
        "count": f"{order.size:.2f}",
        "price": f"{yes_price(order):.4f}",
        "time_in_force": order.time_in_force.value,
        "self_trade_prevention_type": "taker_at_cross",
        "exchange_index": order.instrument.exchange_index,
    }
    if order.reduce_only:
        written["reduce_only"] = True
    return written


def yes_price(order: Order) -> Price:
    """The limit in YES terms, on the grid. Off the grid it moves away from the market, so that
    nothing is bought dearer or sold cheaper than the order allows."""
    rules = order.instrument
    if order.action is Action.BUY:
        own = rules.price_at_most(order.limit)
    else:
        own = rules.price_at_least(order.limit)
    return own if rules.outcome is Outcome.YES else Price(ONE - own)


def fault(order: Order) -> str | None:
    """Why the venue would refuse the order whatever the market does; None where it is sound."""
    price, size = yes_price(order), order.size
    if not ZERO < price < ONE or not on_grid(price, PRICE_STEP):
        return f"expected a limit on the grid between 0 and 1, found {order.limit}"
    if size < order.instrument.size_min or not on_grid(size, CENT):
        return f"expected a size in steps of {CENT} from {order.instrument.size_min}, found {size}"
    if order.reduce_only and order.time_in_force is not TimeInForce.IOC:
        return f"expected immediate_or_cancel for reduce_only, found {order.time_in_force}"
    return None


def _long_yes(order: Order) -> bool:
    return (order.action is Action.BUY) == (order.instrument.outcome is Outcome.YES)
