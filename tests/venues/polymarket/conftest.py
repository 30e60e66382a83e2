"""The real adapter against the simulated venue, both on this event loop."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.order import Answer, Fill, Filled, NotFilled, Order
from domain.venue import Instrument, Outcome
from sim.main import Options, running
from tests.venues.polymarket.builders import an_order
from venues.polymarket.account import ApiKey, PolymarketAccount, SignatureType, Timeouts
from venues.polymarket.client import PolymarketClient

FAST = Timeouts(
    order=timedelta(seconds=2),
    read=timedelta(seconds=2),
    ping=timedelta(milliseconds=100),
    stale_after=timedelta(milliseconds=1_500),
    reconnect=timedelta(milliseconds=50),
)


@dataclass
class Desk:
    """One account at the simulated venue and the venue's own control desk."""

    client: PolymarketClient
    account: PolymarketAccount
    control: httpx.AsyncClient
    pair: dict[str, Any]
    instrument: Instrument
    url: str

    @property
    def condition(self) -> str:
        return str(self.pair["polymarket"]["condition_id"])

    async def post(self, path: str, **body: object) -> None:
        answer = await self.control.post(path, json=body)
        answer.raise_for_status()

    async def quote(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        quotes = {"yes_bids": bids, "yes_asks": asks}
        await self.post("/books", pair=self.pair["id"], polymarket=quotes)

    async def fault(self, do: str, action: str = "*", times: int = 1, **params: object) -> None:
        rule = {"venue": "polymarket", "market": "*", "action": action, "do": do, "times": times}
        await self.post("/faults", rules=[{**rule, "params": params}])

    async def ledger(self) -> dict[str, Any]:
        state = (await self.control.get("/state")).json()
        ledger: dict[str, Any] = state["venues"]["polymarket"]
        return ledger

    def order(self, action: str, size: str, limit: str, intent: str = "i/1") -> Order:
        now_ms = time.time_ns() // 1_000_000
        return an_order(
            action, size, limit, instrument=self.instrument, intent=intent, created_at_ms=now_ms
        )

    async def place(self, order: Order) -> Answer:
        return await self.client.place(order, self.client.identify(order), leave)

    async def find(self, order: Order) -> Answer | None:
        sighting = await self.client.find(order, self.client.identify(order), order.created_at_ms)
        return sighting.answer

    async def filled(self, order: Order) -> tuple[Fill, ...]:
        answer = await self.place(order)
        assert isinstance(answer, Filled), answer
        return answer.fills


async def leave() -> NotFilled | None:
    """Nothing stops the order at its first byte."""
    return None


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A deposit-wallet account and one market, 0.50 bid and 0.52 asked, a hundred each."""
    async with running(Options(pairs=2)) as simulator:
        urls: Any = simulator.ready["urls"]
        keys: Any = simulator.ready["keys"]
        given = keys["polymarket"]
        account = PolymarketAccount(
            private_key=given["private_key"],
            funder=given["funder"],
            signature_type=SignatureType(given["signature_type"]),
            api_key=ApiKey(given["api_key"], given["secret"], given["passphrase"]),
            clob_url=urls["polymarket"],
            gamma_url=urls["gamma"],
            data_url=urls["data"],
            ws_url=urls["polymarket_ws"],
            timeouts=FAST,
        )
        client = PolymarketClient(account)
        async with httpx.AsyncClient(base_url=urls["control"]) as control:
            pair = (await control.get("/markets")).json()["pairs"][0]
            found = await client.instrument(pair["polymarket"]["condition_id"], Outcome.YES)
            assert isinstance(found, Instrument), found
            desk = Desk(client, account, control, pair, found, urls["polymarket"])
            try:
                await desk.quote([["0.50", "100"], ["0.49", "100"]], [["0.52", "100"]])
                yield desk
            finally:
                await desk.client.close()  # another one, where a test put it in the place of ours


@pytest.fixture
async def stranger(desk: Desk) -> AsyncIterator[PolymarketClient]:
    """The same account with no API key given: it has to be derived."""
    client = PolymarketClient(replace(desk.account, api_key=None))
    yield client
    await client.close()
