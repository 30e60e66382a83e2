"""Kalshi's REST payloads as values. Pure; what is not as documented raises Malformed.

Unknown extra fields are ignored: the venue adds some every month.
"""

from collections.abc import Callable
from typing import TypeVar

from domain.book import ladder
from domain.funds import Funds
from domain.money import CENT, ONE, ZERO, Price, Size, Usd, on_grid
from domain.venue import TickBand
from venues.kalshi.shapes import (
    Created,
    Event,
    ExchangeState,
    FillRow,
    Market,
    OrderSeen,
    PositionRow,
    Quotes,
    ReadLimits,
    Series,
    Settled,
)
from venues.strict_json import Malformed, Node

Row = TypeVar("Row")


def created(body: Node) -> Created:
    """The flat reply of POST /portfolio/events/orders."""
    client_order_id = body.get("client_order_id")
    return Created(
        order_id=body.at("order_id").text(),
        client_order_id=client_order_id.text() if client_order_id else None,
        filled=body.at("fill_count").size(),
        remaining=body.at("remaining_count").size(),
    )


def order(row: Node) -> OrderSeen:
    """One row of GET /portfolio/orders, or the inside of a `user_order` message. Orders of other
    programs may have no client_order_id."""
    client_order_id = row.get("client_order_id")
    return OrderSeen(
        order_id=row.at("order_id").text(),
        client_order_id=client_order_id.any_text() if client_order_id else "",
        ticker=row.at("ticker").text(),
        status=row.at("status").text(),
        filled=row.at("fill_count_fp").size(),
        remaining=row.at("remaining_count_fp").size(),
    )


def one_order(body: Node) -> OrderSeen:
    """GET /portfolio/orders/{order_id}."""
    return order(body.at("order"))


def fill(row: Node) -> FillRow:
    """One row of GET /portfolio/fills. Where both prices are given they add up to a dollar."""
    yes_price = row.at("yes_price_dollars").price()
    no_price = row.get("no_price_dollars")
    if no_price and no_price.price() != ONE - yes_price:
        no_price.refuse(f"{ONE - yes_price}, the rest of a dollar")
    return FillRow(
        trade_id=row.at("trade_id").text(),
        order_id=row.at("order_id").text(),
        client_order_id=None,
        ticker=row.at("ticker").text(),
        size=positive(row.at("count_fp")),
        yes_price=yes_price,
        fee=fee(row.at("fee_cost")),
        at_ms=row.at("created_time").time_ms(),
    )


def page(body: Node, name: str, read: Callable[[Node], Row]) -> tuple[tuple[Row, ...], str]:
    """The rows of one page of a list, and the cursor of the next ("" for the last)."""
    cursor = body.get("cursor")
    rows = body.get(name)  # a null list is an empty one
    return (
        tuple(read(row) for row in rows.items()) if rows else (),
        cursor.any_text() if cursor else "",
    )


def position(row: Node) -> PositionRow:
    """One row of `market_positions`."""
    return PositionRow(
        ticker=row.at("ticker").text(),
        size=row.at("position_fp").decimal(),
        changed_at_ms=row.at("last_updated_ts").time_ms(),
    )


def settlement(row: Node) -> Settled:
    """One row of GET /portfolio/settlements; its revenue is whole cents."""
    return Settled(row.at("ticker").text(), Usd(row.at("revenue").integer() * CENT))


def balance(body: Node) -> Funds:
    """Dollars over all shards, exact (the older `balance` field drops fractions of a cent), and on
    each, where the body says so."""
    rows = body.get("balance_breakdown")
    shards = {
        row.at("exchange_index").integer(): row.at("balance").usd()
        for row in (rows.items() if rows else ())
    }
    return Funds(body.at("balance_dollars").usd(), shards or None)


def as_of_ms(body: Node) -> int:
    """Until when orders, fills and positions are complete (GET /exchange/user_data_timestamp)."""
    return body.at("as_of_time").time_ms()


def read_limits(body: Node) -> ReadLimits:
    """GET /account/limits."""
    bucket = body.at("read")
    return ReadLimits(bucket.at("refill_rate").integer(), bucket.at("bucket_capacity").integer())


