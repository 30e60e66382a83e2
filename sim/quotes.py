"""Polymarket quotes against a Kalshi book: fair (crossing loses fees), or with an open edge.

An edge is what a dollar-for-dollar pair of contracts leaves after both taker fees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from sim.book import Book
from sim.listings import Pair
from sim.units import ONE, ceil_div, micros
from sim.world import VENUES, World

CENT: Final = ONE // 100
KALSHI_RATE: Final = 70_000
"""Kalshi's quadratic taker rate, 0.07, in millionths."""
Cheap = Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class QuoteSettings:
    """Money in micro-dollars, sizes in micro-contracts, times in milliseconds.

    `edge_min`..`edge_max` per contract after fees, `edge_depth` contracts at the edge price,
    `edge_ms` how long an edge stays, `edges_per_minute` over all pairs.
    """

    half_spread: int = CENT
    levels: int = 4
    depth: int = 200 * ONE
    edge_min: int = 2 * CENT
    edge_max: int = 5 * CENT
    edge_depth: int = 60 * ONE
    edge_ms: int = 4_000
    edges_per_minute: int = 40


def quadratic(rate: int, price: int) -> int:
    """A bound in micro-dollars of the fee on one contract: rate x p x (1 - p), rounded up."""
    return ceil_div(rate * price * (ONE - price), ONE * ONE)


def kalshi_rate(pair: Pair) -> int:
    """The taker rate of a pair's Kalshi market in millionths."""
    listing = pair.kalshi
    multiplier = micros(listing.fee_multiplier_override or listing.fee_multiplier)
    return ceil_div(KALSHI_RATE * multiplier, ONE)


def pair_cost(pair: Pair, polymarket: int, kalshi: int) -> int:
    """Micro-dollars for one contract bought on each venue at these prices, fees included."""
    fees = quadratic(micros(pair.polymarket.fee_rate), polymarket)
    return polymarket + kalshi + fees + quadratic(kalshi_rate(pair), kalshi)


def edge_price(pair: Pair, kalshi: int, edge: int) -> int | None:
    """The highest cent at which buying on Polymarket leaves `edge` against `kalshi`, if any.

    `kalshi` is the price of the opposite outcome there.
    """
    for price in range((ONE - kalshi) // CENT * CENT, 0, -CENT):
        if pair_cost(pair, price, kalshi) <= ONE - edge:
            return price
    return None


class Quoter:
    """Keeps the Polymarket books of a world in step with its Kalshi books."""

    def __init__(self, world: World, settings: QuoteSettings) -> None:
        self._world = world
        self._settings = settings
        self._edges: dict[str, int] = {}

    def open_pairs(self) -> Iterator[Pair]:
        """Pairs that neither venue has resolved."""
        return (pair for pair in self._world.pairs.values() if self.is_open(pair))

    def has_edge(self, pair: Pair) -> bool:
        """Whether an edge of this pair is open now; its quotes are left alone meanwhile."""
        return self._edges.get(pair.id, 0) > self._world.clock()

    def follow(self, pair: Pair) -> None:
        """Quote around the Kalshi spread, never inside it, unless an edge is open."""
        if self.has_edge(pair):
            return
        kalshi = self._world.book("kalshi", pair.id)
        bid, ask = kalshi.best("bid"), kalshi.best("ask")
        if bid is None or ask is None:
            self._book(pair).replace({}, {})
            return
        half = self._settings.half_spread
        lower = bid // CENT * CENT - half + CENT
        upper = max(ceil_div(ask, CENT) * CENT + half - CENT, lower + CENT)
        self._book(pair).replace(self._ladder(lower, -CENT), self._ladder(upper, CENT))

    def close_expired(self) -> None:
        """Quote fairly again where an edge has been open for its time."""
        now = self._world.clock()
        for ident in [ident for ident, until_ns in self._edges.items() if until_ns <= now]:
            del self._edges[ident]
            if self.is_open(self._world.pairs[ident]):
                self.follow(self._world.pairs[ident])

    def maybe_open(self, elapsed_ms: int) -> Pair | None:
        """Close what expired; open on a random pair, as often as the settings ask on average."""
        self.close_expired()
        chance = self._settings.edges_per_minute * elapsed_ms * ONE // 60_000
        if self._rng.randrange(ONE) >= chance:
            return None
        candidates = [pair for pair in self.open_pairs() if not self.has_edge(pair)]
        if not candidates:
            return None
        pair = self._rng.choice(candidates)
        edge = self._rng.randint(self._settings.edge_min, self._settings.edge_max)
        cheap: Cheap = "yes" if self._rng.randrange(2) else "no"
        return pair if self.open_edge(pair, cheap, edge) else None

    def open_edge(self, pair: Pair, cheap: Cheap, edge: int) -> bool:
        """Offer `cheap` on Polymarket with `edge` against the Kalshi book; False if impossible."""
        kalshi = self._world.book("kalshi", pair.id)
        best = kalshi.best("bid" if cheap == "yes" else "ask")
        if best is None:
            return False
        opposite = ONE - best if cheap == "yes" else best
        price = edge_price(pair, opposite, edge)
        if price is None:
            return False
        self._edges[pair.id] = self._world.clock() + self._settings.edge_ms * 1_000_000
        offers = {price: self._settings.edge_depth} | self._ladder(price + CENT, CENT)
        bids = self._ladder(price - 2 * self._settings.half_spread, -CENT)
        if cheap == "yes":
            self._book(pair).replace(bids, offers)
        else:
            self._book(pair).replace(mirrored(offers), mirrored(bids))
        return True

    def is_open(self, pair: Pair) -> bool:
        """Whether neither venue has resolved the pair."""
        return not any((venue, pair.id) in self._world.outcomes for venue in VENUES)

    @property
    def _rng(self) -> Random:
        return self._world.rng

    def _book(self, pair: Pair) -> Book:
        return self._world.book("polymarket", pair.id)

    def _ladder(self, best: int, step: int) -> dict[int, int]:
        """Levels from `best` outwards, whole contracts between half and all of the depth."""
        contracts = self._settings.depth // ONE
        prices = [best + step * n for n in range(self._settings.levels)]
        return {
            price: self._rng.randint(max(1, contracts // 2), max(1, contracts)) * ONE
            for price in prices
            if 0 < price < ONE
        }


def mirrored(levels: dict[int, int]) -> dict[int, int]:
    """NO levels as YES levels, or the other way round."""
    return {ONE - price: size for price, size in levels.items()}
