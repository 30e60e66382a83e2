"""The tripwire: a position that moved without a fill keeps an order unknown."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.order import Unknown
from tests.venues.lab import Lab
from tests.venues.raw import Behaviour, raw_server, request


def member(market: dict[str, Any], moved: timedelta, fills: list[dict[str, str]]) -> Behaviour:
    """A venue whose lists do not show the order, and whose position moved at now + `moved`."""
    now, ticker = datetime.now(UTC), market["ticker"]
    replies: dict[str, object] = {
        "/exchange/user_data_timestamp": {"as_of_time": now.isoformat()},
        f"/markets/{ticker}": {"market": market},
        "/portfolio/orders": {"orders": [], "cursor": ""},
        "/portfolio/fills": {"fills": fills, "cursor": ""},
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
    async with raw_server(member(listed, moved, [])) as url:
        client = kalshi.elsewhere(url)
        sent_ms = time.time_ns() // 1_000_000
        sighting = await client.find(order, client.identify(order), sent_ms)
        await client.close()
    sources = {seen.source: seen.found for seen in sighting.observations}
    assert sources["kalshi orders"] is False
    assert sources["kalshi fills"] is False
    assert sources["kalshi positions"] is (None if tripped else False)
    assert isinstance(sighting.answer, Unknown) is tripped
