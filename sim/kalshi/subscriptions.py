"""One WebSocket session: its commands, its subscriptions and what they are sent."""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from sim.book import LevelChange
from sim.kalshi.exchange import Exchange
from sim.kalshi.views import count, dollars
from sim.listings import Pair
from sim.units import ONE, iso_time

CHANNELS: Final = (
    "orderbook_delta",
    "ticker",
    "trade",
    "fill",
    "user_orders",
    "market_positions",
    "market_lifecycle_v2",
)
_NUMBERED: Final = ("orderbook_delta", "trade", "market_lifecycle_v2")
_UNKNOWN_COMMAND, _NO_SUCH_SID, _UNKNOWN_CHANNEL, _UNKNOWN_ACTION = 5, 12, 8, 13
_TICKERS_REQUIRED, _OVERFLOW, _BAD_MARKET, _UNPARSEABLE = 14, 25, 16, 1


@dataclass(slots=True)
class Subscription:
    """One channel; `tickers` empty means all markets; `seq` is the last number used."""

    sid: int
    channel: str
    tickers: list[str]
    use_yes_price: bool
    seq: int = 0


class CommandError(Exception):
    """A command the venue refuses with `code`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Session:
    """What one connection has asked for; `outbox` is drained by the connection's writer."""

    def __init__(self, exchange: Exchange, transport: asyncio.Transport | None) -> None:
        self.outbox: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self._exchange = exchange
        self._transport = transport
        self._subscriptions: dict[int, Subscription] = {}
        self._sids = 0

    def abort(self) -> None:
        """Cut the connection without a close frame."""
        if self._transport is not None:
            self._transport.abort()

    def following(self, channel: str, ticker: str) -> list[Subscription]:
        """The subscriptions that want a message of this channel and market."""
        return [
            one
            for one in self._subscriptions.values()
            if one.channel == channel and (not one.tickers or ticker in one.tickers)
        ]

    def send(self, subscription: Subscription, kind: str, message: dict[str, object]) -> None:
        """Queue a message; a full queue ends the subscription with error 25."""
        frame: dict[str, object] = {"type": kind, "sid": subscription.sid}
        if subscription.channel in _NUMBERED:
            subscription.seq += 1
            frame["seq"] = subscription.seq
        frame["msg"] = message
        if self._exchange.knobs.wire != "2026-06":
            frame["sending_ts_ms"] = self._exchange.world.clock() // 1_000_000
        if self.outbox.qsize() >= self._exchange.knobs.ws_buffer:
            self._subscriptions.pop(subscription.sid, None)
            self._error(None, _OVERFLOW, "Subscription buffer overflow", subscription.sid)
            return
        self.outbox.put_nowait(frame)

    def send_book(self, subscription: Subscription, message: dict[str, object]) -> None:
        """Queue a delta, or lose it and its number when a gap was asked for."""
        exchange = self._exchange
        if exchange.knobs.ws_skip > 0:
            exchange.set_knobs({"ws_skip": exchange.knobs.ws_skip - 1})
            subscription.seq += 1
            return
        self.send(subscription, "orderbook_delta", message)

    def handle(self, text: str) -> None:
        """Carry out one command and queue its answers."""
        number: object = None
        try:
            command = json.loads(text)
            number = command.get("id") if isinstance(command, dict) else None
            self._command(command, number)
        except ValueError:
            self._error(number, _UNPARSEABLE, "Unable to process message")
        except CommandError as error:
            self._error(number, error.code, str(error))

    def _command(self, command: object, number: object) -> None:
        if not isinstance(command, dict):
            raise ValueError("a command is an object")
        params = command.get("params") or {}
        if not isinstance(params, dict):
            raise ValueError("params is an object")
        match command.get("cmd"):
            case "subscribe":
                self._subscribe(params, number)
            case "unsubscribe":
                for sid in params.get("sids") or []:
                    self._subscription(sid)
                    del self._subscriptions[sid]
                    self.outbox.put_nowait({"type": "unsubscribed", "id": number, "sid": sid})
            case "update_subscription":
                self._update(params, number)
            case "list_subscriptions":
                rows = [
                    {"channel": one.channel, "sid": one.sid, "market_tickers": one.tickers}
                    for one in self._subscriptions.values()
                ]
                self._ok(number, {"subscriptions": rows})
            case other:
                raise CommandError(_UNKNOWN_COMMAND, f"Unknown command {other!r}")

    def _subscribe(self, params: dict[str, object], number: object) -> None:
        channels = params.get("channels")
        if not isinstance(channels, list) or not set(channels) <= set(CHANNELS):
            raise CommandError(_UNKNOWN_CHANNEL, "Unknown channel name")
        tickers = self._tickers(params)
        if "orderbook_delta" in channels and not tickers:
            raise CommandError(_TICKERS_REQUIRED, "Market tickers required")
        opened = []
        for channel in channels:
            self._sids += 1
            unfiltered = channel == "market_lifecycle_v2"
            yes_price = params.get("use_yes_price") is True
            one = Subscription(self._sids, channel, [] if unfiltered else tickers[:], yes_price)
            opened.append(one)
            message = {"channel": channel, "sid": one.sid}
            self.outbox.put_nowait({"type": "subscribed", "id": number, "msg": message})
        for one in opened:
            self._subscriptions[one.sid] = one
            self._snapshots(one, one.tickers)

    def _update(self, params: dict[str, object], number: object) -> None:
        sids = params.get("sids")
        sid = params.get("sid", sids[0] if isinstance(sids, list) and sids else None)
        one = self._subscription(sid)
        tickers = self._tickers(params)
        match params.get("action"):
            case "add_markets":
                fresh = [ticker for ticker in tickers if ticker not in one.tickers]
                one.tickers.extend(fresh)
                self._ok(number, {"market_tickers": one.tickers}, one.sid)
                self._snapshots(one, fresh)
            case "delete_markets":
                one.tickers = [ticker for ticker in one.tickers if ticker not in tickers]
                self._ok(number, {"market_tickers": one.tickers}, one.sid)
                if not one.tickers:
                    del self._subscriptions[one.sid]
            case "get_snapshot":
                self._ok(number, {"market_tickers": one.tickers}, one.sid)
                self._snapshots(one, tickers or one.tickers)
            case other:
                raise CommandError(_UNKNOWN_ACTION, f"Unknown action {other!r}")

    def _subscription(self, sid: object) -> Subscription:
        if not isinstance(sid, int) or sid not in self._subscriptions:
            raise CommandError(_NO_SUCH_SID, f"Unknown subscription {sid!r}")
        return self._subscriptions[sid]

    def _tickers(self, params: dict[str, object]) -> list[str]:
        single = params.get("market_ticker")
        given = params.get("market_tickers") or ([single] if single else [])
        if not isinstance(given, list):
            raise ValueError("market_tickers is a list")
        for ticker in given:
            if ticker not in self._exchange.pairs:
                raise CommandError(_BAD_MARKET, f"Market not found: {ticker}")
        return list(dict.fromkeys(given))

    def _snapshots(self, one: Subscription, tickers: list[str]) -> None:
        if one.channel != "orderbook_delta":
            return
        for ticker in tickers:
            message = snapshot_json(self._exchange, self._exchange.pairs[ticker], one)
            self.send(one, "orderbook_snapshot", message)

    def _ok(self, number: object, message: dict[str, object], sid: int | None = None) -> None:
        frame: dict[str, object] = {"type": "ok", "id": number, "msg": message}
        if sid is not None:
            frame["sid"] = sid
        self.outbox.put_nowait(frame)

    def _error(self, number: object, code: int, text: str, sid: int | None = None) -> None:
        frame: dict[str, object] = {"type": "error", "msg": {"code": code, "msg": text}}
        if number is not None:
            frame["id"] = number
        if sid is not None:
            frame["sid"] = sid
        self.outbox.put_nowait(frame)


