"""Public market data: markets, events, series, books, trades, fee changes."""

import json
import uuid
from collections.abc import Iterable
from typing import Final

from starlette.routing import Route

from sim.book import Book
from sim.kalshi.dialect import speak
from sim.kalshi.errors import bare, not_found
from sim.kalshi.exchange import Exchange
from sim.kalshi.http import Answer, Call, read_route
from sim.kalshi.pages import page
from sim.kalshi.views import count, dollars
from sim.listings import KalshiListing, Pair
from sim.units import ONE, iso_time

# status words of the market filter and of the market object
_FILTERS: Final = {"open": "active", "settled": "finalized", "unopened": "initialized"}


def routes(exchange: Exchange) -> list[Route]:
    """Fixed paths stand before those with a ticker in the same place."""
    paths = {
        "/markets": markets,
        "/markets/orderbooks": orderbooks,
        "/markets/trades": trades,
        "/markets/{ticker}": market,
        "/markets/{ticker}/orderbook": orderbook,
        "/events/fee_changes": event_fee_changes,
        "/events": events,
        "/events/{event_ticker}": event,
        "/series/fee_changes": series_fee_changes,
        "/series": all_series,
        "/series/{series_ticker}": series,
    }
    return [read_route(exchange, path, handler, signed=False) for path, handler in paths.items()]


def markets(call: Call) -> Answer:
    """Markets filtered by tickers, event, series and status."""
    status = call.text("status")
    if status not in (None, "", "unopened", "open", "paused", "closed", "settled"):
        raise bare(f"invalid status: {status!r}")
    tickers = {name for name in (call.text("tickers") or "").split(",") if name}
    wanted = [
        pair
        for pair in call.exchange.pairs.values()
        if (not tickers or pair.kalshi.ticker in tickers)
        and call.text("event_ticker") in (None, "", pair.kalshi.event_ticker)
        and call.text("series_ticker") in (None, "", pair.kalshi.series_ticker)
        and (not status or call.exchange.market_status(pair) == _FILTERS.get(status, status))
    ]
    found, cursor = page(call, wanted)
    return 200, {"cursor": cursor, "markets": [market_json(call.exchange, one) for one in found]}


def market(call: Call) -> Answer:
    """One market; 404 for an unknown ticker."""
    pair = call.exchange.pairs.get(call.path("ticker"))
    if pair is None:
        raise not_found()
    return 200, {"market": market_json(call.exchange, pair)}


def orderbook(call: Call) -> Answer:
    """Bids of both outcomes, best last; an unknown ticker has an empty book."""
    depth = call.number("depth", 0, 100)
    return 200, {"orderbook_fp": _book_json(_book(call.exchange, call.path("ticker")), depth)}


def orderbooks(call: Call) -> Answer:
    """Up to 100 books; the tickers are repeated parameters."""
    tickers = call.request.query_params.getlist("tickers")
    if len(tickers) > 100:
        raise bare(f"invalid tickers: expected at most 100, found {len(tickers)}")
    known = [ticker for ticker in tickers if ticker in call.exchange.pairs]
    books = [
        {"ticker": ticker, "orderbook_fp": _book_json(_book(call.exchange, ticker), 0)}
        for ticker in known
    ]
    return 200, {"orderbooks": books}


def trades(call: Call) -> Answer:
    """The member's own trades, newest first: others trade only against it here."""
    ticker = call.text("ticker")
    rows: list[dict[str, object]] = []
    for fill in reversed(call.exchange.fills):
        if ticker in (None, fill.order.request.ticker):
            bid = (fill.order.request.side == "bid") == fill.is_taker
            rows.append(
                {
                    "trade_id": fill.trade_id,
                    "ticker": fill.order.request.ticker,
                    "count_fp": count(fill.size),
                    "yes_price_dollars": dollars(fill.price),
                    "no_price_dollars": dollars(ONE - fill.price),
                    "taker_outcome_side": "yes" if bid else "no",
                    "taker_book_side": "bid" if bid else "ask",
                    "is_block_trade": False,
                    "created_time": iso_time(fill.ts_ns),
                }
            )
    found, cursor = page(call, rows)
    return 200, {"cursor": cursor, "trades": found}


