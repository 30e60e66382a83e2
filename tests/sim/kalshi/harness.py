"""A minimal Kalshi client of our own for tests: signs by hand, asks over real HTTP."""

import base64
import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sim.listings import Pair
from sim.world import World

ROOT = "/trade-api/v2"


@dataclass(frozen=True, slots=True)
class Key:
    """A key id and its private key as PEM."""

    key_id: str
    private_key_pem: str


def sign(key: Key, text: str, *, salt: int = 32) -> str:
    private = load_pem_private_key(key.private_key_pem.encode(), None)
    if isinstance(private, Ed25519PrivateKey):
        raw = private.sign(text.encode())
    else:
        assert isinstance(private, RSAPrivateKey)
        digest = hashes.SHA256()
        pss = padding.PSS(padding.MGF1(digest), salt)
        raw = private.sign(text.encode(), pss, digest)
    return base64.b64encode(raw).decode()


def headers(
    key: Key, method: str, path: str, *, skew_ms: int = 0, salt: int = 32
) -> dict[str, str]:
    stamp = str(time.time_ns() // 1_000_000 + skew_ms)
    return {
        "KALSHI-ACCESS-KEY": key.key_id,
        "KALSHI-ACCESS-TIMESTAMP": stamp,
        "KALSHI-ACCESS-SIGNATURE": sign(key, f"{stamp}{method}{path}", salt=salt),
    }


class Member:
    """The member's connection to a running simulator, and the control server's."""

    def __init__(self, world: World, ready: dict[str, object], http: httpx.AsyncClient) -> None:
        urls, keys = ready["urls"], ready["keys"]
        assert isinstance(urls, dict)
        assert isinstance(keys, dict)
        self.world = world
        self.origin = str(urls["kalshi"]).removesuffix(ROOT)
        self.ws_url = str(urls["kalshi_ws"])
        self.control_url = str(urls["control"])
        kalshi = keys["kalshi"]
        self.keys = {
            "rsa": Key(kalshi["key_id"], kalshi["private_key_pem"]),
            "ed25519": Key(**kalshi["ed25519"]),
            "read_only": Key(**kalshi["read_only"]),
        }
        self.http = http

    @property
    def pair(self) -> Pair:
        """The first pair: a game on shard 3, whole cents."""
        return self.world.pairs["p01"]

    @property
    def ticker(self) -> str:
        return self.pair.kalshi.ticker

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str = "ed25519",
        signed: bool = True,
    ) -> httpx.Response:
        """One call; `path` starts after /trade-api/v2 and may carry a query."""
        bare = ROOT + path.split("?")[0]
        signature = headers(self.keys[key], method, bare) if signed else {}
        return await self.http.request(
            method, self.origin + ROOT + path, json=body, headers=signature
        )

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def order(self, **changes: object) -> httpx.Response:
        """Post an order: by default a fill-or-kill bid for 10 YES at 0.55 in the first pair."""
        body: dict[str, object] = {
            "ticker": self.ticker,
            "side": "bid",
            "count": "10.00",
            "price": "0.5500",
            "time_in_force": "fill_or_kill",
            "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": str(uuid.uuid4()),
        }
        body |= changes
        index = self.world.pairs["p01"].kalshi.exchange_index
        body.setdefault("exchange_index", index)
        kept = {name: value for name, value in body.items() if value is not None}
        return await self.ask("POST", "/portfolio/events/orders", kept)

    async def control(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = await self.http.request(method, self.control_url + path, json=body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    async def book(self, bids: list[list[str]], asks: list[list[str]], pair: str = "p01") -> None:
        """Set what others quote in a pair."""
        await self.control(
            "POST", "/books", {"pair": pair, "kalshi": {"yes_bids": bids, "yes_asks": asks}}
        )

    async def fault(self, do: str, **rest: object) -> None:
        """Script one failure for Kalshi."""
        await self.control("POST", "/faults", {"rules": [{"venue": "kalshi", "do": do, **rest}]})

    async def knobs(self, **knobs: object) -> None:
        """Turn knobs of the venue."""
        await self.control("POST", "/knobs", {"venue": "kalshi", "knobs": knobs})

    async def state(self) -> dict[str, Any]:
        """The venue's complete ledger."""
        state: dict[str, Any] = (await self.control("GET", "/state"))["venues"]["kalshi"]
        return state

    async def cash(self) -> str:
        """The member's cash over all shards."""
        return str((await self.state())["cash"])