def snapshot_json(exchange: Exchange, pair: Pair, one: Subscription) -> dict[str, object]:
    """The whole book, best level last; the key of an empty side is absent."""
    book = exchange.world.book("kalshi", pair.id)
    message: dict[str, object] = {
        "market_ticker": pair.kalshi.ticker,
        "market_id": pair.kalshi.market_id,
    }
    bids = [[dollars(price), count(size)] for price, size in reversed(book.levels("bid"))]
    asks = [[_no_price(price, one), count(size)] for price, size in reversed(book.levels("ask"))]
    if bids:
        message["yes_dollars_fp"] = bids
    if asks:
        message["no_dollars_fp"] = asks
    return message


def delta_json(
    pair: Pair, change: LevelChange, now_ns: int, one: Subscription
) -> dict[str, object]:
    """One level's signed change; names the own order behind it, if one is."""
    yes = change.side == "bid"
    message: dict[str, object] = {
        "market_ticker": pair.kalshi.ticker,
        "market_id": pair.kalshi.market_id,
        "price_dollars": dollars(change.price) if yes else _no_price(change.price, one),
        "delta_fp": count(change.delta),
        "side": "yes" if yes else "no",
        "ts": iso_time(now_ns),
        "ts_ms": now_ns // 1_000_000,
    }
    if change.cause is not None:
        message["client_order_id"] = change.cause
    return message


def ticker_json(exchange: Exchange, pair: Pair, now_ns: int) -> dict[str, object]:
    """The best quotes of a market."""
    book = exchange.world.book("kalshi", pair.id)
    bid, bid_size = (book.levels("bid") or [(0, 0)])[0]
    ask, ask_size = (book.levels("ask") or [(0, 0)])[0]
    fills = exchange.fills_of.get(pair.kalshi.ticker, [])
    return {
        "market_ticker": pair.kalshi.ticker,
        "market_id": pair.kalshi.market_id,
        "price_dollars": dollars(fills[-1].price if fills else 0),
        "yes_bid_dollars": dollars(bid),
        "yes_ask_dollars": dollars(ask),
        "yes_bid_size_fp": count(bid_size),
        "yes_ask_size_fp": count(ask_size),
        "volume_fp": count(sum(fill.size for fill in fills)),
        "ts_ms": now_ns // 1_000_000,
    }


def _no_price(yes_price: int, one: Subscription) -> str:
    """The price of an ask's level: in YES terms when asked for, else that of the NO bid."""
    return dollars(yes_price if one.use_yes_price else ONE - yes_price)
