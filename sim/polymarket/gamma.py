"""The services beside the order book: Gamma's catalogue, Data's positions, relayer, geoblock."""

import json
from datetime import datetime, timedelta
from typing import cast

from sim.polymarket.accounts import Wallet
from sim.polymarket.errors import ApiError
from sim.polymarket.exchange import Exchange
from sim.polymarket.market import Market, plain
from sim.polymarket.marketdata import number, view
from sim.polymarket.private import Query
from sim.units import ONE

GAMMA_ID_BASE = 2_000_000
KEYSET_LIMIT = 100
POSITIONS_LIMIT = 1_000
FEE_TYPES = {"Sports": "sports_fees_v2", "Crypto": "crypto_fees"}

# members that every recorded market carries and that mean nothing to a trader
SITE_MEMBERS: dict[str, object] = {
    "resolutionSource": "",
    "image": "",
    "icon": "",
    "marketMakerAddress": "",
    "new": False,
    "featured": False,
    "approved": True,
    "ready": False,
    "funded": False,
    "cyom": False,
    "deploying": False,
    "pendingDeployment": False,
    "manualActivation": False,
    "automaticallyActive": True,
    "clearBookOnStart": False,
    "hasReviewedDates": True,
    "holdingRewardsEnabled": False,
    "pagerDutyNotificationEnabled": False,
    "requiresTranslation": False,
    "rfqEnabled": False,
    "rewardsMinSize": 0,
    "rewardsMaxSpread": 0,
    "negRiskOther": False,
}


