"""A market maker on both venues: drifting fair values, losing spreads, now and then an edge."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sim.listings import Pair
from sim.quotes import CENT, Quoter, QuoteSettings
from sim.units import ONE
from sim.world import World

FAIR_LOW: Final = 25 * CENT
FAIR_HIGH: Final = 75 * CENT


@dataclass(frozen=True, slots=True)
class MakerSettings:
    """`interval_ms` between rounds; `pairs_per_round` fair values move by a cent at most."""

    interval_ms: int = 250
    pairs_per_round: int = 4
    quotes: QuoteSettings = field(default_factory=QuoteSettings)


class Makers:
    """Quotes every open pair from the world's own random numbers."""

    def __init__(self, world: World, settings: MakerSettings) -> None:
        self.quoter = Quoter(world, settings.quotes)
        self._world = world
        self._settings = settings
        self._fair: dict[str, int] = {}

    def prime(self) -> None:
        """First quotes for every pair."""
        for pair in self.quoter.open_pairs():
            self._fair[pair.id] = (
                self._world.rng.randint(FAIR_LOW // CENT, FAIR_HIGH // CENT) * CENT
            )
            self._quote(pair)

    def round(self) -> None:
        """Move some fair values, refresh what they quote, maybe open an edge."""
        pairs = [pair for pair in self.quoter.open_pairs() if not self.quoter.has_edge(pair)]
        moved = min(len(pairs), self._settings.pairs_per_round)
        for pair in self._world.rng.sample(pairs, moved):
            fair = self._fair[pair.id] + self._world.rng.randint(-1, 1) * CENT
            self._fair[pair.id] = min(max(fair, FAIR_LOW), FAIR_HIGH)
            self._quote(pair)
        self.quoter.maybe_open(self._settings.interval_ms)

    def _quote(self, pair: Pair) -> None:
        fair, quotes = self._fair[pair.id], self._settings.quotes
        book = self._world.book("kalshi", pair.id)
        book.replace(
            {fair - quotes.half_spread - CENT * n: self._size() for n in range(quotes.levels)},
            {fair + quotes.half_spread + CENT * n: self._size() for n in range(quotes.levels)},
        )
        self.quoter.follow(pair)

    def _size(self) -> int:
        contracts = max(1, self._settings.quotes.depth // ONE)
        return self._world.rng.randint(max(1, contracts // 2), contracts) * ONE


async def run(
    world: World,
    settings: MakerSettings | None = None,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Quote until cancelled; `started` is called when every pair has its first quotes."""
    chosen = settings or MakerSettings()
    makers = Makers(world, chosen)
    makers.prime()
    started()
    while True:
        await asyncio.sleep(chosen.interval_ms / 1000)
        makers.round()
