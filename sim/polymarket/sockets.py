"""The two WebSocket channels: public market events and the private user stream."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from sim.book import LevelChange
from sim.polymarket import marketdata
from sim.polymarket.market import Market, plain
from sim.polymarket.trades import Order, Trade
from sim.units import ONE

if TYPE_CHECKING:
    from sim.polymarket.exchange import Exchange

QUEUE_LIMIT = 20_000
MILLI_NS = 1_000_000


@dataclass(eq=False, slots=True)
class Client:
    """One connection: its subscription and what still has to be written to it."""

    socket: WebSocket
    assets: set[str] = field(default_factory=set)
    markets: set[str] = field(default_factory=set)
    key: str = ""
    custom: bool = False
    overrun: bool = False
    queue: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))

    def send(self, message: object) -> None:
        """Queue a frame; a reader that lets the queue fill up is disconnected."""
        try:
            self.queue.put_nowait(message if isinstance(message, str) else json.dumps(message))
        except asyncio.QueueFull:
            self.overrun = True

    async def write(self) -> None:
        """Write queued frames until the connection ends or its queue overran."""
        while not self.overrun:
            await self.socket.send_text(await self.queue.get())
        await self.socket.close(1013)


class Hub:
    """Who listens to what; nothing is kept for those who are not connected."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._public: set[Client] = set()
        self._private: set[Client] = set()
        self._touched: dict[str, set[tuple[str, int]]] = {}
        self._rng = Random(exchange.world.seed + 3)

    async def serve_market(self, socket: WebSocket) -> None:
        """/ws/market: a subscription, then events; further operations; PING."""
        await socket.accept()
        client = Client(socket)
        await self._serve(client, self._public, self._on_market)

    async def serve_user(self, socket: WebSocket) -> None:
        """/ws/user: the first frame must carry valid credentials; nothing is replayed."""
        await socket.accept()
        client = Client(socket)
        await self._serve(client, self._private, self._on_user)

    async def _serve(
        self, client: Client, group: set[Client], handle: Callable[[Client, str], bool]
    ) -> None:
        writer = asyncio.get_running_loop().create_task(client.write())
        group.add(client)
        try:
            while True:
                text = await client.socket.receive_text()
                if text == "PING":
                    client.send("PONG")
                elif not handle(client, text):
                    await client.socket.close(1008)
                    return
        except WebSocketDisconnect:
            return
        finally:
            group.discard(client)
            writer.cancel()
            # a writer may have met the closed connection before the reader did
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
                await writer

    def _on_market(self, client: Client, text: str) -> bool:
        frame = parse(text)
        if frame is None:
            return False
        assets = [token for token in texts(frame, "assets_ids") if token in self._exchange.by_token]
        client.custom = bool(frame.get("custom_feature_enabled", client.custom))
        if frame.get("operation") == "unsubscribe":
            client.assets.difference_update(assets)
            return True
        if frame.get("operation") != "subscribe" and frame.get("type") != "market":
            return False
        client.assets.update(assets)
        if frame.get("initial_dump", True) and assets:
            client.send([self._book_event(token) for token in assets])
        return True

    def _on_user(self, client: Client, text: str) -> bool:
        frame = parse(text)
        if frame is None:
            return False
        if not client.key:
            auth = frame.get("auth")
            key = (
                self._exchange.keys.get(str(auth.get("apiKey"))) if isinstance(auth, dict) else None
            )
            if key is None or auth != key.public() or frame.get("type") != "user":
                return False
            client.key = key.key
        client.markets.update(texts(frame, "markets"))
        return True

    # Market channel.

    def level_changed(self, market: Market, change: LevelChange) -> None:
        """Remember a touched level; all of one turn of the loop leave as one event."""
        if not self._listeners(market):
            return
        touched = self._touched.setdefault(market.condition_id, set())
        if not touched:
            asyncio.get_running_loop().call_soon(self._flush, market)
        touched.add((change.side, change.price))

    def _flush(self, market: Market) -> None:
        now = self._now_ms()
        book = self._exchange.world.book("polymarket", market.pair)
        touched = self._touched.pop(market.condition_id)
        event = {
            "event_type": "price_change",
            "market": market.condition_id,
            "timestamp": str(now),
            "price_changes": marketdata.price_changes(book, market, touched, now),
        }
        self._publish(self._listeners(market), event)

    def traded(self, trade: Trade) -> None:
        """A trade: its price, and fresh snapshots of both outcomes."""
        market, order = trade.order.market, trade.order
        listeners = self._listeners(market)
        if not listeners:
            return
        event = {
            "event_type": "last_trade_price",
            "asset_id": order.token,
            "market": market.condition_id,
            "price": plain(trade.price),
            "size": plain(trade.size),
            "side": order.side.value,
            "fee_rate_bps": "0",
            "timestamp": str(self._now_ms()),
            "transaction_hash": trade.transaction_hash,
        }
        self._publish(listeners, event)
        for token in (market.yes_token, market.no_token):
            self._publish(
                [client for client in listeners if token in client.assets], self._book_event(token)
            )

    def tick_changed(self, market: Market, old: int) -> None:
        """A new tick size, told for both outcomes."""
        for token in (market.yes_token, market.no_token):
            event = {
                "event_type": "tick_size_change",
                "asset_id": token,
                "market": market.condition_id,
                "old_tick_size": plain(old),
                "new_tick_size": plain(market.tick),
                "timestamp": str(self._now_ms()),
            }
            self._publish([c for c in self._public if token in c.assets], event)

    def resolved(self, market: Market) -> None:
        """The outcome, for those who asked for custom features."""
        if market.winner not in ("yes", "no"):
            return
        event = {
            "event_type": "market_resolved",
            "market": market.condition_id,
            "assets_ids": [market.yes_token, market.no_token],
            "winning_asset_id": market.token(market.winner),
            "winning_outcome": market.winner.capitalize(),
            "timestamp": str(self._now_ms()),
        }
        self._publish([client for client in self._listeners(market) if client.custom], event)

    def _listeners(self, market: Market) -> list[Client]:
        tokens = {market.yes_token, market.no_token}
        return [client for client in self._public if client.assets & tokens]

    def _publish(self, clients: Iterable[Client], event: Mapping[str, object]) -> None:
        if self._exchange.knobs.ws_market_silent:
            return
        for client in clients:
            client.send(event)

    def _book_event(self, token: str) -> dict[str, object]:
        market = self._exchange.by_token[token]
        book = self._exchange.world.book("polymarket", market.pair)
        return marketdata.book_event(book, market, token, self._now_ms())

    # User channel.

    def trade_moved(self, trade: Trade) -> None:
        """A trade of the key's, once per settlement status."""
        event = trade.as_json() | {
            "event_type": "trade",
            "type": "TRADE",
            "timestamp": str(self._now_ms()),
            "trade_owner": trade.order.key,
        }
        self._tell(trade.order, event)

    def order_event(self, order: Order, kind: str) -> None:
        """PLACEMENT, UPDATE or CANCELLATION of an order of the key's."""
        shown = order.as_json()
        for name in ("maker_address", "created_at", "expiration", "order_type"):
            del shown[name]
        event = shown | {
            "event_type": "order",
            "type": kind,
            "order_owner": order.key,
            "timestamp": str(self._now_ms()),
        }
        self._tell(order, event)

    def _tell(self, order: Order, event: dict[str, object]) -> None:
        knobs = self._exchange.knobs
        if self._rng.randrange(ONE) < knobs.ws_user_missing:
            return
        copies = 2 if self._rng.randrange(ONE) < knobs.ws_user_duplicate else 1
        hidden_ms = max(0, order.visible_ns - self._exchange.world.clock()) // MILLI_NS
        delay_s = max(hidden_ms, knobs.ws_user_delay_ms) / 1000
        for _ in range(copies):
            asyncio.get_running_loop().call_later(delay_s, self._deliver, order, event)

    def _deliver(self, order: Order, event: dict[str, object]) -> None:
        for client in self._private:
            wanted = not client.markets or order.market.condition_id in client.markets
            if client.key == order.key and wanted:
                client.send(event)

    def _now_ms(self) -> int:
        return self._exchange.world.clock() // MILLI_NS


def parse(text: str) -> dict[str, Any] | None:
    """The JSON object of a frame, or None for anything else."""
    try:
        frame = json.loads(text)
    except json.JSONDecodeError:
        return None
    return frame if isinstance(frame, dict) else None


def texts(frame: dict[str, Any], name: str) -> list[str]:
    """The strings of a list member; what is no string, or no list, counts for nothing."""
    given = frame.get(name)
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
