"""One adapter, its simulated venue, and the venue's own control desk."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import httpx

from domain.money import Price, Size
from domain.order import Answer, Fill, NotFilled, Order, Purpose, Unknown
from domain.venue import Action, Instrument, Outcome, TimeInForce, Venue
from sim.main import Options, running
from venues.kalshi.account import KalshiAccount
from venues.kalshi.account import Timeouts as KalshiTimeouts
from venues.kalshi.client import KalshiClient
from venues.polymarket.account import ApiKey, PolymarketAccount, SignatureType
from venues.polymarket.account import Timeouts as PolymarketTimeouts
from venues.polymarket.client import PolymarketClient
from venues.port import FirstByte, VenuePort

Found = TypeVar("Found")
ORDER_TIME = timedelta(seconds=3)
READ_TIME = timedelta(seconds=2)
FAST = timedelta(milliseconds=50)


async def leave() -> NotFilled | None:
    """Nothing stops the order at its first byte."""
    return None


@dataclass
class Lab:
    """The adapter under test and everything around it."""

    venue: Venue
    client: VenuePort
    control: httpx.AsyncClient
    ready: dict[str, Any]
    pair: dict[str, Any]
    instrument: Instrument

    @property
    def market(self) -> str:
        """The market's name at this venue."""
        key = "ticker" if self.venue is Venue.KALSHI else "condition_id"
        return str(self.pair[self.venue.value][key])

    async def post(self, path: str, **body: object) -> None:
        (await self.control.post(path, json=body)).raise_for_status()

    async def quote(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        """Set what others bid and ask for YES."""
        quotes = {"yes_bids": bids, "yes_asks": asks}
        await self.post("/books", pair=self.pair["id"], **{self.venue.value: quotes})

    async def fault(self, do: str, action: str = "*", **params: object) -> None:
        """Script one failure at this venue."""
        rule = {"venue": self.venue.value, "do": do, "action": action, "params": params}
        await self.post("/faults", rules=[rule])

    async def silence(self, action: str, ms: int) -> None:
        """Answer nothing of this kind for so long, every time."""
        rule = {"venue": self.venue.value, "do": "hang_before", "action": action, "times": 0}
        await self.post("/faults", rules=[{**rule, "params": {"ms": ms}}])

    async def ledger(self) -> dict[str, Any]:
        state = (await self.control.get("/state")).json()
        ledger: dict[str, Any] = state["venues"][self.venue.value]
        return ledger

    async def listing(self) -> dict[str, Any]:
        """The market's payload as the venue serves it to anybody, read with nothing of ours."""
        urls = self.ready["urls"]
        async with httpx.AsyncClient() as public:
            if self.venue is Venue.POLYMARKET:
                params = {"condition_ids": self.market}
                page = await public.get(f"{urls['gamma']}/markets/keyset", params=params)
                (row,) = page.json()["markets"]
                return dict(row)
            market = (await public.get(f"{urls['kalshi']}/markets/{self.market}")).json()["market"]
            event = await public.get(f"{urls['kalshi']}/events/{market['event_ticker']}")
            return {"market": market, "event": event.json()["event"]}

    async def cash(self) -> Decimal:
        """What the venue's ledger says we have, also while it still settles."""
        ledger = await self.ledger()
        return Decimal(ledger["cash"]) + Decimal(ledger.get("pending_cash", "0"))

    async def matched(self, order: Order) -> list[dict[str, Any]]:
        """The orders with this identity that reached matching, in the venue's own ledger."""
        key = self.client.identify(order).key
        return [
            one
            for one in (await self.ledger())["orders"]
            if key in (one["order_id"], one["client_id"]) and one["reached_matching"]
        ]

    def order(
        self,
        action: str,
        size: str,
        limit: str,
        *,
        tif: TimeInForce = TimeInForce.FOK,
        instrument: Instrument | None = None,
        reduce_only: bool = False,
        intent: str = "arb-1/leg/entry/1",
    ) -> Order:
        now_ms = time.time_ns() // 1_000_000
        return Order(
            intent_id=intent,
            arb_id="arb-1",
            instrument=instrument or self.instrument,
            purpose=Purpose.ENTRY if action == "buy" else Purpose.UNWIND,
            action=Action(action),
            size=Size(Decimal(size)),
            limit=Price(Decimal(limit)),
            time_in_force=tif,
            reduce_only=reduce_only,
            created_at_ms=now_ms,
            not_after_ms=now_ms + 2_000,
        )

    async def place(self, order: Order, first_byte: FirstByte = leave) -> Answer:
        return await self.client.place(order, self.client.identify(order), first_byte)

    async def resolved(self, order: Order) -> Answer:
        """Ask until the answer is definite."""
        identity = self.client.identify(order)

        async def ask() -> Answer | None:
            found = await self.client.find(order, identity, order.created_at_ms)
            return found.answer if not isinstance(found.answer, Unknown) else None

        return await until(ask)

    def elsewhere(self, base_url: str) -> VenuePort:
        """The same account, talking to another address."""
        return MAKERS[self.venue](self.ready, base_url)


async def until(ask: Callable[[], Awaitable[Found | None]]) -> Found:
    """Ask until there is something, at most ten seconds."""
    async with asyncio.timeout(10):
        while (found := await ask()) is None:  # noqa: ASYNC110  a ledger tells nobody
            await asyncio.sleep(0.02)
        return found


def total(fills: tuple[Fill, ...]) -> tuple[Decimal, Decimal, Decimal]:
    """(size, notional, fee) of some fills."""
    return (
        sum((fill.size for fill in fills), Decimal(0)),
        sum((fill.notional for fill in fills), Decimal(0)),
        sum((fill.fee for fill in fills), Decimal(0)),
    )


def kalshi_at(ready: dict[str, Any], base_url: str | None = None) -> KalshiClient:
    """The Kalshi adapter with the simulator's test key; `base_url` may lead elsewhere."""
    keys, urls = ready["keys"]["kalshi"], ready["urls"]
    times = KalshiTimeouts(order=ORDER_TIME, read=READ_TIME, redial=FAST)
    return KalshiClient(
        KalshiAccount(
            key_id=keys["key_id"],
            private_key_pem=keys["private_key_pem"],
            base_url=base_url or urls["kalshi"],
            ws_url=urls["kalshi_ws"],
            fee_grid=Decimal("0.0001"),
            timeouts=times,
        )
    )


def polymarket_at(ready: dict[str, Any], base_url: str | None = None) -> PolymarketClient:
    """The Polymarket adapter with the simulator's test wallet."""
    keys, urls = ready["keys"]["polymarket"], ready["urls"]
    times = PolymarketTimeouts(order=ORDER_TIME, read=READ_TIME, reconnect=FAST)
    return PolymarketClient(
        PolymarketAccount(
            private_key=keys["private_key"],
            funder=keys["funder"],
            signature_type=SignatureType(keys["signature_type"]),
            api_key=ApiKey(keys["api_key"], keys["secret"], keys["passphrase"]),
            clob_url=base_url or urls["polymarket"],
            gamma_url=urls["gamma"],
            data_url=urls["data"],
            ws_url=urls["polymarket_ws"],
            timeouts=times,
        )
    )


MAKERS: dict[Venue, Callable[..., VenuePort]] = {
    Venue.KALSHI: kalshi_at,
    Venue.POLYMARKET: polymarket_at,
}


@asynccontextmanager
async def open_lab(venue: Venue) -> AsyncIterator[Lab]:
    """A new simulator and the adapter; YES is bid 0.50 and asked 0.52, a hundred each."""
    async with running(Options(pairs=2)) as simulator:
        ready: Any = simulator.ready
        client = MAKERS[venue](ready)
        async with httpx.AsyncClient(base_url=ready["urls"]["control"]) as control:
            pair = (await control.get("/markets")).json()["pairs"][0]
            key = "ticker" if venue is Venue.KALSHI else "condition_id"
            found = await client.instrument(pair[venue.value][key], Outcome.YES)
            assert isinstance(found, Instrument), found
            lab = Lab(venue, client, control, ready, pair, found)
            await lab.quote([["0.50", "100"], ["0.49", "100"]], [["0.52", "100"]])
            yield lab
            await client.close()
