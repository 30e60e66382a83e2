"""The seeded maker: losing quotes, true edges, the same numbers from the same seed."""

from fractions import Fraction

import pytest

from sim.listings import Pair
from sim.makers import Makers, MakerSettings
from sim.quotes import Cheap, QuoteSettings
from sim.units import ONE
from sim.world import World

NOW_NS = 1_795_000_000_000_000_000


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now_ns = NOW_NS

    def __call__(self) -> int:
        return self.now_ns


def edge(world: World, pair: Pair) -> Fraction | None:
    """Dollars per contract that the better of both crossings leaves after fees, exactly."""
    there, here = world.book("polymarket", pair.id), world.book("kalshi", pair.id)
    multiplier = pair.kalshi.fee_multiplier_override or pair.kalshi.fee_multiplier
    rates = Fraction(pair.polymarket.fee_rate), Fraction(7, 100) * Fraction(multiplier)

    def left(polymarket: int, kalshi: int) -> Fraction:
        prices = Fraction(polymarket, ONE), Fraction(kalshi, ONE)
        fees = [r * p * (1 - p) for r, p in zip(rates, prices, strict=True)]
        return Fraction(1) - sum(prices, Fraction()) - sum(fees, Fraction())

    found = []
    if (ask := there.best("ask")) and (bid := here.best("bid")):
        found.append(left(ask, ONE - bid))
    if (bid := there.best("bid")) and (ask := here.best("ask")):
        found.append(left(ONE - bid, ask))
    return max(found, default=None)


def quiet(**changes: int) -> MakerSettings:
    return MakerSettings(quotes=QuoteSettings(**({"edges_per_minute": 0} | changes)))


def test_without_edges_every_crossing_loses_however_long_it_drifts() -> None:
    world = World(seed=7, clock=Clock())
    makers = Makers(world, quiet())
    makers.prime()
    for _ in range(200):
        makers.round()
        assert all((edge(world, pair) or -1) < 0 for pair in world.pairs.values())


@pytest.mark.parametrize("cheap", ["yes", "no"])
@pytest.mark.parametrize("cents", [1, 3, 8])
def test_an_opened_edge_is_at_least_what_was_asked_and_at_most_a_cent_and_fees_more(
    cheap: Cheap, cents: int
) -> None:
    world = World(seed=7, clock=Clock())
    makers = Makers(world, quiet(edge_depth=25 * ONE))
    makers.prime()
    for pair in world.pairs.values():
        assert makers.quoter.open_edge(pair, cheap, cents * ONE // 100)
        found = edge(world, pair)
        assert found is not None
        assert Fraction(cents, 100) <= found < Fraction(cents + 2, 100)
        book = world.book("polymarket", pair.id)
        assert book.levels("ask" if cheap == "yes" else "bid")[0][1] == 25 * ONE


def test_an_edge_that_was_taken_is_not_refilled_and_ends_on_time() -> None:
    clock = Clock()
    world = World(seed=7, pairs=3, clock=clock)
    makers = Makers(world, quiet(edge_ms=4_000, edge_depth=25 * ONE))
    makers.prime()
    pair = world.pairs["p01"]
    assert makers.quoter.open_edge(pair, "yes", 30_000)
    book = world.book("polymarket", "p01")
    best = book.best("ask")
    assert best is not None
    book.take("buy", best, 25 * ONE)
    for _ in range(20):
        makers.round()
    assert book.best("ask") == best + 10_000
    clock.now_ns += 4_000_000_000
    makers.round()
    assert (edge(world, pair) or -1) < 0


def test_edges_open_about_as_often_as_asked() -> None:
    clock = Clock()
    world = World(seed=7, clock=clock)
    makers = Makers(world, MakerSettings(quotes=QuoteSettings(edges_per_minute=40)))
    makers.prime()
    opened = 0
    for _ in range(4 * 60 * 10):
        clock.now_ns += 250_000_000
        before = {pair.id for pair in world.pairs.values() if makers.quoter.has_edge(pair)}
        makers.round()
        after = {pair.id for pair in world.pairs.values() if makers.quoter.has_edge(pair)}
        opened += len(after - before)
    assert 300 <= opened <= 500, "ten minutes at forty a minute"


def test_the_same_seed_quotes_the_same() -> None:
    def books(seed: int) -> list[list[tuple[int, int]]]:
        clock = Clock()
        world = World(seed=seed, pairs=5, clock=clock)
        makers = Makers(world, MakerSettings())
        makers.prime()
        for _ in range(50):
            clock.now_ns += 250_000_000
            makers.round()
        return [book.levels("ask") for book in world.books.values()]

    assert books(7) == books(7) != books(8)


def test_a_resolved_pair_is_left_alone() -> None:
    world = World(seed=7, pairs=2, clock=Clock())
    makers = Makers(world, MakerSettings(quotes=QuoteSettings(edges_per_minute=100_000)))
    makers.prime()
    world.outcomes["kalshi", "p01"] = "yes"
    world.book("polymarket", "p01").replace({}, {})
    for _ in range(50):
        makers.round()
    assert world.book("polymarket", "p01").levels("ask") == []
