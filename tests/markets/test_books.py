"""Live books: the newest is never lost, age is honest, trouble is seen and retried."""

import asyncio
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.venue import Outcome, Venue
from markets.books import Books, Changes
from markets.feed import FeedLimits, FeedState
from markets.pairs import ListedPair, Pairs
from tests.domain.build import PAIR, a_pair
from tests.markets.conftest import running, until
from tests.markets.venue import LocalVenue
from venues.port import VenueMisuse, VenueUnreachable

PM, KX = Venue.POLYMARKET, Venue.KALSHI
PATIENT = FeedLimits(quiet_ms=60_000, retry_ms=1, retry_ms_max=4)


@pytest.fixture
async def listed(venues: dict[Venue, LocalVenue]) -> ListedPair:
    pairs = Pairs((PAIR,), venues)
    await pairs.load()
    return pairs.listed["p1"]


async def test_every_streamed_book_replaces_the_one_before_and_names_its_pair(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    books = Books(venues, PATIENT)
    books.watch([listed])
    assert await books.changes.take() == "p1", "a new pair is looked at once"
    rule = listed.directions[0].kalshi
    async with running(books.run):
        await venues[KX].streamed.wait()
        assert books.latest(rule) is None
        for cent in (40, 41, 42):
            told = venues[KX].quote(rule, [(f"0.{cent}", 5)])
            assert await books.changes.take() == "p1"
            assert books.latest(rule) == told
    assert len(books.changes) == 0


async def test_both_outcomes_of_a_market_have_books_of_their_own(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    books = Books(venues, PATIENT)
    books.watch([listed])
    no, yes = listed.directions[0].kalshi, listed.directions[1].kalshi
    async with running(books.run):
        await venues[KX].streamed.wait()
        first, second = venues[KX].quote(no, [("0.50", 1)]), venues[KX].quote(yes, [("0.52", 1)])
        await until(lambda: books.latest(yes) is not None)
    assert (books.latest(no), books.latest(yes)) == (first, second)
    assert (no.outcome, yes.outcome) == (Outcome.NO, Outcome.YES)


@given(st.lists(st.sampled_from("abcd"), max_size=30))
def test_changes_are_bounded_by_their_names_and_taken_in_order_of_the_first(
    names: list[str],
) -> None:
    async def drain() -> list[str]:
        changes = Changes()
        for name in names:
            changes.put(name)
        return [await changes.take() for _ in range(len(changes))]

    assert asyncio.run(drain()) == list(dict.fromkeys(names))


async def test_a_reader_that_waits_gets_a_name_put_later_and_a_burst_only_once() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.take())
    await asyncio.sleep(0)
    for _ in range(1_000):
        changes.put("p1")
    assert await waiting == "p1"
    assert len(changes) == 0


@pytest.mark.parametrize(
    "problem", [VenueUnreachable("reset"), VenueMisuse("not JSON"), ConnectionResetError(), None]
)
async def test_a_stream_that_breaks_is_shown_with_its_reason_and_opened_again(
    venues: dict[Venue, LocalVenue], listed: ListedPair, problem: Exception | None
) -> None:
    books = Books(venues, PATIENT)
    books.watch([listed])
    rule = listed.directions[0].polymarket
    async with running(books.run):
        await venues[PM].streamed.wait()
        venues[PM].quote(rule, [("0.40", 5)])
        await until(lambda: books.latest(rule) is not None)
        assert books.health()[PM].state is FeedState.LIVE
        venues[PM].stream_refusal = VenueUnreachable("maintenance")
        venues[PM].break_streams(problem)
        await until(lambda: venues[PM].streams_opened >= 3)
        shown = books.health()[PM]
        assert (shown.state, shown.reason) == (FeedState.DELAYED, "stream: maintenance")
        assert shown.problems >= 2
        venues[PM].stream_refusal = None
        await until(lambda: books.health()[PM].state is FeedState.LIVE)
        now = books.health()[PM]
        assert (now.reason, now.problems >= shown.problems) == ("", True)


async def test_a_feed_is_down_before_it_has_told_anything_and_says_why(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    venues[KX].stream_refusal = VenueUnreachable("401")
    books = Books(venues, PATIENT)
    assert books.health() == {}
    books.watch([listed])
    async with running(books.run):
        await until(lambda: venues[KX].streams_opened >= 2)
        health = books.health()
    assert (health[PM].state, health[PM].reason) == (FeedState.DOWN, "no book yet")
    assert (health[KX].state, health[KX].reason) == (FeedState.DOWN, "stream: 401")
    assert health[KX].age_ms is None


async def test_silence_ages_a_feed_from_live_over_delayed_to_stale_and_down(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    now = [time.monotonic_ns()]
    books = Books(venues, PATIENT, clock=lambda: now[0])
    books.watch([listed])
    rule = listed.directions[0].polymarket
    async with running(books.run):
        await venues[PM].streamed.wait()
        venues[PM].quote(rule, [("0.40", 5)])
        await until(lambda: books.latest(rule) is not None)
        states = []
        for seconds in (0, 2, 1, 7, 1):
            now[0] += seconds * 10**9
            states.append(books.health()[PM].state)
        assert states == ["live", "live", "delayed", "delayed", "stale"]
        venues[PM].stream_refusal = VenueUnreachable("gone")
        venues[PM].break_streams(None)
        await until(lambda: books.health()[PM].state is FeedState.DOWN)


async def test_rest_is_asked_where_the_stream_tells_nothing_for_a_while(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    books = Books(venues, FeedLimits(quiet_ms=5))
    books.watch([listed])
    rule = listed.directions[1].kalshi
    async with running(books.run):
        await venues[KX].streamed.wait()
        told = venues[KX].rest(rule, [("0.44", 7)])
        await until(lambda: books.latest(rule) is not None)
    found = books.latest(rule)
    assert found is not None
    assert found.asks == told.asks
    assert found.received_ns > told.received_ns


async def test_a_quiet_venue_is_asked_for_a_part_in_turns_and_for_all_where_its_stream_breaks(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    books = Books(venues, FeedLimits(quiet_ms=20, quiet_reads=1, retry_ms=60_000))
    books.watch([listed])
    rules = [way.kalshi for way in listed.directions]
    async with running(books.run):
        await venues[KX].streamed.wait()
        for rule in rules:
            venues[KX].quote(rule, [("0.40", 5)])
        await until(lambda: all(books.latest(rule) is not None for rule in rules))
        venues[KX].reads.clear()
        await until(lambda: len(venues[KX].reads) >= 4)
        asked = venues[KX].reads[:4]
        assert asked[:2] == asked[2:]
        assert len(set(asked)) == 2
        venues[KX].break_streams(None)
        await until(lambda: "ended" in books.health()[KX].reason)
        before = len(venues[KX].reads)
        await until(lambda: len(venues[KX].reads) >= before + 3)
        assert len(set(venues[KX].reads[before : before + 3])) == 2


async def test_a_venue_that_cannot_be_reached_is_asked_for_one_book_and_not_for_all(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    venues[KX].unreachable = True
    books = Books(venues, FeedLimits(quiet_ms=50))
    books.watch([listed])
    async with running(books.run):
        await until(lambda: bool(venues[KX].reads))
        await until(lambda: "does not answer" in books.health()[KX].reason)
        assert len(venues[KX].reads) == 1


async def test_a_rest_answer_is_dropped_where_the_stream_spoke_after_it_was_asked_for(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    books = Books(venues, PATIENT)
    books.watch([listed])
    rule = listed.directions[0].kalshi
    async with running(books.run):
        await venues[KX].streamed.wait()
        venues[KX].quote(rule, [("0.40", 5)])
        await until(lambda: books.latest(rule) is not None)
        books.ask(rule)
        newest = venues[KX].quote(rule, [("0.41", 5)])
        await until(lambda: venues[KX].reads == [rule.token])
        await until(lambda: books.latest(rule) == newest)


async def test_a_book_is_asked_for_out_of_turn_once_per_pause_and_who_came_early_is_answered_then(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    books = Books(venues, replace(PATIENT, ask_pause_ms=300))
    books.watch([listed])
    rule = listed.directions[0].kalshi
    async with running(books.run):
        await venues[KX].streamed.wait()
        venues[KX].rest(rule, [("0.40", 5)])
        began = time.monotonic()
        for _ in range(10):
            books.ask(rule)
        await until(lambda: books.latest(rule) is not None)
        assert venues[KX].reads == [rule.token]
        await until(lambda: len(venues[KX].reads) == 2)
        assert time.monotonic() - began >= 0.25
        await asyncio.sleep(0.5)
        assert len(venues[KX].reads) == 2


async def test_watching_another_pair_leaves_unchanged_feeds_alone_and_forgets_old_books(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    other = a_pair("p2", "Knicks beat Heat", "0xsecond", PAIR.ticker)
    pairs = Pairs((other,), venues)
    await pairs.load()
    books = Books(venues, PATIENT)
    books.watch([listed])
    old = listed.directions[0].polymarket
    async with running(books.run):
        await until(lambda: all(venue.streams_opened == 1 for venue in venues.values()))
        venues[PM].quote(old, [("0.40", 5)])
        await until(lambda: books.latest(old) is not None)
        books.watch(pairs.listed.values())
        await until(lambda: venues[PM].streams_opened == 2)
        assert books.latest(old) is None
        assert venues[KX].streams_opened == 1
        books.watch([])
        await until(lambda: books.health() == {})


async def test_a_bug_of_ours_ends_the_feed_loudly(
    venues: dict[Venue, LocalVenue], listed: ListedPair
) -> None:
    venues[PM].stream_refusal = ZeroDivisionError("our bug")
    books = Books(venues, PATIENT)
    books.watch([listed])
    with pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(books.run(), 5)
    assert raised.group_contains(ZeroDivisionError, match="our bug")