def events(call: Call) -> Answer:
    """Events, with their markets when `with_nested_markets=true`."""
    wanted = [
        pairs
        for pairs in _by_event(call.exchange).values()
        if call.text("series_ticker") in (None, "", pairs[0].kalshi.series_ticker)
    ]
    found, cursor = page(call, wanted, highest=200)
    nested = call.text("with_nested_markets") == "true"
    return 200, {
        "cursor": cursor,
        "events": [_event_json(call.exchange, pairs, nested=nested) for pairs in found],
        "milestones": [],
    }


def event(call: Call) -> Answer:
    """One event and its markets; 404 for an unknown one."""
    pairs = _by_event(call.exchange).get(call.path("event_ticker"))
    if pairs is None:
        raise not_found()
    nested = call.text("with_nested_markets") == "true"
    return 200, {
        "event": _event_json(call.exchange, pairs, nested=nested),
        "markets": [market_json(call.exchange, pair) for pair in pairs],
    }


def all_series(call: Call) -> Answer:
    """Every series, in one page as at the venue."""
    listings = {pair.kalshi.series_ticker: pair.kalshi for pair in call.exchange.pairs.values()}
    return 200, {"series": [_series_json(listing) for listing in listings.values()]}


def series(call: Call) -> Answer:
    """One series with its fee type and multiplier; 404 for an unknown one."""
    for pair in call.exchange.pairs.values():
        if pair.kalshi.series_ticker == call.path("series_ticker"):
            return 200, {"series": _series_json(pair.kalshi)}
    raise not_found()


def event_fee_changes(_: Call) -> Answer:
    """Scheduled changes of event overrides: none here."""
    return 200, {"event_fee_change_arr": []}


def series_fee_changes(_: Call) -> Answer:
    """Scheduled changes of series fees: none here."""
    return 200, {"series_fee_change_arr": []}


def market_json(exchange: Exchange, pair: Pair) -> dict[str, object]:
    """The market object; its prices are the book's, zeros where a side is empty."""
    listing = pair.kalshi
    result = exchange.market_result(pair)
    full: dict[str, object] = {
        "ticker": listing.ticker,
        "event_ticker": listing.event_ticker,
        "exchange_index": listing.exchange_index,
        "market_type": "binary",
        "title": listing.title,
        "yes_sub_title": listing.yes_sub_title,
        "no_sub_title": listing.yes_sub_title,
        "status": exchange.market_status(pair),
        "result": result,
        "expiration_value": result,
        "can_close_early": True,
        "early_close_condition": "This market will close and expire after the event occurs.",
        "settlement_timer_seconds": 300,
        "settlement_bounds_type": "default",
        "notional_value_dollars": "1.0000",
        "liquidity_dollars": "0.0000",
        "fractional_trading_enabled": True,
        "response_price_units": "usd_cent",
        "price_level_structure": listing.price_level_structure,
        "price_ranges": [
            {"start": start, "end": end, "step": step} for start, end, step in listing.price_ranges
        ],
        "rules_primary": listing.rules_primary,
        "rules_secondary": listing.rules_secondary,
        **_times(listing),
        **_traded(exchange, listing.ticker),
        **_strike(listing),
        **_top(exchange.world.book("kalshi", pair.id)),
    }
    return speak(exchange.knobs.wire, "market", full)


def _times(listing: KalshiListing) -> dict[str, object]:
    opened = listing.open.isoformat().replace("+00:00", "Z")
    close = listing.close.isoformat().replace("+00:00", "Z")
    return {
        "created_time": opened,
        "updated_time": opened,
        "open_time": opened,
        "close_time": close,
        "occurrence_datetime": close,
        "expected_expiration_time": close,
        "expiration_time": close,
        "latest_expiration_time": close,
    }


