"""One order book per binary market, in YES prices, with integer levels.

`bids` and `asks` hold the liquidity of everybody else; an account's own resting orders lie on top
(`rest`), are shown in `levels`, and are never walked: meeting them is the venue's own rule.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sim.units import ONE, notional_ceil

Side = Literal["bid", "ask"]
Action = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True)
class LevelChange:
    """`delta` micro-contracts at YES `price` on `side`; `cause` is the own order behind it."""

    side: Side
    price: int
    delta: int
    version: int
    cause: str | None


@dataclass(frozen=True, slots=True)
class Spend:
    """A piece of a dollar-bounded walk: `cost` micro-dollars bought `size` at YES `price`."""

    price: int
    size: int
    cost: int


class Book:
    """Levels of one market; prices are micro-dollars of YES, sizes micro-contracts.

    Levels others quote must be whole multiples of `price_step` and `size_step`.
    """

    def __init__(self, price_step: int = 1, size_step: int = 1) -> None:
        self._price_step = price_step
        self._size_step = size_step
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.own: dict[Side, dict[int, int]] = {"bid": {}, "ask": {}}
        self.version = 0
        self._listeners: list[Callable[[LevelChange], None]] = []

    def listen(self, listener: Callable[[LevelChange], None]) -> Callable[[], None]:
        """Call `listener` at every change; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def levels(self, side: Side) -> list[tuple[int, int]]:
        """All (price, size) of a side, own resting orders included, best first."""
        merged = dict(self._theirs(side))
        for price, size in self.own[side].items():
            merged[price] = merged.get(price, 0) + size
        return sorted(merged.items(), reverse=side == "bid")

    def best(self, side: Side) -> int | None:
        """The best price others quote on a side, or None when it is empty."""
        theirs = self._theirs(side)
        if not theirs:
            return None
        return max(theirs) if side == "bid" else min(theirs)

    def set_level(self, side: Side, price: int, size: int) -> None:
        """Make `size` (0 removes) what others quote at `price`."""
        self._check(price, size)
        self._add(side, price, size - self._theirs(side).get(price, 0))

    def replace(self, bids: Mapping[int, int], asks: Mapping[int, int]) -> None:
        """Make these all that others quote; ValueError when bids and asks would cross."""
        if bids and asks and max(bids) >= min(asks):
            raise ValueError(f"crossed book: best bid {max(bids)} is not below {min(asks)} micros")
        wanted: list[tuple[Side, Mapping[int, int]]] = [("bid", bids), ("ask", asks)]
        for price, size in (*bids.items(), *asks.items()):
            self._check(price, size)
        for side, levels in wanted:
            for price in [price for price in self._theirs(side) if price not in levels]:
                self.set_level(side, price, 0)
        for side, levels in wanted:
            for price, size in levels.items():
                self.set_level(side, price, size)

    def rest(self, side: Side, price: int, delta: int, cause: str | None) -> None:
        """Add (or with a negative delta take away) an own resting order's size."""
        left = self.own[side].get(price, 0) + delta
        if left < 0:
            raise ValueError(f"own size at {price} would become {left}")
        if left:
            self.own[side][price] = left
        else:
            self.own[side].pop(price, None)
        self._announce(side, price, delta, cause)

    def preview(self, action: Action, limit: int, size: int) -> list[tuple[int, int]]:
        """What `take` would return, without effect."""
        found: list[tuple[int, int]] = []
        for price, available in self._reachable(action, limit):
            if size <= 0:
                break
            part = min(size, available)
            found.append((price, part))
            size -= part
        return found

    def take(
        self, action: Action, limit: int, size: int, cause: str | None = None
    ) -> list[tuple[int, int]]:
        """Trade up to `size` at YES `limit` or better; returns (price, size), best first."""
        found = self.preview(action, limit, size)
        for price, part in found:
            self._add("ask" if action == "buy" else "bid", price, -part, cause)
        return found

    def preview_dollars(self, action: Action, limit: int, dollars: int) -> list[Spend]:
        """What `take_dollars` would return, without effect."""
        found: list[Spend] = []
        for price, available in self._reachable(action, limit):
            if dollars <= 0:
                break
            unit = price if action == "buy" else ONE - price
            cost = notional_ceil(unit, available)
            if cost <= dollars:
                found.append(Spend(price, available, cost))
            else:
                cost = dollars
                found.append(Spend(price, dollars * ONE // unit, dollars))
            dollars -= cost
        return found

    def take_dollars(
        self, action: Action, limit: int, dollars: int, cause: str | None = None
    ) -> list[Spend]:
        """Spend up to `dollars`: "buy" pays the YES price, "sell" pays 1 - price (buys NO).

        Sizes are rounded down and costs up, so that the costs sum to `dollars` exactly when the
        book is deep enough.
        """
        found = self.preview_dollars(action, limit, dollars)
        for part in found:
            self._add("ask" if action == "buy" else "bid", part.price, -part.size, cause)
        return found

    def _check(self, price: int, size: int) -> None:
        if not 0 < price < ONE or price % self._price_step:
            raise ValueError(
                f"expected a price between 0 and 1 dollar in steps of {self._price_step} micros, "
                f"found {price}"
            )
        if size < 0 or size % self._size_step:
            raise ValueError(
                f"expected a size of at least 0 in steps of {self._size_step} micros, found {size}"
            )

    def _theirs(self, side: Side) -> dict[int, int]:
        return self.bids if side == "bid" else self.asks

    def _reachable(self, action: Action, limit: int) -> Iterable[tuple[int, int]]:
        if action == "buy":
            return [level for level in sorted(self.asks.items()) if level[0] <= limit]
        return [level for level in sorted(self.bids.items(), reverse=True) if level[0] >= limit]

    def _add(self, side: Side, price: int, delta: int, cause: str | None = None) -> None:
        if not delta:
            return
        theirs = self._theirs(side)
        left = theirs.get(price, 0) + delta
        if left < 0:
            raise ValueError(f"size at {price} would become {left}")
        if left:
            theirs[price] = left
        else:
            del theirs[price]
        self._announce(side, price, delta, cause)

    def _announce(self, side: Side, price: int, delta: int, cause: str | None) -> None:
        self.version += 1
        change = LevelChange(side, price, delta, self.version, cause)
        for listener in list(self._listeners):
            listener(change)
