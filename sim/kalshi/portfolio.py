"""The member's reads: orders, fills, balance, positions, settlements, each as of the read lag."""

from starlette.routing import Route

from sim.kalshi.errors import bare, not_found
from sim.kalshi.exchange import Exchange
from sim.kalshi.http import Answer, Call, read_route
from sim.kalshi.model import Order
from sim.kalshi.pages import page
from sim.kalshi.positions import Tally, event_json, tallies
from sim.kalshi.views import count, fill_json
from sim.units import ONE, decimal_text, iso_time

_ORDER_COST = 2
_NANOS = 1_000_000_000


def routes(exchange: Exchange) -> list[Route]:
    """All signed portfolio reads."""
    paths = {
        "/portfolio/balance": balance,
        "/portfolio/orders": orders,
        "/portfolio/fills": fills,
        "/portfolio/positions": positions,
        "/portfolio/settlements": settlements,
    }
    found = [read_route(exchange, path, handler, signed=True) for path, handler in paths.items()]
    one = "/portfolio/orders/{order_id}"
    return [*found, read_route(exchange, one, order, signed=True, cost=_ORDER_COST)]


def balance(call: Call) -> Answer:
    """Cash not reserved by resting orders: cents cut off, dollars exact, and per shard."""
    exchange = call.exchange
    view = exchange.view_ns()
    index = call.text("exchange_index")
    shards = [shard for shard in exchange.accounts if index in (None, "", str(shard))]
    if not shards:
        raise bare(f"invalid exchange_index: {index!r}")
    amounts = {shard: _cash(exchange, shard, view) for shard in shards}
    total = sum(amounts.values())
    body: dict[str, object] = {
        "balance": total // 10_000,
        "balance_dollars": _floor4(total),
        "balance_breakdown": [
            {"balance": _floor4(amount), "exchange_index": shard}
            for shard, amount in amounts.items()
        ],
        "portfolio_value": sum(_value(exchange, one) for one in tallies(exchange, view)) // 10_000,
        "updated_ts": view // _NANOS,
    }
    return 200, body


def orders(call: Call) -> Answer:
    """Orders newest first, by ticker, event, status and time of creation."""
    exchange = call.exchange
    view = exchange.view_ns()
    low, high = _times(call)
    status = call.text("status")
    rows = []
    for one in reversed(exchange.records):
        seen = _seen(one, view)
        if (
            seen is not None
            and one.listed
            and call.text("ticker") in (None, "", one.request.ticker)
            and call.text("event_ticker") in (None, "", one.pair.kalshi.event_ticker)
            and status in (None, "", seen["status"])
            and low <= one.created_ns // _NANOS <= high
        ):
            rows.append(seen)
    found, cursor = page(call, rows)
    return 200, {"cursor": cursor, "orders": found}


def order(call: Call) -> Answer:
    """One order by id; 404 while the reads have not caught up with it."""
    found = call.exchange.orders.get(call.path("order_id"))
    seen = _seen(found, call.exchange.view_ns()) if found is not None and found.listed else None
    if seen is None:
        raise not_found()
    return 200, {"order": seen}


def fills(call: Call) -> Answer:
    """Fills newest first, by order, ticker (up to 100, comma-separated) and time."""
    exchange = call.exchange
    view = exchange.view_ns()
    low, high = _times(call)
    tickers = {name for name in (call.text("ticker") or "").split(",") if name}
    rows = [
        fill_json(exchange, fill)
        for fill in reversed(exchange.fills)
        if fill.ts_ns <= view
        and call.text("order_id") in (None, "", fill.order.record.order_id)
        and (not tickers or fill.order.request.ticker in tickers)
        and low <= fill.ts_ns // _NANOS <= high
    ]
    found, cursor = page(call, rows)
    return 200, {"cursor": cursor, "fills": found}


