"""What the private and public channels are told when an order, a trade or a market moves."""

from sim.kalshi.exchange import Exchange
from sim.kalshi.model import Fill, Order
from sim.kalshi.positions import tallies
from sim.kalshi.views import count, dollars, order_json, outcome_side
from sim.listings import Pair
from sim.units import ONE, decimal_text


def remember(exchange: Exchange, order: Order) -> None:
    """Note the order's present face for reads and tell the user_orders channel."""
    order.history.append((order.updated_ns, order_json(exchange, order)))
    exchange.publish("user_orders", order.request.ticker, "user_order", user_order_json(order))


def user_order_json(order: Order) -> dict[str, object]:
    """The message of the user_orders channel."""
    request = order.request
    return {
        "order_id": order.record.order_id,
        "client_order_id": request.client_order_id,
        "ticker": request.ticker,
        "exchange_index": order.pair.kalshi.exchange_index,
        "status": order.status,
        "outcome_side": outcome_side(order),
        "book_side": request.side,
        "yes_price_dollars": dollars(request.price),
        "initial_count_fp": count(request.count),
        "fill_count_fp": count(order.filled),
        "remaining_count_fp": count(order.remaining),
        "taker_fill_cost_dollars": decimal_text(order.taker_cost),
        "maker_fill_cost_dollars": decimal_text(order.maker_cost),
        "taker_fees_dollars": decimal_text(order.taker_fees),
        "maker_fees_dollars": decimal_text(order.maker_fees),
        "last_update_reason": order.record.reason or order.status,
        "created_ts_ms": order.created_ns // 1_000_000,
        "last_updated_ts_ms": order.updated_ns // 1_000_000,
    }


def announce_fill(exchange: Exchange, fill: Fill) -> None:
    """Tell the fill, trade and market_positions channels."""
    request, ticker = fill.order.request, fill.order.request.ticker
    ts_ms = fill.ts_ns // 1_000_000
    taker_side = request.side if fill.is_taker else fill.order.opposite
    message: dict[str, object] = {
        "trade_id": fill.trade_id,
        "order_id": fill.order.record.order_id,
        "client_order_id": request.client_order_id,
        "market_ticker": ticker,
        "exchange_index": fill.order.pair.kalshi.exchange_index,
        "is_taker": fill.is_taker,
        "outcome_side": outcome_side(fill.order),
        "book_side": request.side,
        "yes_price_dollars": dollars(fill.price),
        "count_fp": count(fill.size),
        "fee_cost": decimal_text(fill.fee),
        "post_position_fp": count(fill.position_after),
        "ts_ms": ts_ms,
    }
    exchange.publish("fill", ticker, "fill", message)
    trade: dict[str, object] = {
        "trade_id": fill.trade_id,
        "market_ticker": ticker,
        "yes_price_dollars": dollars(fill.price),
        "no_price_dollars": dollars(ONE - fill.price),
        "count_fp": count(fill.size),
        "taker_outcome_side": "yes" if taker_side == "bid" else "no",
        "taker_book_side": taker_side,
        "is_block_trade": False,
        "ts_ms": ts_ms,
    }
    exchange.publish("trade", ticker, "trade", trade)
    for tally in tallies(exchange, fill.ts_ns, ticker):
        row = tally.as_json(exchange)
        row["market_ticker"] = row.pop("ticker")
        exchange.publish("market_positions", ticker, "market_position", row)


def announce_lifecycle(exchange: Exchange, pair: Pair, event: str, result: str) -> None:
    """Tell the market_lifecycle_v2 channel."""
    message: dict[str, object] = {
        "event_type": event,
        "market_ticker": pair.kalshi.ticker,
        "result": result,
        "ts_ms": exchange.world.clock() // 1_000_000,
    }
    exchange.publish("market_lifecycle_v2", pair.kalshi.ticker, "market_lifecycle_v2", message)
