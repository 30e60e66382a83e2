"""The tripwire: a position that moved without a fill keeps an order unknown."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.evidence import TRADES, Observation, Quarantine
from domain.order import Answer, Unknown
from domain.venue import Venue
from tests.venues.lab import Lab
from tests.venues.raw import Behaviour, raw_server, request
from tests.venues.vanished import concludes_unless_matched


def member(
    market: dict[str, Any], moved: timedelta, orders: list[dict[str, str]] | None = None
) -> Behaviour:
    """A venue whose lists show these orders, and whose position moved at now + `moved`."""
    now, ticker = datetime.now(UTC), market["ticker"]
    replies: dict[str, object] = {
        f"/markets/{ticker}": {"market": market},
        "/portfolio/orders": {"orders": [] if orders is None else orders, "cursor": ""},
        "/portfolio/fills": {"fills": [], "cursor": ""},
        "/portfolio/positions": {
            "market_positions": [
                {
                    "ticker": ticker,
                    "position_fp": "10.00",
                    "last_updated_ts": (now + moved).isoformat(),
                }
            ],
            "cursor": "",
        },
    }

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            path = (await request(reader)).split(b" ")[1].decode().split("?")[0]
            replies["/exchange/user_data_timestamp"] = {"as_of_time": datetime.now(UTC).isoformat()}
            body = json.dumps(replies[path]).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

    return behave


@pytest.mark.parametrize(
    ("moved", "tripped"), [(timedelta(seconds=1), True), (timedelta(minutes=-10), False)]
)
async def test_a_position_that_moved_after_the_send_forbids_a_verdict_of_absence(
    kalshi: Lab, moved: timedelta, tripped: bool
) -> None:
    order = kalshi.order("buy", "10", "0.52")
    listed = (await kalshi.listing())["market"]
    async with raw_server(member(listed, moved)) as url:
        client = kalshi.elsewhere(url)
        sent_ms = time.time_ns() // 1_000_000
        sighting = await client.find(order, client.identify(order), sent_ms)
        await client.close()
    sources = {seen.source: seen.found for seen in sighting.observations}
    assert sources["kalshi orders"] is False
    assert sources["kalshi fills"] is False
    assert sources["kalshi positions"] is (None if tripped else False)
    assert isinstance(sighting.answer, Unknown) is tripped


@pytest.mark.parametrize("counted", ["0.00", "4.00"])
async def test_an_order_that_was_shown_and_is_gone_ends_by_its_absence_unless_it_had_filled(
    kalshi: Lab, counted: str
) -> None:
    order = kalshi.order("buy", "10", "0.52")
    market = (await kalshi.listing())["market"]
    shown = {
        "order_id": "o-1",
        "client_order_id": kalshi.client.identify(order).key,
        "ticker": kalshi.market,
        "status": "resting",
        "fill_count_fp": counted,
        "remaining_count_fp": "10.00",
    }
    orders = [shown]
    seen: list[Observation] = []
    async with raw_server(member(market, timedelta(minutes=-10), orders)) as url:
        client = kalshi.elsewhere(url)
        sent_ms = time.time_ns() // 1_000_000

        async def look() -> Answer | None:
            sighting = await client.find(order, client.identify(order), sent_ms)
            seen.extend(sighting.observations)
            return sighting.answer

        assert isinstance(await look(), Unknown)
        orders[0] = shown | {"client_order_id": "another's"}
        for _ in range(12):
            assert await look() is None
            await asyncio.sleep(0.1)
        await client.close()
    rule = Quarantine(wait_ms=800, needs_as_of=True, must=TRADES[Venue.KALSHI])
    concludes_unless_matched(seen, sent_ms, rule, matched=counted != "0.00")