def _traded(exchange: Exchange, ticker: str) -> dict[str, object]:
    fills = exchange.fills_of.get(ticker, [])
    volume = count(sum(fill.size for fill in fills))
    open_interest = sum(abs(account.position(ticker)) for account in exchange.accounts.values())
    return {
        "last_price_dollars": dollars(fills[-1].price) if fills else "0.0000",
        "previous_price_dollars": "0.0000",
        "previous_yes_bid_dollars": "0.0000",
        "previous_yes_ask_dollars": "0.0000",
        "volume_fp": volume,
        "volume_24h_fp": volume,
        "open_interest_fp": count(open_interest),
    }


def _strike(listing: KalshiListing) -> dict[str, object]:
    if listing.floor_strike is None:
        competitor = str(uuid.uuid5(uuid.NAMESPACE_OID, listing.yes_sub_title))
        return {"strike_type": "structured", "custom_strike": {"competitor": competitor}}
    return {
        "strike_type": "greater",
        "floor_strike": json.loads(listing.floor_strike),
        "primary_participant_key": listing.participant,
    }


def _top(book: Book) -> dict[str, object]:
    bids, asks = book.levels("bid"), book.levels("ask")
    bid, bid_size = bids[0] if bids else (0, 0)
    ask, ask_size = asks[0] if asks else (0, 0)
    return {
        "yes_bid_dollars": dollars(bid),
        "yes_bid_size_fp": count(bid_size),
        "yes_ask_dollars": dollars(ask),
        "yes_ask_size_fp": count(ask_size),
        "no_bid_dollars": dollars(ONE - ask),
        "no_ask_dollars": dollars(ONE - bid),
    }


def _book(exchange: Exchange, ticker: str) -> Book:
    pair = exchange.pairs.get(ticker)
    return exchange.world.book("kalshi", pair.id) if pair else Book()


def _book_json(book: Book, depth: int) -> dict[str, object]:
    no_bids = [(ONE - price, size) for price, size in book.levels("ask")]
    return {
        "yes_dollars": levels_json(book.levels("bid"), depth),
        "no_dollars": levels_json(no_bids, depth),
    }


def levels_json(best_first: Iterable[tuple[int, int]], depth: int = 0) -> list[list[str]]:
    """Up to `depth` (0 = all) levels as strings, best last."""
    kept = list(best_first)[: depth or None]
    return [[dollars(price), count(size)] for price, size in reversed(kept)]


def _by_event(exchange: Exchange) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    for pair in exchange.pairs.values():
        found.setdefault(pair.kalshi.event_ticker, []).append(pair)
    return found


def _event_json(exchange: Exchange, pairs: list[Pair], *, nested: bool) -> dict[str, object]:
    listing = pairs[0].kalshi
    body: dict[str, object] = {
        "event_ticker": listing.event_ticker,
        "series_ticker": listing.series_ticker,
        "title": listing.event_title,
        "sub_title": listing.close.strftime("%b %d"),
        "category": listing.category,
        "collateral_return_type": "",
        "mutually_exclusive": False,
        "exchange_index": listing.exchange_index,
        "settlement_sources": [],
    }
    if listing.fee_multiplier_override is not None:
        body["fee_type_override"] = listing.fee_type
        body["fee_multiplier_override"] = json.loads(listing.fee_multiplier_override)
    if nested:
        body["markets"] = [market_json(exchange, pair) for pair in pairs]
    return body


def _series_json(listing: KalshiListing) -> dict[str, object]:
    return {
        "ticker": listing.series_ticker,
        "frequency": "custom",
        "title": listing.series_ticker.removeprefix("KX"),
        "category": listing.category,
        "categories": [listing.category],
        "contract_url": "",
        "contract_terms_url": "",
        "exchange_index": listing.exchange_index,
        "fee_type": listing.fee_type,
        "fee_multiplier": json.loads(listing.fee_multiplier),
        "settlement_sources": [],
        "tags": [],
    }
