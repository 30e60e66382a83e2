"""Kalshi's WebSocket messages as values. Pure; what is not as documented raises Malformed."""

from domain.money import ONE, Price
from venues.kalshi import parse
from venues.kalshi.shapes import (
    Delta,
    FillRow,
    Frame,
    Message,
    Snapshot,
    StreamError,
    Subscribed,
)
from venues.strict_json import Node


def frame(root: Node, *, use_yes_price: bool) -> Frame:
    """One message. `use_yes_price` is what the subscription asked for: with it, levels of NO come
    in YES prices, without it in NO prices."""
    sid, seq = root.get("sid"), root.get("seq")
    return Frame(
        sid=sid.integer() if sid else None,
        seq=seq.integer() if seq else None,
        message=_message(root, use_yes_price=use_yes_price),
    )


def _message(root: Node, *, use_yes_price: bool) -> Message | None:
    kind = root.at("type").text()
    match kind:
        case "orderbook_snapshot":
            return _snapshot(root, use_yes_price=use_yes_price)
        case "orderbook_delta":
            return _delta(root.at("msg"), use_yes_price=use_yes_price)
        case "fill":
            return _fill(root.at("msg"))
        case "user_order":
            return parse.order(root.at("msg"))
        case "subscribed":
            message = root.at("msg")
            return Subscribed(message.at("channel").text(), message.at("sid").integer())
        case "error":
            message = root.at("msg")
            return StreamError(message.at("code").integer(), message.at("msg").any_text())
        case _:
            return None


def _snapshot(root: Node, *, use_yes_price: bool) -> Snapshot:
    message, sent = root.at("msg"), root.get("sending_ts_ms")
    return Snapshot(
        ticker=message.at("market_ticker").text(),
        quotes=parse.quotes(
            message.get("yes_dollars_fp"),
            message.get("no_dollars_fp"),
            no_in_yes_prices=use_yes_price,
        ),
        at_ms=sent.milliseconds() if sent else None,
    )


def _delta(message: Node, *, use_yes_price: bool) -> Delta:
    bid = message.at("side").one_of("yes", "no") == "yes"
    price = message.at("price_dollars").price()
    return Delta(
        ticker=message.at("market_ticker").text(),
        bid=bid,
        price=price if bid or use_yes_price else Price(ONE - price),
        change=message.at("delta_fp").decimal(),
        at_ms=message.at("ts_ms").milliseconds(),
    )


def _fill(message: Node) -> FillRow:
    client_order_id = message.get("client_order_id")
    return FillRow(
        trade_id=message.at("trade_id").text(),
        order_id=message.at("order_id").text(),
        client_order_id=client_order_id.any_text() if client_order_id else None,
        ticker=message.at("market_ticker").text(),
        size=parse.positive(message.at("count_fp")),
        yes_price=message.at("yes_price_dollars").price(),
        fee=parse.fee(message.at("fee_cost")),
        at_ms=message.at("ts_ms").milliseconds(),
    )