def market_json(exchange: Exchange, market: Market) -> dict[str, object]:
    """A Gamma market. Three members are JSON text inside JSON, as on the real service."""
    listing = market.listing
    seen = view(exchange.world.book("polymarket", market.pair), "yes")
    bid, ask = seen.best_bid or 0, seen.best_ask or ONE
    prices = outcome_prices(market, (bid + ask) // 2)
    answer: dict[str, object] = {
        **SITE_MEMBERS,
        "id": str(GAMMA_ID_BASE + market.number),
        "question": listing.question,
        "conditionId": market.condition_id,
        "slug": listing.slug,
        "version": market.protocol,
        "description": listing.description,
        "outcomes": json.dumps(market.outcomes),
        "outcomePrices": json.dumps([plain(price) for price in prices]),
        "active": True,
        "closed": market.winner is not None,
        "archived": False,
        "restricted": True,
        "questionID": market.condition_id,
        "enableOrderBook": True,
        "acceptingOrders": market.accepting,
        "orderPriceMinTickSize": number(market.tick),
        "orderMinSize": number(market.min_size),
        "secondsDelay": market.seconds_delay,
        "negRisk": market.neg_risk,
        "makerBaseFee": 1000 if market.fee_rate else 0,
        "takerBaseFee": 1000 if market.fee_rate else 0,
        "feesEnabled": bool(market.fee_rate),
        "bestBid": number(bid),
        "bestAsk": number(ask),
        "spread": number(ask - bid),
        "lastTradePrice": number(market.last_price or 0),
        "umaResolutionStatuses": json.dumps(["resolved"] if market.winner else []),
        "events": [event_json(market)],
    }
    add_tokens(answer, market)
    add_dates(answer, listing.end)
    add_volumes(answer, exchange, market)
    if market.fee_rate:
        answer["feeType"] = FEE_TYPES.get(listing.category, "general_fees")
        answer["feeSchedule"] = {
            "exponent": market.fee_exponent,
            "rate": number(market.fee_rate),
            "takerOnly": True,
            "rebateRate": 0.25,
        }
    if market.winner:
        answer["umaResolutionStatus"] = "resolved"
    return answer


def outcome_prices(market: Market, middle: int) -> tuple[int, int]:
    yes = {"yes": ONE, "no": 0, "half": ONE // 2}.get(str(market.winner), middle)
    return yes, ONE - yes


def add_tokens(answer: dict[str, object], market: Market) -> None:
    """v1 markets list token ids as JSON text, v2 markets position ids as an array."""
    tokens = [market.yes_token, market.no_token]
    if market.protocol == "v2":
        answer["positionIds"] = tokens
    else:
        answer["clobTokenIds"] = json.dumps(tokens)


def add_dates(answer: dict[str, object], end: datetime) -> None:
    start = end - timedelta(days=14)
    answer["startDate"], answer["startDateIso"] = zulu(start), f"{start:%Y-%m-%d}"
    answer["endDate"], answer["endDateIso"] = zulu(end), f"{end:%Y-%m-%d}"
    answer["eventStartTime"] = zulu(end - timedelta(days=1))
    for name in ("createdAt", "updatedAt", "acceptingOrdersTimestamp"):
        answer[name] = zulu(start)


def zulu(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def add_volumes(answer: dict[str, object], exchange: Exchange, market: Market) -> None:
    """Volume is what our own orders traded; nothing is invented."""
    traded = sum(t.dollars for t in exchange.trades.values() if t.order.market is market)
    answer["volume"] = plain(traded)
    for name in ("volumeNum", "volumeClob"):
        answer[name] = number(traded)
    for span in ("24hr", "1wk", "1mo", "1yr"):
        answer[f"volume{span}"] = answer[f"volume{span}Clob"] = number(traded)


def event_json(market: Market) -> dict[str, object]:
    """The event a market belongs to: here every market has its own."""
    listing = market.listing
    return {
        "id": str(market.number),
        "ticker": listing.slug,
        "slug": listing.slug,
        "title": listing.question,
        "description": listing.description,
        "endDate": zulu(listing.end),
        "active": True,
        "closed": market.winner is not None,
        "archived": False,
        "negRisk": market.neg_risk,
    }


def keyset(exchange: Exchange, query: Query, repeated: dict[str, list[str]]) -> dict[str, object]:
    """GET /markets/keyset: pages by market number; `next_cursor` is absent on the last one."""
    try:
        limit, after = int(query.get("limit", "20")), int(query.get("after_cursor", "0"))
    except ValueError:
        raise ApiError(400, "invalid limit or after_cursor") from None
    closed = query.get("closed", "false") == "true"
    found = [
        market
        for market in exchange.markets.values()
        if market.number > after
        and (market.winner is not None) == closed
        and market.condition_id in repeated.get("condition_ids", [market.condition_id])
        and market.listing.slug in repeated.get("slug", [market.listing.slug])
        and not {market.yes_token, market.no_token}.isdisjoint(
            repeated.get("clob_token_ids", [market.yes_token])
        )
    ]
    part = found[: max(1, min(limit, KEYSET_LIMIT))]
    answer: dict[str, object] = {"markets": [market_json(exchange, market) for market in part]}
    if len(found) > len(part):
        answer["next_cursor"] = str(part[-1].number)
    return answer


def find_market(exchange: Exchange, slug: str = "", ident: str = "") -> dict[str, object]:
    """One market by slug or by Gamma id; ApiError 404 when there is none."""
    for market in exchange.markets.values():
        if market.listing.slug == slug or str(GAMMA_ID_BASE + market.number) == ident:
            return market_json(exchange, market)
    raise ApiError(404, "market not found")


def positions(exchange: Exchange, query: Query) -> dict[str, object]:
    """GET /v2/positions of a wallet: what is on chain; OPEN until resolved, then REDEEMABLE*."""
    wallet = exchange.wallets.get(query.get("user", "").lower())
    try:
        limit, offset = int(query.get("limit", "100")), int(query.get("cursor", "0"))
    except ValueError:
        raise ApiError(400, "invalid limit or cursor") from None
    held = wallet.account.positions.items() if wallet else ()
    rows = [
        position_json(cast("Wallet", wallet), exchange.by_token[token], token, size)
        for token, size in held
    ]
    for name, member in (("status", "status"), ("condition", "condition_id")):
        if name in query:
            rows = [row for row in rows if row[member] == query[name]]
    following = offset + max(1, min(limit, POSITIONS_LIMIT))
    cursor = str(following) if following < len(rows) else None
    return {"data": rows[offset:following], "pagination": {"next_cursor": cursor}}


def position_json(wallet: Wallet, market: Market, token: str, size: int) -> dict[str, object]:
    """A position with the average price of everything ever bought of the token."""
    outcome = market.outcome(token)
    entries = [entry for entry in wallet.account.entries if entry.asset == token]
    bought = sum(entry.position for entry in entries if entry.kind == "tokens")
    delivered = {entry.ref for entry in entries if entry.kind == "tokens"}
    paid = -sum(entry.cash for entry in entries if entry.kind == "buy" and entry.ref in delivered)
    status = "OPEN"
    if market.winner is not None:
        status = "REDEEMABLE" if market.winner in (outcome, "half") else "REDEEMABLE_LOST"
    return {
        "user": wallet.address,
        "condition_id": market.condition_id,
        "token_id": token,
        "outcome": outcome.capitalize(),
        "outcome_index": 0 if outcome == "yes" else 1,
        "slug": market.listing.slug,
        "title": market.listing.question,
        "status": status,
        "current_size": plain(size),
        "avg_price": plain(paid * ONE // bought) if bought else "0",
    }


def activity(exchange: Exchange, query: Query) -> list[dict[str, object]]:
    """GET /activity (Data v1) of a wallet: its redemptions, newest first; no other type."""
    wallet = exchange.wallets.get(query.get("user", "").lower())
    wanted = query.get("type", "REDEEM").split(",")
    if wallet is None or "REDEEM" not in wanted:
        return []
    rows: list[dict[str, object]] = []
    for entry in reversed(wallet.account.entries):
        condition = entry.ref.removeprefix("redeem ")
        if entry.kind == "payout" and query.get("market", condition) == condition:
            rows.append(
                {
                    "proxyWallet": wallet.address,
                    "timestamp": entry.ts_ns // 1_000_000_000,
                    "conditionId": condition,
                    "type": "REDEEM",
                    "size": number(-entry.position),
                    "usdcSize": number(entry.cash),
                    "transactionHash": "",
                    "asset": "",
                }
            )
    return rows
