"""What the account's own stream told of our orders: it is ahead of the REST reads.

The channels carry no sequence numbers, so silence proves nothing: only what was said counts.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from domain.money import ZERO, Size
from domain.order import Answer, Order, Unknown
from venues.kalshi.account import KalshiAccount
from venues.kalshi.shapes import FillRow, OrderSeen, StreamError
from venues.kalshi.signing import Signer
from venues.kalshi.socket import DOWN, Socket, StreamDown, dial
from venues.kalshi.verdicts import verdict

log = logging.getLogger(__name__)
ORDERS_KEPT = 1000


@dataclass(slots=True)
class _Told:
    """Everything said about one client_order_id."""

    order: OrderSeen | None = None
    rows: dict[str, FillRow] = field(default_factory=dict)
    at_ms: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def notice(self) -> None:
        """Something was said now."""
        self.at_ms = time.time_ns() // 1_000_000
        self.changed.set()

    @property
    def filled(self) -> Decimal:
        """Contracts of all announced fills."""
        return sum((row.size for row in self.rows.values()), start=ZERO)


class OwnOrders:
    """The latest messages about our orders, by client_order_id; the oldest are forgotten."""

    def __init__(self, account: KalshiAccount, signer: Signer) -> None:
        self._account, self._signer = account, signer
        self._told: OrderedDict[str, _Told] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen from now on; again is harmless."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="kalshi-own-orders")

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def rows(self, client_order_id: str) -> tuple[FillRow, ...]:
        """The fills that were announced."""
        told = self._told.get(client_order_id)
        return tuple(told.rows.values()) if told else ()

    def last(self, client_order_id: str) -> tuple[int, bool]:
        """When something was last said of an order (wall-clock ms, 0 for never), and whether it
        was said to have filled at all."""
        told = self._told.get(client_order_id)
        if told is None:
            return 0, False
        return told.at_ms, bool(told.rows) or (told.order is not None and told.order.filled > ZERO)

    def answer(self, order: Order, client_order_id: str) -> Answer | None:
        """What the messages prove about an order; Unknown where they only show that it arrived,
        None where there are none."""
        told = self._told.get(client_order_id)
        if told is None or (told.order is None and not told.rows):
            return None
        rows = tuple(told.rows.values())
        if told.order is not None and told.order.ended:
            return verdict(order, told.order.order_id, told.order.filled, rows)
        if told.filled == order.size:
            return verdict(order, rows[0].order_id, order.size, rows)
        return Unknown("the account's stream shows the order, and not yet its end")

    async def until_filled(self, client_order_id: str, size: Size, patience: timedelta) -> None:
        """Return when fills of `size` contracts were announced, or after `patience`."""
        told = self._entry(client_order_id)
        try:
            async with asyncio.timeout(patience.total_seconds()):
                while told.filled < size:
                    told.changed.clear()
                    await told.changed.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        while True:
            try:
                async with dial(self._account, self._signer) as socket:
                    await socket.command("subscribe", {"channels": ["fill", "user_orders"]})
                    await self._hear(socket)
            except DOWN as problem:
                log.warning("kalshi own orders: %s: %s", type(problem).__name__, problem)
            await asyncio.sleep(self._account.timeouts.redial.total_seconds())

    async def _hear(self, socket: Socket) -> None:
        while True:
            message = (await socket.frame()).message
            match message:
                case StreamError(code, text):
                    raise StreamDown(f"error {code}: {text}")
                case FillRow(client_order_id=str() as key) if key:
                    told = self._entry(key)
                    told.rows[message.trade_id] = message
                    told.notice()
                case OrderSeen(client_order_id=key) if key:
                    told = self._entry(key)
                    if told.order is None or not told.order.ended:
                        told.order = message
                    told.notice()
                case _:
                    pass

    def _entry(self, client_order_id: str) -> _Told:
        told = self._told.setdefault(client_order_id, _Told())
        self._told.move_to_end(client_order_id)
        while len(self._told) > ORDERS_KEPT:
            self._told.popitem(last=False)
        return told