def positions(call: Call) -> Answer:
    """Market and event positions; `count_filter=position` leaves out the flat ones."""
    exchange = call.exchange
    ticker = call.text("ticker") or None
    if ticker is not None and ticker not in exchange.pairs:
        return 200, {"cursor": "", "market_positions": [], "event_positions": []}
    status = call.text("settlement_status") or "unsettled"
    if status not in ("unsettled", "settled", "all"):
        raise bare(f"invalid settlement_status: {status!r}")
    open_only = "position" in (call.text("count_filter") or "").split(",")
    wanted = [
        tally
        for tally in tallies(exchange, exchange.view_ns(), ticker)
        if (not open_only or tally.size)
        and call.text("event_ticker") in (None, "", tally.pair.kalshi.event_ticker)
        and (status == "all" or bool(exchange.market_result(tally.pair)) == (status == "settled"))
    ]
    found, cursor = page(call, wanted)
    events: dict[str, list[Tally]] = {}
    for tally in found:
        events.setdefault(tally.pair.kalshi.event_ticker, []).append(tally)
    return 200, {
        "cursor": cursor,
        "market_positions": [tally.as_json(exchange) for tally in found],
        "event_positions": [event_json(name, group) for name, group in events.items()],
    }


def settlements(call: Call) -> Answer:
    """Settled markets, newest first; revenue and value are whole cents."""
    exchange = call.exchange
    view = exchange.view_ns()
    rows: list[dict[str, object]] = []
    for one in reversed(exchange.settlements):
        ticker = one.pair.kalshi.ticker
        if one.ts_ns > view or call.text("ticker") not in (None, "", ticker):
            continue
        bought = exchange.fills_of.get(ticker, [])
        cost = {
            side: sum(fill.size * _paid(fill.price, side) // ONE for fill in bought
                      if (fill.order.request.side == "bid") == (side == "yes"))
            for side in ("yes", "no")
        }  # fmt: skip
        rows.append(
            {
                "ticker": ticker,
                "event_ticker": one.pair.kalshi.event_ticker,
                "exchange_index": one.pair.kalshi.exchange_index,
                "market_result": one.result,
                "yes_count_fp": count(max(one.position, 0)),
                "no_count_fp": count(max(-one.position, 0)),
                "yes_total_cost_dollars": decimal_text(cost["yes"]),
                "no_total_cost_dollars": decimal_text(cost["no"]),
                "revenue": one.revenue // 10_000,
                "value": 100 if one.result == "yes" else 0,
                "fee_cost": decimal_text(sum(fill.fee for fill in bought)),
                "settled_time": iso_time(one.ts_ns),
            }
        )
    found, cursor = page(call, rows)
    return 200, {"cursor": cursor, "settlements": found}


def _paid(yes_price: int, side: str) -> int:
    return yes_price if side == "yes" else ONE - yes_price


def _seen(order_: Order, view_ns: int) -> dict[str, object] | None:
    seen = [face for since, face in order_.history if since <= view_ns]
    return seen[-1] if seen else None


def _cash(exchange: Exchange, shard: int, view_ns: int) -> int:
    later = 0
    for entry in reversed(exchange.accounts[shard].entries):
        if entry.ts_ns <= view_ns:
            break
        later += entry.cash
    return exchange.available(shard) - later


def _floor4(amount: int) -> str:
    return decimal_text(amount // 100 * 100, 4)


def _value(exchange: Exchange, tally: Tally) -> int:
    """What selling the position at the best quote would bring, in micro-dollars."""
    book = exchange.world.book("kalshi", tally.pair.id)
    bid, ask = book.best("bid"), book.best("ask")
    if tally.size > 0:
        return tally.size * (bid or 0) // ONE
    return -tally.size * (ONE - ask if ask is not None else 0) // ONE


def _times(call: Call) -> tuple[int, int]:
    highest = 10**12
    return call.number("min_ts", 0, highest), call.number("max_ts", highest, highest)
