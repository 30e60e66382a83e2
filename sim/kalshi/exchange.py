"""The state of the simulated Kalshi: accounts per shard, orders, fills, what reads may show."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from sim.kalshi.auth import ApiKey, member_keys
from sim.kalshi.errors import WireError, nested
from sim.kalshi.knobs import Knobs
from sim.kalshi.limits import Limits
from sim.kalshi.model import Fill, Order, Settlement
from sim.ledger import Account
from sim.listings import Pair
from sim.units import ONE
from sim.world import World

SHARDS: Final = (0, 1, 2, 3)
START_CASH: Final = 2_500 * ONE
"""Micro-dollars on each shard at the start."""

Listener = Callable[[str, str, str, dict[str, object]], None]
"""Gets channel, ticker, message type and message."""


class Exchange:
    """The one simulated member: `records` are orders that reached matching, `refused` the rest.

    `holds` are (start, until) times in ns within which reads show nothing from `start` on;
    `audible` is cleared while the WebSocket is made to fall silent.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.knobs = Knobs()
        self.mode = "open"
        self.limits = Limits()
        self.keys: dict[str, ApiKey] = member_keys(world.seed)
        self.keys_by_id = {key.key_id: key for key in self.keys.values()}
        self.accounts = {shard: Account(START_CASH, world.clock) for shard in SHARDS}
        self.pairs = {pair.kalshi.ticker: pair for pair in world.pairs.values()}
        self.records: list[Order] = []
        self.refused: list[Order] = []
        self.orders: dict[str, Order] = {}
        self.client_ids: set[str] = set()
        self.fills: list[Fill] = []
        self.fills_of: dict[str, list[Fill]] = defaultdict(list)
        self.settlements: list[Settlement] = []
        self.resting: dict[str, list[Order]] = defaultdict(list)
        self.duplicates = 0
        self.holds: list[tuple[int, int]] = []
        self.listeners: list[Listener] = []
        self.audible = asyncio.Event()
        self.audible.set()
        self._ids = Random(world.seed + 2)
        self.user_id = self.new_id()

    def new_id(self) -> str:
        """The next id of an order or trade: a UUID that follows from the seed."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def publish(self, channel: str, ticker: str, kind: str, message: dict[str, object]) -> None:
        """Hand a message to the WebSocket sessions."""
        for listener in list(self.listeners):
            listener(channel, ticker, kind, message)

    def account(self, pair: Pair) -> Account:
        """The account of the shard the pair trades on."""
        return self.accounts[pair.kalshi.exchange_index]

    def available(self, shard: int) -> int:
        """Cash of a shard that no resting order has reserved, in micro-dollars."""
        held = sum(
            order.unit_cost * order.remaining // ONE
            for orders in self.resting.values()
            for order in orders
            if order.pair.kalshi.exchange_index == shard
        )
        return self.accounts[shard].cash - held

    def market_result(self, pair: Pair) -> str:
        """yes, no, or "" while the market is open."""
        return self.world.outcomes.get(("kalshi", pair.id), "")

    def market_status(self, pair: Pair) -> str:
        """active, closed (after its time) or finalized (settled)."""
        if self.market_result(pair):
            return "finalized"
        now_s = self.world.clock() // 1_000_000_000
        return "closed" if now_s >= int(pair.kalshi.close.timestamp()) else "active"

    def set_knobs(self, knobs: Mapping[str, object]) -> dict[str, object]:
        """Turn knobs by name and return all; a change of rates fills the buckets."""
        self.knobs = self.knobs.changed(knobs)
        if any(name.startswith(("read_", "write_")) for name in knobs):
            self.limits.reset()
        if self.knobs.ws_silent:
            self.audible.clear()
        else:
            self.audible.set()
        return self.knobs.as_json()

    def clock_ns(self) -> int:
        """What its own clock shows."""
        return self.world.clock() + self.knobs.clock_ahead_ms * 1_000_000

    def view_ns(self) -> int:
        """The moment that reads show: now less the lag, and before any order whose fills hide."""
        now = self.world.clock()
        self.holds = [(start, until) for start, until in self.holds if until > now]
        lagged = now - self.knobs.read_lag_ms * 1_000_000
        return min([lagged, *(start - 1 for start, _ in self.holds)])

    def refusal_by_mode(self, *, post_only: bool) -> WireError | None:
        """Why an order may not be placed now, or None."""
        if self.mode == "open" or (self.mode == "post_only" and post_only):
            return None
        code = "exchange_is_paused" if self.mode == "restarting" else "trading_is_paused"
        return nested(409, code)
