"""Both WebSocket channels over real connections."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.sim.polymarket.harness import Sim


@asynccontextmanager
async def market_channel(sim: Sim, **frame: object) -> AsyncIterator[ClientConnection]:
    """A subscription to both outcomes of p01."""
    async with connect(f"ws://{sim.host}/ws/market") as socket:
        await socket.send(json.dumps({"assets_ids": [sim.yes, sim.no], "type": "market", **frame}))
        yield socket


@asynccontextmanager
async def user_channel(sim: Sim, **auth: str) -> AsyncIterator[ClientConnection]:
    """An authenticated user stream; PING proves that the first frame was handled."""
    keys = {
        "apiKey": sim.keys["api_key"],
        "secret": sim.keys["secret"],
        "passphrase": sim.keys["passphrase"],
    }
    async with connect(f"ws://{sim.host}/ws/user") as socket:
        await socket.send(json.dumps({"auth": keys | auth, "type": "user"}))
        await socket.send("PING")
        assert await socket.recv() == "PONG"
        yield socket


async def take(socket: ClientConnection, wanted: Callable[[Any], bool]) -> Any:
    """The next event that fits; arrays are looked into."""
    async with asyncio.timeout(5):
        while True:
            frame = json.loads(await socket.recv())
            for event in frame if isinstance(frame, list) else [frame]:
                if wanted(event):
                    return event


def is_kind(kind: str) -> Callable[[Any], bool]:
    return lambda event: event["event_type"] == kind


async def test_a_subscription_starts_with_a_snapshot_of_each_outcome(sim: Sim) -> None:
    async with market_channel(sim) as socket:
        first, second = json.loads(await socket.recv())
        assert (first["event_type"], first["asset_id"]) == ("book", sim.yes)
        assert second["bids"][-1] == {"price": "0.54", "size": "100"}
        await socket.send("PING")
        assert await socket.recv() == "PONG"


async def test_a_changed_quote_is_told_for_both_outcomes_with_totals(sim: Sim) -> None:
    async with market_channel(sim, initial_dump=False) as socket:
        await socket.send("PING")
        await socket.recv()
        sim.book.set_level("bid", 450_000, 0)
        event = await take(socket, is_kind("price_change"))
        shown = [
            (c["asset_id"], c["side"], c["price"], c["size"], c["best_bid"], c["best_ask"])
            for c in event["price_changes"]
        ]
        assert shown == [
            (sim.yes, "BUY", "0.45", "0", "0.44", "0.46"),
            (sim.no, "SELL", "0.55", "0", "0.54", "0.56"),
        ]


async def test_a_trade_is_told_with_fresh_snapshots(sim: Sim) -> None:
    async with market_channel(sim, initial_dump=False) as socket:
        await sim.trade("BUY", "4.60", "10")
        event = await take(socket, is_kind("last_trade_price"))
        assert (event["price"], event["size"], event["side"]) == ("0.46", "10", "BUY")
        book = await take(socket, lambda e: e["event_type"] == "book" and e["asset_id"] == sim.yes)
        assert book["asks"][-1] == {"price": "0.46", "size": "90"}


async def test_tick_changes_resolutions_and_silence(sim: Sim) -> None:
    async with market_channel(sim, custom_feature_enabled=True) as socket:
        await take(socket, is_kind("book"))
        sim.knobs(markets={"p01": {"tick": "0.001"}})
        event = await take(socket, is_kind("tick_size_change"))
        assert (event["old_tick_size"], event["new_tick_size"]) == ("0.01", "0.001")
        assert (await take(socket, is_kind("tick_size_change")))["asset_id"] == sim.no
        sim.knobs(ws_market_silent=True)
        sim.book.set_level("bid", 450_000, 0)
        await socket.send("PING")
        assert await socket.recv() == "PONG"
        sim.knobs(ws_market_silent=False)
        sim.venue.resolve(sim.pair, "no")
        event = await take(socket, is_kind("market_resolved"))
        assert (event["winning_asset_id"], event["winning_outcome"]) == (sim.no, "No")


async def test_unsubscribed_assets_fall_silent(sim: Sim) -> None:
    async with market_channel(sim, initial_dump=False) as socket:
        await socket.send(json.dumps({"operation": "unsubscribe", "assets_ids": [sim.yes, sim.no]}))
        await socket.send("PING")
        assert await socket.recv() == "PONG"
        sim.book.set_level("bid", 450_000, 0)
        await socket.send("PING")
        assert await socket.recv() == "PONG"


async def test_the_user_stream_tells_each_settlement_status(sim: Sim) -> None:
    async with user_channel(sim) as socket:
        reply = (await sim.trade("BUY", "4.60", "10")).json()
        for status in ("MATCHED", "MINED", "CONFIRMED"):
            event = await take(socket, is_kind("trade"))
            assert (event["status"], event["id"]) == (status, reply["tradeIDs"][0])
            assert event["taker_order_id"] == reply["orderID"]
        assert event["transaction_hash"].startswith("0x")


async def test_the_user_stream_tells_placement_and_cancellation(sim: Sim) -> None:
    async with user_channel(sim) as socket:
        order = (await sim.trade("BUY", "4.00", "10", type="GTC")).json()["orderID"]
        event = await take(socket, is_kind("order"))
        assert (event["type"], event["id"], event["size_matched"]) == ("PLACEMENT", order, "0")
        await sim.send("DELETE", "/order", {"orderID": order})
        assert (await take(socket, is_kind("order")))["type"] == "CANCELLATION"


async def test_nothing_is_replayed_to_a_late_listener(sim: Sim) -> None:
    await sim.settled((await sim.trade("BUY", "4.60", "10")).json())
    async with user_channel(sim) as socket:
        order = (await sim.trade("BUY", "4.00", "10", type="GTC")).json()["orderID"]
        assert json.loads(await socket.recv())["id"] == order


DELIVERY = """
    knob                     copies
    ws_user_missing=1000000  0
    ws_user_duplicate=1000000 2
    ws_user_delay_ms=1000    1
"""


@pytest.mark.parametrize(
    ("knob", "copies"), [line.split() for line in DELIVERY.strip().splitlines()[1:]]
)
async def test_user_events_can_be_missing_doubled_or_late(knob: str, copies: str, sim: Sim) -> None:
    name, _, value = knob.partition("=")
    async with user_channel(sim) as socket:
        sim.knobs(**{name: int(value)})
        order = (await sim.trade("BUY", "4.00", "10", type="GTC")).json()["orderID"]
        frames = []
        if name == "ws_user_delay_ms":
            await socket.send("PING")
            assert await socket.recv() == "PONG", "the event must not be there yet"
            frames.append(await socket.recv())
        else:
            await asyncio.sleep(0.05)
            await socket.send("PING")
            while (frame := await socket.recv()) != "PONG":
                frames.append(frame)
        assert [json.loads(frame)["id"] for frame in frames] == [order] * int(copies)


@pytest.mark.parametrize("frame", ["hello", "[]", '{"type":"user"}', '{"assets_ids":5}'])
async def test_a_frame_that_is_no_subscription_ends_the_connection(frame: str, sim: Sim) -> None:
    async with connect(f"ws://{sim.host}/ws/market") as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed):
            await socket.recv()


@pytest.mark.parametrize("spoilt", ["secret", "passphrase", "apiKey"])
async def test_wrong_credentials_end_the_user_stream(spoilt: str, sim: Sim) -> None:
    with pytest.raises(ConnectionClosed):
        async with user_channel(sim, **{spoilt: "wrong"}):
            pass
