"""Orders and fills as Kalshi prints them."""

from sim.kalshi.dialect import speak
from sim.kalshi.exchange import Exchange
from sim.kalshi.model import Fill, Order
from sim.units import ONE, decimal_text, iso_time


def count(size: int) -> str:
    """Contracts with two decimals."""
    return decimal_text(size, 2)


def dollars(price: int) -> str:
    """A price with four decimals."""
    return decimal_text(price, 4)


def order_json(exchange: Exchange, order: Order) -> dict[str, object]:
    """The order object of the REST reads; its prices are the limit."""
    request = order.request
    full: dict[str, object] = {
        "order_id": order.record.order_id,
        "user_id": exchange.user_id,
        "client_order_id": request.client_order_id,
        "ticker": request.ticker,
        "exchange_index": order.pair.kalshi.exchange_index,
        "action": "buy" if request.side == "bid" else "sell",
        "side": "yes",
        "outcome_side": outcome_side(order),
        "book_side": request.side,
        "type": "limit",
        "status": order.status,
        "yes_price_dollars": dollars(request.price),
        "no_price_dollars": dollars(ONE - request.price),
        "initial_count_fp": count(request.count),
        "fill_count_fp": count(order.filled),
        "remaining_count_fp": count(order.remaining),
        "taker_fill_cost_dollars": decimal_text(order.taker_cost),
        "maker_fill_cost_dollars": decimal_text(order.maker_cost),
        "taker_fees_dollars": decimal_text(order.taker_fees),
        "maker_fees_dollars": decimal_text(order.maker_fees),
        "self_trade_prevention_type": request.stp,
        "subaccount_number": 0,
        "created_time": iso_time(order.created_ns),
        "last_update_time": iso_time(order.updated_ns),
    }
    return speak(exchange.knobs.wire, "order", full)


def fill_json(exchange: Exchange, fill: Fill) -> dict[str, object]:
    """The fill object of the REST reads; it does not know the client_order_id."""
    request = fill.order.request
    full: dict[str, object] = {
        "fill_id": fill.trade_id,
        "trade_id": fill.trade_id,
        "order_id": fill.order.record.order_id,
        "ticker": request.ticker,
        "market_ticker": request.ticker,
        "exchange_index": fill.order.pair.kalshi.exchange_index,
        "action": "buy" if request.side == "bid" else "sell",
        "side": "yes",
        "outcome_side": outcome_side(fill.order),
        "book_side": request.side,
        "count_fp": count(fill.size),
        "yes_price_dollars": dollars(fill.price),
        "no_price_dollars": dollars(ONE - fill.price),
        "is_taker": fill.is_taker,
        "fee_cost": decimal_text(fill.fee),
        "created_time": iso_time(fill.ts_ns),
        "ts": fill.ts_ns // 1_000_000_000,
        "subaccount_number": 0,
    }
    return speak(exchange.knobs.wire, "fill", full)


def outcome_side(order: Order) -> str:
    """The outcome that the order's side is long of."""
    return "yes" if order.request.side == "bid" else "no"
