"""The WebSocket over a real connection: snapshots, deltas, sequences, private channels, faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Opcode

from sim.kalshi.app import build_app
from sim.server import Servers, Site
from sim.world import World
from tests.sim.kalshi.harness import Member, headers

PATH = "/trade-api/ws/v2"


@pytest.fixture(autouse=True)
async def quotes(member: Member) -> None:
    await member.book([["0.53", "20"]], [["0.55", "10"], ["0.56", "100"]])


@asynccontextmanager
async def connection(member: Member, **skew: int) -> AsyncIterator[ClientConnection]:
    signature = headers(member.keys["ed25519"], "GET", PATH, **skew)
    async with connect(
        member.ws_url, additional_headers=signature, compression=None, open_timeout=5
    ) as socket:
        yield socket


async def send(socket: ClientConnection, cmd: str, **params: object) -> None:
    await socket.send(json.dumps({"id": 1, "cmd": cmd, "params": params}))


async def receive(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def test_a_handshake_without_a_valid_signature_is_a_401(member: Member) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connection(member, skew_ms=-60_000):
            pass
    assert refused.value.response.status_code == 401
    with pytest.raises(InvalidStatus):
        async with connect(member.ws_url):
            pass


@pytest.mark.parametrize(
    ("use_yes_price", "no_levels", "delta_price"),
    [
        (True, [["0.5600", "100.00"], ["0.5500", "10.00"]], "0.5500"),
        (False, [["0.4400", "100.00"], ["0.4500", "10.00"]], "0.4500"),
    ],
)
async def test_a_snapshot_is_followed_by_numbered_deltas_in_either_price_mode(
    member: Member, use_yes_price: bool, no_levels: list[list[str]], delta_price: str
) -> None:
    async with connection(member) as socket:
        await send(
            socket,
            "subscribe",
            channels=["orderbook_delta"],
            market_tickers=[member.ticker],
            use_yes_price=use_yes_price,
        )
        assert await receive(socket) == {
            "type": "subscribed",
            "id": 1,
            "msg": {"channel": "orderbook_delta", "sid": 1},
        }
        snapshot = await receive(socket)
        assert (snapshot["type"], snapshot["sid"], snapshot["seq"]) == ("orderbook_snapshot", 1, 1)
        assert snapshot["msg"]["yes_dollars_fp"] == [["0.5300", "20.00"]]
        assert snapshot["msg"]["no_dollars_fp"] == no_levels
        await member.order(client_order_id="mine", count="4.00")
        delta = await receive(socket)
        assert (delta["type"], delta["seq"]) == ("orderbook_delta", 2)
        assert delta["msg"]["price_dollars"] == delta_price
        assert delta["msg"]["delta_fp"] == "-4.00"
        assert delta["msg"]["side"] == "no"
        assert delta["msg"]["client_order_id"] == "mine"


async def test_the_key_of_an_empty_side_is_absent(member: Member) -> None:
    await member.book([], [["0.55", "10"]])
    async with connection(member) as socket:
        await send(
            socket, "subscribe", channels=["orderbook_delta"], market_tickers=[member.ticker]
        )
        await receive(socket)
        assert "yes_dollars_fp" not in (await receive(socket))["msg"]


async def test_a_gap_shows_in_the_sequence_and_a_snapshot_heals_it(member: Member) -> None:
    async with connection(member) as socket:
        await send(
            socket, "subscribe", channels=["orderbook_delta"], market_tickers=[member.ticker]
        )
        await receive(socket)
        await receive(socket)
        await member.knobs(ws_skip=1)
        await member.order(count="1.00")
        await member.order(count="2.00")
        assert (await receive(socket))["seq"] == 3
        await send(
            socket,
            "update_subscription",
            sids=[1],
            market_tickers=[member.ticker],
            action="get_snapshot",
        )
        assert (await receive(socket))["type"] == "ok"
        snapshot = await receive(socket)
        assert snapshot["seq"] == 4
        assert snapshot["msg"]["no_dollars_fp"][-1] == ["0.4500", "7.00"]


async def test_private_channels_tell_of_an_order_before_its_answer_is_lost(member: Member) -> None:
    async with connection(member) as socket:
        await send(socket, "subscribe", channels=["fill", "user_orders", "market_positions"])
        for _ in range(3):
            assert (await receive(socket))["type"] == "subscribed"
        await member.fault("error_after")
        await member.order(client_order_id="lost")
        by_type = {}
        for _ in range(3):
            message = await receive(socket)
            by_type[message["type"]] = message["msg"]
        assert by_type["fill"]["client_order_id"] == "lost"
        assert by_type["fill"]["post_position_fp"] == "10.00"
        assert by_type["fill"]["fee_cost"] == "0.173300"
        assert by_type["user_order"]["status"] == "executed"
        assert by_type["market_position"]["position_fp"] == "10.00"


async def test_subscriptions_are_listed_changed_and_ended(member: Member) -> None:
    other = member.world.pairs["p02"].kalshi.ticker
    async with connection(member) as socket:
        await send(socket, "subscribe", channels=["trade"], market_tickers=[member.ticker])
        await receive(socket)
        await send(
            socket, "update_subscription", sid=1, market_tickers=[other], action="add_markets"
        )
        assert (await receive(socket))["msg"] == {"market_tickers": [member.ticker, other]}
        await send(socket, "list_subscriptions")
        listed = (await receive(socket))["msg"]["subscriptions"]
        assert listed == [{"channel": "trade", "sid": 1, "market_tickers": [member.ticker, other]}]
        await send(socket, "unsubscribe", sids=[1])
        assert (await receive(socket))["type"] == "unsubscribed"
        await send(socket, "unsubscribe", sids=[1])
        assert (await receive(socket))["type"] == "error"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"channels": ["weather"]}, 8),
        ({"channels": ["orderbook_delta"]}, 14),
        ({"channels": ["orderbook_delta"], "market_tickers": ["NOPE"]}, 16),
    ],
)
async def test_a_wrong_subscription_is_an_error_with_a_code(
    member: Member, params: dict[str, object], code: int
) -> None:
    async with connection(member) as socket:
        await send(socket, "subscribe", **params)
        error = await receive(socket)
        assert (error["type"], error["id"], error["msg"]["code"]) == ("error", 1, code)


async def test_lifecycle_tells_of_determination_and_settlement(member: Member) -> None:
    async with connection(member) as socket:
        await send(socket, "subscribe", channels=["market_lifecycle_v2"])
        await receive(socket)
        await member.control("POST", "/resolve", {"pair": "p01", "kalshi": "no"})
        events = [(await receive(socket))["msg"]["event_type"] for _ in range(2)]
        assert events == ["determined", "settled"]


async def test_a_slow_reader_loses_its_subscription_with_error_25(member: Member) -> None:
    async with connection(member) as socket:
        await send(socket, "subscribe", channels=["orderbook_delta", "ticker"],
                   market_tickers=[member.ticker])  # fmt: skip
        for _ in range(3):
            await receive(socket)
        await member.knobs(ws_buffer=3, ws_silent=True)
        await member.book([], [["0.90", "1"], ["0.91", "1"], ["0.92", "1"], ["0.93", "1"]])
        await member.knobs(ws_silent=False)
        codes = []
        while 25 not in codes:
            message = await receive(socket)
            codes.append(message["msg"].get("code"))


async def test_connections_can_be_cut_and_redials_refused(member: Member) -> None:
    async with connection(member) as socket:
        await member.knobs(ws_drop=True, ws_refuse=1)
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
    with pytest.raises(InvalidStatus) as refused:
        async with connection(member):
            pass
    assert refused.value.response.status_code == 502
    async with connection(member) as socket:
        await send(socket, "list_subscriptions")
        assert (await receive(socket))["type"] == "ok"


async def test_the_server_pings_with_the_word_heartbeat(member: Member) -> None:
    pings: list[bytes] = []

    class Listener(ClientConnection):
        def process_event(self, event: Any) -> None:
            if getattr(event, "opcode", None) is Opcode.PING:
                pings.append(bytes(event.data))
            super().process_event(event)

    servers = Servers([Site("kalshi", build_app(World(7, 1)), 0, heartbeat_s=1)])
    await servers.start()
    url = f"ws://127.0.0.1:{servers.port('kalshi')}{PATH}"
    signature = headers(member.keys["ed25519"], "GET", PATH)
    async with connect(url, additional_headers=signature, create_connection=Listener) as socket:
        await send(socket, "subscribe", channels=["fill"])
        await receive(socket)
        for _ in range(100):
            if pings:
                break
            await asyncio.sleep(0.05)
    await servers.stop()
    assert pings[0] == b"heartbeat"
