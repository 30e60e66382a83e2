"""What a key may read and withdraw: orders, trades, balances, cancels, heartbeats."""

import base64
import binascii
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sim.polymarket.accounts import Wallet
from sim.polymarket.auth import ApiKey
from sim.polymarket.errors import ApiError, bad_payload
from sim.polymarket.exchange import Exchange
from sim.polymarket.orders import NEG_RISK, PROTOCOL_V2, STANDARD, SignatureType
from sim.polymarket.trades import SECOND_NS, Order, Trade
from sim.wire import pause

PAGE = 100
START_CURSOR = "MA=="
END_CURSOR = "LTE="
UNLIMITED = str(2**256 - 1)
NOT_CANCELED = "order can't be found - already canceled or matched"
Query = Mapping[str, str]


def page(rows: Sequence[Order | Trade], cursor: str) -> dict[str, object]:
    """One page of rows from a base64 offset; ApiError 400 for a cursor of no list."""
    try:
        offset = int(base64.b64decode(cursor, validate=True))
    except (binascii.Error, ValueError):
        offset = -1
    if offset < 0:
        raise ApiError(400, "invalid next_cursor")
    part, following = rows[offset : offset + PAGE], offset + PAGE
    more = following < len(rows)
    return {
        "data": [row.as_json() for row in part],
        "next_cursor": base64.b64encode(str(following).encode()).decode() if more else END_CURSOR,
        "limit": PAGE,
        "count": len(part),
    }


def one_order(exchange: Exchange, key: ApiKey, ident: str) -> dict[str, object] | None:
    """GET /data/order/{id}: null when unknown, not ours, not yet shown or already gone."""
    order = exchange.orders.get(ident)
    if order is None or order.key != key.key or not exchange.readable(order):
        return None
    return order.as_json()


def open_orders(exchange: Exchange, key: ApiKey, query: Query) -> dict[str, object]:
    """GET /data/orders: live orders, newest first."""
    found = [
        order
        for order in reversed(exchange.live.values())
        if order.key == key.key
        and query.get("market", order.market.condition_id) == order.market.condition_id
        and query.get("asset_id", order.token) == order.token
        and query.get("id", order.id) == order.id
    ]
    return page(found, query.get("next_cursor", START_CURSOR))


def own_trades(exchange: Exchange, key: ApiKey, query: Query) -> dict[str, object]:
    """GET /data/trades: newest first; `after` and `before` are whole seconds, exclusive."""
    try:
        after, before = int(query.get("after", "-1")), int(query.get("before", str(2**60)))
    except ValueError:
        raise ApiError(400, "invalid trade params payload") from None
    now = exchange.world.clock()
    named = exchange.trades.get(query["id"]) if "id" in query else None
    candidates = [named] if named else [] if "id" in query else reversed(exchange.trades.values())
    found = [
        trade
        for trade in candidates
        if trade.order.key == key.key
        and trade.visible_ns <= now
        and after < trade.matched_ns // SECOND_NS < before
        and query.get("market", trade.order.market.condition_id) == trade.order.market.condition_id
        and query.get("asset_id", trade.order.token) == trade.order.token
        and query.get("maker_address", trade.order.wallet.address) == trade.order.wallet.address
    ]
    return page(found, query.get("next_cursor", START_CURSOR))


def wallet_of(exchange: Exchange, key: ApiKey, query: Query) -> Wallet:
    """The wallet a balance is asked for, by the query's signature_type (0 when absent)."""
    try:
        kind = SignatureType(int(query.get("signature_type", "0")))
    except ValueError:
        raise ApiError(400, "invalid signature_type") from None
    return exchange.wallet(key.address, kind)


def asset_of(exchange: Exchange, query: Query) -> str:
    """ "" for collateral, the token id for conditional assets."""
    asset_type = query.get("asset_type", "")
    if asset_type == "COLLATERAL":
        return ""
    if asset_type not in ("CONDITIONAL", "CONDITIONAL-V2"):
        raise ApiError(400, f"invalid asset_type {asset_type!r}")
    token = query.get("token_id", "")
    exchange.market_for(token)
    return token


def balance(exchange: Exchange, key: ApiKey, query: Query) -> dict[str, object]:
    """GET /balance-allowance: the cached balance in base units; unlimited allowances, or none."""
    wallet, token = wallet_of(exchange, key, query), asset_of(exchange, query)
    asset = "tokens" if token else "collateral"
    allowances = {d.contract: UNLIMITED for d in (STANDARD, NEG_RISK, PROTOCOL_V2)}
    for name, domain in (("standard", STANDARD), ("neg_risk", NEG_RISK)):
        if not exchange.knobs.approved(name, asset):
            allowances[domain.contract] = "0"
    return {"balance": str(wallet.cached(token)), "allowances": allowances}


def refresh_balance(exchange: Exchange, key: ApiKey, query: Query) -> None:
    """GET /balance-allowance/update: the cache looks at the chain again."""
    wallet, token = wallet_of(exchange, key, query), asset_of(exchange, query)
    if exchange.knobs.update_refreshes:
        wallet.refresh(token)


def cancel(exchange: Exchange, key: ApiKey, idents: object) -> dict[str, object]:
    """DELETE /order and /orders by id; what is not live is reported, not an error."""
    if not isinstance(idents, list) or not all(isinstance(ident, str) for ident in idents):
        raise bad_payload()
    canceled: list[str] = []
    refused: dict[str, str] = {}
    for ident in idents:
        order = exchange.orders.get(ident)
        if order is None or order.key != key.key or order.status != "LIVE":
            refused[ident] = NOT_CANCELED
        else:
            exchange.withdraw(order, "CANCELED")
            canceled.append(ident)
    return {"canceled": canceled, "not_canceled": refused}


def cancel_where(
    exchange: Exchange, key: ApiKey, wanted: Callable[[Order], bool]
) -> dict[str, object]:
    """DELETE /cancel-all and /cancel-market-orders."""
    idents = [o.id for o in exchange.live.values() if o.key == key.key and wanted(o)]
    return cancel(exchange, key, idents)


@dataclass(slots=True)
class Beat:
    """The last heartbeat of a key."""

    ident: str
    at_ns: int


class Heartbeats:
    """The kill switch: once started, silence cancels everything the key has on the book."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._beats: dict[str, Beat] = {}

    def beat(self, key: ApiKey, ident: str) -> dict[str, object]:
        """A new id for the next beat; ApiError 400 with the expected id for a wrong one."""
        known = self._beats.get(key.key)
        if known is not None and ident not in ("", known.ident):
            raise ApiError(400, "Invalid heartbeat id", heartbeat_id=known.ident)
        beat = Beat(str(uuid.uuid4()), self._exchange.world.clock())
        self._beats[key.key] = beat
        if known is None:
            self._exchange.settlement.spawn(self._guard(key))
        return {"heartbeat_id": beat.ident, "error_msg": ""}

    async def _guard(self, key: ApiKey) -> None:
        while True:
            await pause(self._exchange.knobs.heartbeat_check_ms)
            silent_ns = self._exchange.world.clock() - self._beats[key.key].at_ns
            if silent_ns > self._exchange.knobs.heartbeat_silence_ms * 1_000_000:
                cancel_where(self._exchange, key, lambda _: True)
