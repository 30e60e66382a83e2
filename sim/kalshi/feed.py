"""The WebSocket: signed handshake, subscriptions with their own sequence, snapshots and deltas."""

import asyncio
import json
from collections.abc import Callable
from typing import Final

from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from sim.book import LevelChange
from sim.kalshi.auth import authenticate
from sim.kalshi.errors import WireError
from sim.kalshi.exchange import Exchange
from sim.kalshi.matching import match_resting
from sim.kalshi.subscriptions import Session, delta_json, ticker_json
from sim.listings import Pair

PATH: Final = "/trade-api/ws/v2"


class Feed:
    """All sessions of one exchange; book changes and private messages fan out from here."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._sessions: set[Session] = set()
        exchange.listeners.append(self._publish)
        for pair in exchange.pairs.values():
            exchange.world.book("kalshi", pair.id).listen(self._listener(pair))

    def route(self) -> WebSocketRoute:
        """Where clients connect."""
        return WebSocketRoute(PATH, self._serve)

    def drop_all(self) -> None:
        """Cut every connection without a close frame."""
        for session in list(self._sessions):
            session.abort()

    async def _serve(self, socket: WebSocket) -> None:
        exchange = self._exchange
        if exchange.knobs.ws_refuse > 0:
            exchange.set_knobs({"ws_refuse": exchange.knobs.ws_refuse - 1})
            body: dict[str, object] = {"error": {"code": "bad_gateway", "message": "bad gateway"}}
            await socket.send_denial_response(JSONResponse(body, status_code=502))
            return
        try:
            authenticate(
                exchange.keys_by_id,
                socket.headers,
                "GET",
                PATH,
                exchange.clock_ns() // 1_000_000,
                exchange.knobs.auth_window_ms,
            )
        except WireError as error:
            await socket.send_denial_response(JSONResponse(error.body, status_code=error.status))
            return
        await socket.accept()
        session = Session(exchange, socket.scope["sim.transport"])
        self._sessions.add(session)
        writer = asyncio.create_task(self._write(socket, session))
        try:
            while True:
                session.handle(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            self._sessions.discard(session)
            writer.cancel()

    async def _write(self, socket: WebSocket, session: Session) -> None:
        try:
            while socket.application_state is WebSocketState.CONNECTED:
                message = await session.outbox.get()
                await self._exchange.audible.wait()
                await socket.send_text(json.dumps(message, separators=(",", ":")))
        except WebSocketDisconnect:
            session.abort()

    def _listener(self, pair: Pair) -> Callable[[LevelChange], None]:
        def changed(change: LevelChange) -> None:
            self._book_changed(pair, change)

        return changed

    def _book_changed(self, pair: Pair, change: LevelChange) -> None:
        exchange, ticker = self._exchange, pair.kalshi.ticker
        if exchange.resting.get(pair.id) and change.delta > 0 and change.cause is None:
            asyncio.get_running_loop().call_soon(match_resting, exchange, pair)
        now = exchange.world.clock()
        for session in self._sessions:
            for subscription in session.following("orderbook_delta", ticker):
                session.send_book(subscription, delta_json(pair, change, now, subscription))
            for subscription in session.following("ticker", ticker):
                session.send(subscription, "ticker", ticker_json(exchange, pair, now))

    def _publish(self, channel: str, ticker: str, kind: str, message: dict[str, object]) -> None:
        for session in self._sessions:
            for subscription in session.following(channel, ticker):
                session.send(subscription, kind, message)
