"""The same room on real sockets: both adapters against both simulated exchanges."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.demo.control import Control
from domain.money import price, size, usd
from domain.opportunity import Opportunity
from domain.policy import Bounds, ExecutorSettings, Refusal
from domain.venue import Outcome, Venue
from markets.books import Books
from markets.feed import FeedLimits, FeedState
from markets.pairs import Pairs
from markets.scanner import Scanner
from tests.markets.conftest import running, until
from tests.support.desk import open_desk
from tests.support.processes import Child
from tests.support.trading import sim_config

LIMITS = FeedLimits(quiet_ms=1_500, retry_ms=20, retry_ms_max=100, ask_pause_ms=50)


@dataclass
class Live:
    """The whole room on the simulator, and what it told."""

    control: Control
    pairs: Pairs
    books: Books
    scanner: Scanner
    told: "asyncio.Queue[Opportunity]"
    sim: Child


@pytest.fixture
async def live(sim: Child, tmp_path: Path) -> AsyncIterator[Live]:
    config = await sim_config(sim.ready, tmp_path)
    told: asyncio.Queue[Opportunity] = asyncio.Queue()
    async with Control(sim.ready["urls"]["control"]) as control, open_desk(config) as desk:
        pairs = Pairs(tuple(pair.to_domain() for pair in config.pairs), desk.venues)
        await pairs.load()
        books = Books(desk.venues, LIMITS)
        books.watch(pairs.listed.values())
        scanner = Scanner(
            books,
            lambda: pairs.listed,
            ExecutorSettings,
            lambda _: usd(1_000),
            Bounds(),
            told.put,
        )
        for pair_id in pairs.listed:
            await control.quiet(pair_id)
        async with running(books.run, scanner.run):
            yield Live(control, pairs, books, scanner, told, sim)


async def test_an_edge_quoted_on_both_exchanges_is_told_with_their_own_fees_and_grids(
    live: Live,
) -> None:
    assert live.pairs.unlisted == {}
    pair_id = next(iter(live.pairs.listed))
    ways = live.pairs.listed[pair_id].directions
    await until(lambda: all(live.books.latest(way.kalshi) for way in ways))
    await live.control.edge(pair_id, cents=8)
    found = await asyncio.wait_for(live.told.get(), 5)
    assert found.pair_id == pair_id
    assert found.polymarket.instrument.outcome is Outcome.YES
    assert found.kalshi.instrument.outcome is Outcome.NO
    assert (found.polymarket.limit, found.kalshi.limit) == (price("0.50"), price("0.42"))
    assert found.size == size(10)
    assert found.profit > 0


async def test_a_quiet_stream_is_confirmed_by_rest_before_its_old_book_is_traded_on(
    live: Live,
) -> None:
    pair_id = next(iter(live.pairs.listed))
    await live.control.edge(pair_id, cents=8)
    await asyncio.wait_for(live.told.get(), 5)
    way = live.pairs.listed[pair_id].directions[0]

    def old(age_ms: int) -> bool:
        known = [live.books.latest(rule) for rule in (way.polymarket, way.kalshi)]
        return all(book is not None and live.books.age_ms(book) > age_ms for book in known)

    await until(lambda: old(Bounds().book_age_ms_max))
    live.scanner.rearm(pair_id)
    await asyncio.wait_for(live.told.get(), 5)
    assert live.scanner.refused[Refusal.BOOK_STALE] >= 1
    assert not old(Bounds().book_age_ms_max)


async def test_both_feeds_are_live_and_go_down_with_the_exchanges(live: Live) -> None:
    await until(lambda: {h.state for h in live.books.health().values()} == {FeedState.LIVE})
    assert set(live.books.health()) == set(Venue)
    live.sim.kill()
    await until(
        lambda: all(
            health.state is not FeedState.LIVE and health.reason
            for health in live.books.health().values()
        )
    )