def market(body: Node) -> Market:
    """GET /markets/{ticker}, or one row of GET /markets under the name `market`."""
    row = body.at("market")
    value, notional = row.get("settlement_value_dollars"), row.get("notional_value_dollars")
    bounds = row.get("settlement_bounds_type")
    return Market(
        ticker=row.at("ticker").text(),
        event_ticker=row.at("event_ticker").text(),
        market_type=row.at("market_type").text(),
        status=row.at("status").text(),
        result=row.at("result").any_text(),
        bands=tuple(_band(band) for band in row.at("price_ranges").items()),
        exchange_index=_shard(row),
        bounds_type=bounds.any_text() if bounds else "default",
        notional=notional.decimal() if notional else ONE,
        settlement_value=value.decimal() if value else None,
    )


def event(body: Node) -> Event:
    """GET /events/{event_ticker}."""
    row = body.at("event")
    kind, multiplier = row.get("fee_type_override"), row.get("fee_multiplier_override")
    return Event(
        series_ticker=row.at("series_ticker").text(),
        fee_type=kind.text() if kind and kind.any_text() else None,
        fee_multiplier=fee(multiplier) if multiplier else None,
        exchange_index=_shard(row),
    )


def series(body: Node) -> Series:
    """GET /series/{series_ticker}."""
    row = body.at("series")
    multiplier = fee(row.at("fee_multiplier"))
    return Series(row.at("fee_type").text(), multiplier, _shard(row))


def exchange_state(body: Node) -> ExchangeState:
    """GET /exchange/status; 503 and 504 replies have this body too."""
    shards, resumes = (
        body.get("exchange_index_statuses"),
        body.get("exchange_estimated_resume_time"),
    )
    return ExchangeState(
        active=body.at("exchange_active").flag(),
        trading=body.at("trading_active").flag(),
        shards={
            row.at("exchange_index").integer(): row.at("exchange_active").flag()
            and row.at("trading_active").flag()
            for row in (shards.items() if shards else ())
        },
        resumes_at=resumes.any_text() if resumes else None,
    )


def orderbook(body: Node) -> Quotes:
    """GET /markets/{ticker}/orderbook: bids of both outcomes, each in its own price."""
    sides = body.at("orderbook_fp")
    return quotes(sides.get("yes_dollars"), sides.get("no_dollars"), no_in_yes_prices=False)


def orderbooks(body: Node) -> dict[str, Quotes]:
    """GET /markets/orderbooks: books by ticker."""
    return {row.at("ticker").text(): orderbook(row) for row in body.at("orderbooks").items()}


def quotes(yes: Node | None, no: Node | None, *, no_in_yes_prices: bool) -> Quotes:
    """A book in YES prices from bids for both outcomes; the key of an empty side may be absent.

    A bid for NO is an offer of YES at the rest of the dollar.
    """
    asks = [
        (price if no_in_yes_prices else Price(ONE - price), size) for price, size in _levels(no)
    ]
    return Quotes(
        bids=ladder(_levels(yes), best_is_lowest=False),
        asks=ladder(asks, best_is_lowest=True),
    )


def fee(node: Node) -> Usd:
    """A fee or a fee's factor: zero or more."""
    value = node.usd()
    if value < ZERO:
        node.refuse("zero or more")
    return value


def positive(node: Node) -> Size:
    """Contracts, more than none."""
    value = node.size()
    if value == ZERO:
        node.refuse("more than zero contracts")
    return value


def _levels(side: Node | None) -> list[tuple[Price, Size]]:
    if side is None:
        return []
    return [(price.price(), size.size()) for price, size in (row.pair() for row in side.items())]


def _band(row: Node) -> TickBand:
    start, end, step = (row.at(name).decimal() for name in ("start", "end", "step"))
    if not (ZERO <= start < end <= ONE and step > ZERO and on_grid(end - start, step)):
        raise Malformed(row.path, "a band of whole steps inside 0..1", f"{start} {end} {step}")
    return TickBand(start, end, step)


def _shard(row: Node) -> int | None:
    index = row.get("exchange_index")
    return index.integer() if index else None
