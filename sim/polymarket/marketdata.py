"""Public data of a market: mirrored books, prices, grid, fee, as REST answers and events."""

import hashlib
import json
from dataclasses import dataclass

from sim.book import Book
from sim.polymarket.market import Market, plain
from sim.units import ONE

Level = dict[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """One outcome's book, best first, in that outcome's own prices (micro-units)."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]

    @property
    def best_bid(self) -> int | None:
        return self.bids[0][0] if self.bids else None

    @property
    def best_ask(self) -> int | None:
        return self.asks[0][0] if self.asks else None


def view(book: Book, outcome: str) -> View:
    """The book as seen from an outcome; NO is the mirror of YES."""
    bids, asks = book.levels("bid"), book.levels("ask")
    if outcome == "yes":
        return View(bids, asks)
    return View([(ONE - p, s) for p, s in asks], [(ONE - p, s) for p, s in bids])


def printed(levels: list[tuple[int, int]]) -> list[Level]:
    """Levels as the venue lists them: worst first, the best level last."""
    return [{"price": plain(price), "size": plain(size)} for price, size in reversed(levels)]


def last_price(market: Market, outcome: str) -> str:
    """The last trade's price of an outcome, empty before the first."""
    if market.last_price is None:
        return ""
    return plain(market.last_price if outcome == "yes" else ONE - market.last_price)


def book_json(book: Book, market: Market, token: str, now_ms: int) -> dict[str, object]:
    """GET /book. `hash` is the SHA-1 of the compact summary with an empty hash."""
    outcome = market.outcome(token)
    seen = view(book, outcome)
    summary: dict[str, object] = {
        "market": market.condition_id,
        "asset_id": token,
        "timestamp": str(now_ms),
        "hash": "",
        "bids": printed(seen.bids),
        "asks": printed(seen.asks),
        "min_order_size": plain(market.min_size),
        "tick_size": plain(market.tick),
        "neg_risk": market.neg_risk,
        "last_trade_price": last_price(market, outcome),
    }
    return summary | {"hash": sha1_of(summary)}


def sha1_of(summary: dict[str, object]) -> str:
    text = json.dumps(summary, separators=(",", ":"))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def book_event(book: Book, market: Market, token: str, now_ms: int) -> dict[str, object]:
    """The `book` event of the market channel: a full snapshot."""
    summary = book_json(book, market, token, now_ms)
    kept = ("market", "asset_id", "timestamp", "hash", "bids", "asks")
    return {"event_type": "book"} | {name: summary[name] for name in kept}


def price_changes(
    book: Book, market: Market, touched: set[tuple[str, int]], now_ms: int
) -> list[dict[str, object]]:
    """Entries of a `price_change` event for touched (bid or ask, YES price), both outcomes."""
    changes: list[dict[str, object]] = []
    sizes = {"bid": dict(book.levels("bid")), "ask": dict(book.levels("ask"))}
    for outcome in ("yes", "no"):
        token, seen = market.token(outcome), view(book, outcome)
        digest = str(book_json(book, market, token, now_ms)["hash"])
        for side, yes_price in sorted(touched):
            buying = (side == "bid") == (outcome == "yes")
            changes.append(
                {
                    "asset_id": token,
                    "price": plain(yes_price if outcome == "yes" else ONE - yes_price),
                    "size": plain(sizes[side].get(yes_price, 0)),
                    "side": "BUY" if buying else "SELL",
                    "hash": digest,
                    "best_bid": plain(seen.best_bid or 0),
                    "best_ask": plain(seen.best_ask or 0),
                }
            )
    return changes


def clob_market(market: Market) -> dict[str, object]:
    """GET /clob-markets/{condition}: abbreviated keys; `fd` is absent when trading is free."""
    answer: dict[str, object] = {
        "c": market.condition_id,
        "t": [
            {"t": token, "o": name}
            for token, name in zip(
                (market.yes_token, market.no_token), market.outcomes, strict=True
            )
        ],
        "mts": number(market.tick),
        "mos": number(market.min_size),
        "mbf": base_fee(market),
        "tbf": base_fee(market),
    }
    if market.fee_rate:
        answer["fd"] = {"r": number(market.fee_rate), "e": market.fee_exponent, "to": True}
    if market.neg_risk:
        answer["nr"] = True
    if market.taker_delay_ms:
        answer["itode"] = True
    return answer


def base_fee(market: Market) -> int:
    """The venue's misleading flag: 1000 wherever any fee is taken."""
    return 1000 if market.fee_rate else 0


def number(value: int) -> int | float:
    """Micro-units as the JSON number the venue prints; never used for arithmetic."""
    return value // ONE if value % ONE == 0 else value / ONE
