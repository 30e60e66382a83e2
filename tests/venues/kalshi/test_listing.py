"""Many pairs are listed on the lowest tier, beside questions that do not wait for them."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from domain.pair import Pair
from domain.venue import Instrument, Outcome, Venue
from markets.pairs import Pairs
from markets.terms import TermsReader
from sim.main import Options, running
from tests.venues.kalshi.builders import an_order
from tests.venues.lab import Lab, kalshi_at, polymarket_at
from venues.kalshi import listing
from venues.kalshi.client import KalshiClient
from venues.kalshi.listing import NS, READ_COST, Pacer
from venues.kalshi.wire import Wire
from venues.strict_json import Node

PAIRS = 60
LISTED_SECONDS = 25
ANSWERED_SECONDS = 1
BASIC = {"usage_tier": "basic", "read_rate": 200, "read_capacity": 600}


@asynccontextmanager
async def basic(pairs: int) -> AsyncIterator[tuple[tuple[Pair, ...], Mapping[Venue, Any], Any]]:
    """Both venues with so many pairs; Kalshi counts reads as it does on its lowest tier."""
    async with running(Options(pairs=pairs)) as simulator:
        ready: Any = simulator.ready
        clients: dict[Venue, Any] = {
            Venue.POLYMARKET: polymarket_at(ready),
            Venue.KALSHI: kalshi_at(ready),
        }
        async with httpx.AsyncClient(base_url=ready["urls"]["control"]) as control:
            rows = (await control.get("/markets")).json()["pairs"]
            listed = tuple(
                Pair(
                    one["id"],
                    "",
                    one["polymarket"]["condition_id"],
                    one["kalshi"]["ticker"],
                    token_yes=one["polymarket"]["token_yes"],
                    token_no=one["polymarket"]["token_no"],
                )
                for one in rows
            )
            turned = await control.post("/knobs", json={"venue": "kalshi", "knobs": BASIC})
            turned.raise_for_status()
            try:
                yield listed, clients, control
            finally:
                for client in clients.values():
                    await client.close()


async def nothing(_: object) -> None:
    """Keep no words."""


@pytest.mark.timeout(120)
async def test_sixty_pairs_are_listed_in_time_and_a_question_about_an_order_waits_for_none() -> (
    None
):
    async with basic(PAIRS) as (configured, clients, _):
        kalshi: KalshiClient = clients[Venue.KALSHI]
        pairs = Pairs(configured, clients)
        words = TermsReader(configured, clients, nothing)
        following = [asyncio.create_task(one.run()) for one in (pairs, words)]
        order = an_order()
        began, answered, parts = time.monotonic(), [], set()
        try:
            while len(pairs.listed) < PAIRS:
                asked = time.monotonic()
                seen = await kalshi.find(order, kalshi.identify(order), order.created_at_ms)
                answered.append(time.monotonic() - asked)
                blind = [one for one in seen.observations if one.found is None]
                assert not blind, f"a question was refused beside the listing: {blind}"
                parts.add(len(pairs.listed))
                assert time.monotonic() - began < LISTED_SECONDS, pairs.unlisted
                await asyncio.sleep(1)
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        # Whatever waits behind the listing does so every time: a stall of this machine does not.
        assert statistics.median(answered) < ANSWERED_SECONDS
        assert not pairs.unlisted, "no pair was ever refused for want of reads"
        assert len(parts) > 2, "pairs are listed as they are read"


async def test_both_outcomes_cost_one_read_and_what_markets_share_is_kept(
    kalshi: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, paths, get = kalshi_at(kalshi.ready), [], Wire.get

    async def counted(wire: Wire, path: str, params: Any = None) -> Node:
        paths.append(path.split("/")[1])
        return await get(wire, path, params)

    monkeypatch.setattr(Wire, "get", counted)
    for outcome in Outcome:
        assert isinstance(await client.instrument(kalshi.market, outcome), Instrument)
    assert sorted(paths) == ["account", "events", "markets", "series"]
    await client.terms(kalshi.market)
    assert paths.count("events") == 1
    await client.close()


async def test_what_is_not_urgent_waits_for_half_of_what_the_account_may_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ns = 10**12

    async def sleep(seconds: float) -> None:
        nonlocal now_ns
        now_ns += round(seconds * NS)

    monkeypatch.setattr(listing, "time", SimpleNamespace(monotonic_ns=lambda: now_ns))
    monkeypatch.setattr(listing, "asyncio", SimpleNamespace(sleep=sleep))
    pacer, began = Pacer(), now_ns
    pacer.allow(rate=200 * READ_COST, capacity=30 * READ_COST)
    for _ in range(10):
        await pacer.turn()
    assert now_ns == began, "a third of the capacity may be used at once"
    for _ in range(30):
        await pacer.turn()
    assert now_ns - began == 30 * NS // 100, "a hundred of two hundred a second"
