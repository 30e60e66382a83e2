"""The public side: catalogue, books, prices, key creation."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sim.polymarket import gamma, marketdata
from sim.polymarket.auth import check_l1
from sim.polymarket.errors import ApiError, bad_payload
from sim.polymarket.exchange import Exchange
from sim.polymarket.http import Handler, answered, parse, required, spoil
from sim.polymarket.market import Market, plain
from sim.units import ONE


class Public:
    """What anybody may ask."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def routes(self) -> list[Route]:
        reads: dict[str, Callable[[Request], object]] = {
            "/version": lambda _: {"version": 2},
            "/time": lambda _: self.exchange.now_s(),
            "/markets-by-token/{token}": self._market_by_token,
            "/clob-markets/{condition}": self._clob_market,
            "/tick-size": lambda r: {"minimum_tick_size": marketdata.number(self._market(r).tick)},
            "/neg-risk": lambda r: {"neg_risk": self._market(r).neg_risk},
            "/fee-rate": lambda r: {"base_fee": marketdata.base_fee(self._market(r))},
            "/price": self._price,
            "/midpoint": self._midpoint,
            "/spread": self._spread,
            "/last-trade-price": self._last_trade_price,
            "/markets/keyset": self._keyset,
            "/markets/slug/{slug}": lambda r: gamma.find_market(
                self.exchange, slug=r.path_params["slug"]
            ),
            "/markets/{ident}": lambda r: gamma.find_market(
                self.exchange, ident=r.path_params["ident"]
            ),
            "/v2/positions": lambda r: gamma.positions(self.exchange, dict(r.query_params)),
            "/activity": lambda r: gamma.activity(self.exchange, dict(r.query_params)),
            "/deployed": lambda _: {"deployed": self.exchange.knobs.wallet_deployed},
            "/api/geoblock": lambda _: {
                "blocked": False,
                "ip": "127.0.0.1",
                "country": "IE",
                "region": "",
            },
        }
        return [
            *(Route(path, self._read(read)) for path, read in reads.items()),
            Route("/ok", answered(self._ok)),
            Route("/book", answered(self._one_book)),
            Route("/books", answered(self._books), methods=["POST"]),
            Route("/auth/api-key", answered(self._create_key), methods=["POST"]),
            Route("/auth/derive-api-key", answered(self._derive_key)),
        ]

    def _read(self, read: Callable[[Request], object]) -> Handler:
        async def handler(request: Request) -> Response:
            return JSONResponse(read(request))

        return answered(handler)

    def _market(self, request: Request) -> Market:
        return self.exchange.market_for(required(request, "token_id"))

    def _view(self, request: Request) -> marketdata.View:
        market = self._market(request)
        book = self.exchange.world.book("polymarket", market.pair)
        return marketdata.view(book, market.outcome(required(request, "token_id")))

    async def _ok(self, _: Request) -> Response:
        return JSONResponse("OK")

    def _market_by_token(self, request: Request) -> object:
        market = self.exchange.market_for(request.path_params["token"])
        return {
            "condition_id": market.condition_id,
            "primary_token_id": market.yes_token,
            "secondary_token_id": market.no_token,
        }

    def _clob_market(self, request: Request) -> object:
        market = self.exchange.markets.get(request.path_params["condition"])
        if market is None:
            raise ApiError(404, "market not found")
        return marketdata.clob_market(market)

    async def _one_book(self, request: Request) -> Response:
        token = required(request, "token_id")
        await spoil(self.exchange, "read", token=token)
        return JSONResponse(self._book(token))

    def _book(self, token: str) -> dict[str, object]:
        market = self.exchange.market_for(token)
        book = self.exchange.world.book("polymarket", market.pair)
        return marketdata.book_json(book, market, token, self.exchange.world.clock() // 1_000_000)

    async def _books(self, request: Request) -> Response:
        wanted = parse(await request.body())
        if not isinstance(wanted, list):
            raise bad_payload()
        tokens = [str(item.get("token_id")) for item in wanted if isinstance(item, dict)]
        return JSONResponse([self._book(t) for t in tokens if t in self.exchange.by_token])

    def _price(self, request: Request) -> object:
        side, view = required(request, "side"), self._view(request)
        if side not in ("BUY", "SELL"):
            raise ApiError(400, "Invalid side")
        best = view.best_ask if side == "BUY" else view.best_bid
        return {"price": plain(best or 0)}

    def _midpoint(self, request: Request) -> object:
        view = self._view(request)
        if view.best_bid is None or view.best_ask is None:
            raise ApiError(404, "No orderbook exists for the requested token id")
        return {"mid": plain((view.best_bid + view.best_ask) // 2)}

    def _spread(self, request: Request) -> object:
        view = self._view(request)
        return {"spread": plain((view.best_ask or ONE) - (view.best_bid or 0))}

    def _last_trade_price(self, request: Request) -> object:
        market, token = self._market(request), required(request, "token_id")
        return {"price": marketdata.last_price(market, market.outcome(token)), "side": ""}

    def _keyset(self, request: Request) -> object:
        repeated = {
            name: request.query_params.getlist(name)
            for name in ("condition_ids", "slug", "clob_token_ids")
            if name in request.query_params
        }
        return gamma.keyset(self.exchange, dict(request.query_params), repeated)

    async def _create_key(self, request: Request) -> Response:
        return JSONResponse(self.exchange.issue_key(*self._l1(request)).public())

    async def _derive_key(self, request: Request) -> Response:
        return JSONResponse(self.exchange.find_key(*self._l1(request)).public())

    def _l1(self, request: Request) -> tuple[str, int]:
        knobs = self.exchange.knobs
        return check_l1(request.headers, self.exchange.now_s(), knobs.skew_seconds)
