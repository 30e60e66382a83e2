"""The account's own lists, whoever sent the orders. Pure; what is not as documented raises
Malformed, so that a list is read whole or not at all."""

from domain.money import Size
from domain.reconcile import AccountTrade, WorkingOrder
from venues.polymarket.parse import LAST_PAGE, TRADE_STATES, seconds_ms
from venues.strict_json import Node
from venues.strict_json import parse as read


def trades_page(body: bytes, funder: str) -> tuple[tuple[AccountTrade, ...], str | None]:
    """One page of GET /data/trades and the cursor of the next one, None on the last."""
    page = read(body, root="trades")
    found = tuple(trade for row in page.at("data").items() for trade in _trades(row, funder))
    return found, _cursor(page)


def orders_page(body: bytes, _funder: str) -> tuple[tuple[WorkingOrder, ...], str | None]:
    """One page of GET /data/orders and the cursor of the next one, None on the last."""
    page = read(body, root="orders")
    return tuple(_order(row) for row in page.at("data").items()), _cursor(page)


def _trades(row: Node, funder: str) -> list[AccountTrade]:
    """A trade that we took is one of the order named as taker; of one that we made there may be
    several orders of ours among its makers."""
    if row.at("trader_side").one_of("TAKER", "MAKER") == "TAKER":
        return [_trade(row, row.at("taker_order_id").text(), row.at("size"))]
    return [
        _trade(row, maker.at("order_id").text(), maker.at("matched_amount"))
        for maker in row.at("maker_orders").items()
        if maker.at("maker_address").text().lower() == funder.lower()
    ]


def _trade(row: Node, order_id: str, size: Node) -> AccountTrade:
    status = row.at("status")
    state = TRADE_STATES.get(status.text().upper().removeprefix("TRADE_STATUS_"))
    if state is None:
        status.refuse(" or ".join(TRADE_STATES))
    return AccountTrade(
        trade_id=row.at("id").text(),
        order_id=order_id,
        key=order_id,
        market=row.at("market").text(),
        size=size.size(),
        state=state,
        at_ms=seconds_ms(row.at("match_time")),
    )


def _order(row: Node) -> WorkingOrder:
    order_id = row.at("id").text()
    size, matched = row.at("original_size").size(), row.at("size_matched").size()
    return WorkingOrder(order_id, order_id, row.at("market").text(), Size(size - matched))


def _cursor(page: Node) -> str | None:
    cursor = page.at("next_cursor").any_text()
    return None if cursor in ("", LAST_PAGE) else cursor
