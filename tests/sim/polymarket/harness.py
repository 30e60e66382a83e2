"""A simulated Polymarket on a real port, and a caller that signs like the official client."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from py_clob_client_v2.order_utils import ExchangeOrderBuilderV2
from py_clob_client_v2.order_utils import Side as ClientSide
from py_clob_client_v2.order_utils.model.order_data_v2 import OrderDataV2, order_to_json_v2
from py_clob_client_v2.signer import Signer
from py_clob_client_v2.signing.hmac import build_hmac_signature
from starlette.types import ASGIApp

from sim.book import Book
from sim.listings import Pair
from sim.polymarket.app import build_app
from sim.polymarket.exchange import Exchange
from sim.polymarket.orders import SignatureType
from sim.polymarket.venue import PolymarketVenue
from sim.server import Servers, Site
from sim.units import decimal_text, micros
from sim.world import World

STANDARD_EXCHANGE = "0xE111180000d2663C0091e4f400237545B87B996B"
SALTS = itertools.count(1)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The `host:port` of `app` behind a real HTTP server."""
    servers = Servers([Site("polymarket", app, 0)])
    await servers.start()
    try:
        yield f"127.0.0.1:{servers.port('polymarket')}"
    finally:
        await servers.stop()


@dataclass
class Sim:
    """One running venue with its world and its own test key."""

    world: World
    host: str
    http: httpx.AsyncClient
    venue: PolymarketVenue = field(init=False)
    keys: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        venue = self.world.venues["polymarket"]
        assert isinstance(venue, PolymarketVenue)
        self.venue = venue
        self.keys = self.venue.credentials()

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def pair(self) -> Pair:
        return self.world.pairs["p01"]

    @property
    def yes(self) -> str:
        return self.pair.polymarket.token_yes

    @property
    def no(self) -> str:
        return self.pair.polymarket.token_no

    @property
    def book(self) -> Book:
        return self.world.book("polymarket", "p01")

    def quote(self, bids: dict[str, str], asks: dict[str, str], pair: str = "p01") -> None:
        """Make these YES levels all that others quote."""
        self.world.book("polymarket", pair).replace(levels(bids), levels(asks))

    def knobs(self, **knobs: object) -> None:
        self.venue.set_knobs(knobs)

    def fault(self, do: str, **fields: object) -> None:
        self.world.faults.add({"venue": "polymarket", "do": do, **fields})

    def cash(self) -> int:
        return self.exchange.main.account.cash

    def held(self, token: str) -> tuple[str, str]:
        """(on chain, bought but not mined) of a token."""
        wallet = self.exchange.main
        size, pending = wallet.account.position(token), wallet.pending.get(token, 0)
        return decimal_text(size), decimal_text(pending)

    def headers(self, method: str, path: str, body: str = "") -> dict[str, str]:
        """L2 headers made by the official client's own code."""
        now = int(time.time())
        return {
            "POLY_ADDRESS": self.keys["address"],
            "POLY_API_KEY": self.keys["api_key"],
            "POLY_PASSPHRASE": self.keys["passphrase"],
            "POLY_TIMESTAMP": str(now),
            "POLY_SIGNATURE": build_hmac_signature(
                self.keys["secret"], str(now), method, path, body
            ),
        }

    async def get(self, path: str, **params: str) -> Any:
        """A private read's JSON."""
        answer = await self.http.get(path, params=params, headers=self.headers("GET", path))
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    async def send(self, method: str, path: str, payload: object) -> httpx.Response:
        body = json.dumps(payload, separators=(",", ":"))
        headers = self.headers(method, path, body) | {"Content-Type": "application/json"}
        return await self.http.request(method, path, content=body, headers=headers)

    async def post(self, payload: object) -> httpx.Response:
        return await self.send("POST", "/order", payload)

    async def trade(self, side: str, maker: str, taker: str, **changes: Any) -> httpx.Response:
        """Sign and post one order; amounts in whole units, FOK on YES unless changed."""
        return await self.post(self.payload(side, maker, taker, **changes))

    async def settled(self, reply: dict[str, Any], status: str = "CONFIRMED") -> None:
        """Wait until every trade of a reply has a settlement status, as /data/trades shows it."""

        async def done() -> bool:
            rows = (await self.get("/data/trades"))["data"]
            states = {row["id"]: row["status"] for row in rows}
            return all(states.get(trade) == status for trade in reply["tradeIDs"])

        await until(done)

    async def until_shown(self, order_id: str, **wanted: str) -> None:
        """Wait until GET /data/order shows these members."""

        async def done() -> bool:
            shown = await self.get(f"/data/order/{order_id}") or {}
            return all(shown.get(name) == value for name, value in wanted.items())

        await until(done)

    async def until_gone(self, order_id: str) -> None:
        """Wait until GET /data/order answers null."""

        async def done() -> bool:
            return await self.get(f"/data/order/{order_id}") is None

        await until(done)

    def payload(self, side: str, maker: str, taker: str, **changes: Any) -> dict[str, Any]:
        """The body of POST /order, signed by the official builder with our own salt."""
        ask = Ask(side=side, maker=maker, taker=taker, token=self.yes)
        ask = replace(ask, **changes)
        signer = Signer(self.keys["private_key"], 137)
        salt = str(next(SALTS)) if ask.salt is None else str(ask.salt)
        builder = ExchangeOrderBuilderV2(
            ask.exchange, 137, signer, lambda: salt, domain_version=ask.version
        )
        deposit = self.keys["signature_type"] == 3
        order = builder.build_signed_order(
            OrderDataV2(
                maker=self.keys["funder"],
                signer=self.keys["funder"] if deposit else signer.address(),
                tokenId=ask.token,
                makerAmount=str(micros(ask.maker)),
                takerAmount=str(micros(ask.taker)),
                side=ClientSide.BUY if ask.side == "BUY" else ClientSide.SELL,
                signatureType=self.keys["signature_type"],
                timestamp="1795000000000",
                expiration=ask.expiration,
            )
        )
        body: dict[str, Any] = order_to_json_v2(
            order, self.keys["api_key"], ask.type, ask.post_only
        )
        return body


@dataclass(frozen=True)
class Ask:
    """What a test wants to order."""

    side: str
    maker: str
    taker: str
    token: str
    type: str = "FOK"
    expiration: str = "0"
    post_only: bool = False
    version: str = "2"
    exchange: str = STANDARD_EXCHANGE
    salt: int | None = None


def levels(given: dict[str, str]) -> dict[int, int]:
    return {micros(price): micros(size) for price, size in given.items()}


@asynccontextmanager
async def running(
    kind: SignatureType = SignatureType.DEPOSIT_WALLET, **knobs: object
) -> AsyncIterator[Sim]:
    """A venue with two pairs, fast settlement and a book of 0.45 / 0.46 and 0.47 on p01."""
    world = World(seed=7, pairs=2)
    app = build_app(world, signature_type=kind)
    world.venues["polymarket"].set_knobs({"settle_mined_ms": 5, "settle_confirmed_ms": 5, **knobs})
    async with serving(app) as host, httpx.AsyncClient(base_url=f"http://{host}") as http:
        sim = Sim(world, host, http)
        sim.quote({"0.45": "200", "0.44": "300"}, {"0.46": "100", "0.47": "500"})
        yield sim


async def until(condition: Callable[[], Awaitable[bool]], timeout: float = 5.0) -> None:
    """Wait for a condition of the outside world."""
    async with asyncio.timeout(timeout):
        while not await condition():  # noqa: ASYNC110 - the condition lives behind a socket
            await asyncio.sleep(0.005)
