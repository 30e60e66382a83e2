"""The private side: orders in, orders out, what a key may read."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sim import wire
from sim.polymarket import private
from sim.polymarket.auth import ApiKey
from sim.polymarket.entry import Arrival, submit
from sim.polymarket.errors import ApiError, bad_payload
from sim.polymarket.exchange import Exchange
from sim.polymarket.http import Handler, Private, parse, spoil
from sim.polymarket.http import private as behind_l2

BATCH_LIMIT = 15
CANCEL_LIMIT = 1_000


class Desk:
    """What a key may ask."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.heartbeats = private.Heartbeats(exchange)

    def routes(self) -> list[Route]:
        reads: dict[str, Callable[[ApiKey, dict[str, str]], object]] = {
            "/auth/api-keys": self._api_keys,
            "/auth/ban-status/closed-only": self._closed_only,
            "/v1/user/rate-limit-tier": lambda _key, _query: {"tier": "Standard"},
            "/data/orders": lambda key, q: private.open_orders(self.exchange, key, q),
            "/data/trades": lambda key, q: private.own_trades(self.exchange, key, q),
        }
        changes: list[tuple[str, str, Private]] = [
            ("/order", "POST", self._post_order),
            ("/orders", "POST", self._post_orders),
            ("/order", "DELETE", self._cancel_order),
            ("/orders", "DELETE", self._cancel_orders),
            ("/cancel-all", "DELETE", self._cancel_all),
            ("/cancel-market-orders", "DELETE", self._cancel_market),
            ("/v1/heartbeats", "POST", self._heartbeat),
            ("/data/order/{ident}", "GET", self._one_order),
            ("/balance-allowance", "GET", self._balance),
            ("/balance-allowance/update", "GET", self._update_balance),
        ]
        return [
            *(Route(path, self._private_read(read)) for path, read in reads.items()),
            *(
                Route(path, behind_l2(self.exchange, act), methods=[verb])
                for path, verb, act in changes
            ),
        ]

    def _private_read(self, read: Callable[[ApiKey, dict[str, str]], object]) -> Handler:
        async def act(request: Request, key: ApiKey) -> Response:
            query = dict(request.query_params)
            await spoil(self.exchange, "read", query.get("market", ""), query.get("asset_id", ""))
            return JSONResponse(read(key, query))

        return behind_l2(self.exchange, act)

    def _api_keys(self, key: ApiKey, _: dict[str, str]) -> object:
        return {"apiKeys": [k.key for k in self.exchange.keys.values() if k.address == key.address]}

    def _closed_only(self, _: ApiKey, __: dict[str, str]) -> object:
        return {"closed_only": self.exchange.knobs.closed_only}

    async def _post_order(self, request: Request, key: ApiKey) -> Response:
        headers = self.exchange.spend_rate(key.address, 1)
        arrival = Arrival(key, wire.first_byte_ns(request))
        reply = await submit(self.exchange, arrival, parse(await request.body()))
        return JSONResponse(reply, headers=headers)

    async def _post_orders(self, request: Request, key: ApiKey) -> Response:
        payloads = parse(await request.body())
        if not isinstance(payloads, list) or not 1 <= len(payloads) <= BATCH_LIMIT:
            raise bad_payload()
        headers = self.exchange.spend_rate(key.address, len(payloads))
        arrival = Arrival(key, wire.first_byte_ns(request))
        replies: list[dict[str, object]] = []
        for payload in payloads:
            try:
                replies.append(await submit(self.exchange, arrival, payload))
            except ApiError as refusal:
                if refusal.status != 400:
                    raise
                # a batch answers 200 with the refusal inside, `success` notwithstanding
                replies.append({"success": True, "errorMsg": refusal.message, "orderID": ""})
        return JSONResponse(replies, headers=headers)

    async def _cancel_order(self, request: Request, key: ApiKey) -> Response:
        given = parse(await request.body())
        if not isinstance(given, dict):
            raise bad_payload()
        return await self._cancel(key, [given.get("orderID")])

    async def _cancel_orders(self, request: Request, key: ApiKey) -> Response:
        idents = parse(await request.body())
        if not isinstance(idents, list) or len(idents) > CANCEL_LIMIT:
            raise bad_payload()
        return await self._cancel(key, idents)

    async def _cancel(self, key: ApiKey, idents: object) -> Response:
        self.exchange.gate(post_only=True)
        await spoil(self.exchange, "cancel")
        return JSONResponse(private.cancel(self.exchange, key, idents))

    async def _cancel_all(self, _: Request, key: ApiKey) -> Response:
        self.exchange.gate(post_only=True)
        await spoil(self.exchange, "cancel")
        return JSONResponse(private.cancel_where(self.exchange, key, lambda _: True))

    async def _cancel_market(self, request: Request, key: ApiKey) -> Response:
        self.exchange.gate(post_only=True)
        given = parse(await request.body())
        if not isinstance(given, dict):
            raise bad_payload()
        market, asset = given.get("market"), given.get("asset_id")
        await spoil(self.exchange, "cancel", str(market), str(asset))
        found = private.cancel_where(
            self.exchange,
            key,
            lambda o: market in (None, o.market.condition_id) and asset in (None, o.token),
        )
        return JSONResponse(found)

    async def _heartbeat(self, request: Request, key: ApiKey) -> Response:
        given = parse(await request.body())
        if not isinstance(given, dict) or not isinstance(given.get("heartbeat_id"), str | None):
            raise bad_payload()
        return JSONResponse(self.heartbeats.beat(key, given.get("heartbeat_id") or ""))

    async def _one_order(self, request: Request, key: ApiKey) -> Response:
        ident = request.path_params["ident"]
        order = self.exchange.orders.get(ident)
        await spoil(self.exchange, "read", order.market.condition_id if order else "")
        return JSONResponse(private.one_order(self.exchange, key, ident))

    async def _balance(self, request: Request, key: ApiKey) -> Response:
        query = dict(request.query_params)
        await spoil(self.exchange, "read")
        await spoil(self.exchange, "balance", token=query.get("token_id", ""))
        return JSONResponse(private.balance(self.exchange, key, query))

    async def _update_balance(self, request: Request, key: ApiKey) -> Response:
        query = dict(request.query_params)
        await spoil(self.exchange, "refresh", token=query.get("token_id", ""))
        private.refresh_balance(self.exchange, key, query)
        return PlainTextResponse("")
