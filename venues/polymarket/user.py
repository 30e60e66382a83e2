"""What the user WebSocket has told about our orders. It replays nothing: REST stays the judge."""

import asyncio
import json
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from venues.polymarket import parse
from venues.polymarket.account import ApiKey, Timeouts
from venues.polymarket.feed import FRAME_LIMIT, PING, PONG, Silent, frames
from venues.polymarket.shapes import OrderSeen, Trade, UserEvent
from venues.strict_json import Malformed

ORDERS_KEPT = 2_000
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Heard:
    """What the stream said of one order: the last order event, the last event per trade, and when
    it last said anything (wall-clock ms)."""

    order: OrderSeen | None = None
    trades: dict[str, Trade] = field(default_factory=dict)
    at_ms: int = 0

    @property
    def matched(self) -> bool:
        """Whether it named anything that was matched."""
        return bool(self.trades) or (self.order is not None and self.order.matched)


class UserStream:
    """A background connection and a bounded memory of what it said."""

    def __init__(self, url: str, timeouts: Timeouts) -> None:
        self._url = url
        self._timeouts = timeouts
        self._heard: OrderedDict[str, Heard] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._live_since_ms: int | None = None

    def start(self, key: ApiKey) -> None:
        """Connect in the background; harmless when already running."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(key))

    def heard(self, order_id: str) -> Heard:
        """What is remembered of an order; empty where nothing is."""
        return self._heard.get(order_id, Heard())

    def listening_since(self, at_ms: int) -> bool:
        """Whether the stream has been connected without a break since `at_ms` (wall clock)."""
        return self._live_since_ms is not None and self._live_since_ms <= at_ms

    async def close(self) -> None:
        """Disconnect."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _run(self, key: ApiKey) -> None:
        while True:
            try:
                await self._listen(key)
            except (OSError, TimeoutError, WebSocketException, Silent, Malformed) as problem:
                log.warning("polymarket user stream: %s: %s", type(problem).__name__, problem)
            finally:
                self._live_since_ms = None
            await asyncio.sleep(self._timeouts.reconnect.total_seconds())

    async def _listen(self, key: ApiKey) -> None:
        """One connection. Quiet is normal here, so only a missing PONG ends it."""
        auth = {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}
        async with connect(
            self._url,
            ping_interval=None,
            open_timeout=self._timeouts.connect.total_seconds(),
            close_timeout=1,
            max_size=FRAME_LIMIT,
        ) as socket:
            await socket.send(json.dumps({"auth": auth, "type": "user"}))
            await socket.send(PING)
            ping = self._timeouts.ping
            async for text in frames(socket, ping, 3 * ping, pong_counts=True):
                if text == PONG:
                    # the first PONG proves that the credentials were taken
                    self._live_since_ms = self._live_since_ms or time.time_ns() // 1_000_000
                else:
                    for event in parse.user_events(text):
                        self._remember(event)

    def _remember(self, event: UserEvent) -> None:
        order_id = event.taker_order_id if isinstance(event, Trade) else event.order_id
        heard = self._heard.setdefault(order_id, Heard())
        self._heard.move_to_end(order_id)
        heard.at_ms = time.time_ns() // 1_000_000
        if isinstance(event, Trade):
            known = heard.trades.get(event.trade_id)
            # events may come late or twice; a final state is not taken back by an older one
            if known is None or event.state.final or not known.state.final:
                heard.trades[event.trade_id] = event
        else:
            heard.order = event
        while len(self._heard) > ORDERS_KEPT:
            self._heard.popitem(last=False)
