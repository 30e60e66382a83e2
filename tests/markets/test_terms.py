"""What markets ask is read beside the trading: changes are kept, silence keeps what was known."""

from dataclasses import replace

from domain.pair import Pair
from domain.terms import Terms
from domain.venue import Venue
from markets.terms import TermsReader
from store.errors import JournalBusy
from tests.markets.venue import LocalVenue

PAIR = Pair("p1", "Rain?", "0xaa", "RAIN")
ASKED = Terms(Venue.POLYMARKET, "0xaa", "Rain?", "Yes if it rains.", closes_at_ms=5)
SAME = Terms(Venue.KALSHI, "RAIN", "Rain", "If it rains, Yes.", "Weather", "", 6, 7)


def reader() -> tuple[TermsReader, dict[Venue, LocalVenue], list[Terms]]:
    """A reader of both venues, and everything it was told to keep."""
    venues = {venue: LocalVenue(venue) for venue in Venue}
    venues[Venue.POLYMARKET].words["0xaa"] = ASKED
    venues[Venue.KALSHI].words["RAIN"] = SAME
    kept: list[Terms] = []

    async def keep(found: list[Terms]) -> None:
        kept.extend(found)

    return TermsReader([PAIR], venues, keep), venues, kept


async def test_both_markets_are_kept_once_and_again_when_a_word_changes() -> None:
    terms, venues, kept = reader()
    assert await terms.load()
    assert await terms.load()
    assert kept == [ASKED, SAME]
    changed = replace(SAME, rules="If it snows, Yes.")
    venues[Venue.KALSHI].words["RAIN"] = changed
    assert await terms.load()
    assert kept == [ASKED, SAME, changed]


async def test_a_venue_that_does_not_answer_is_asked_again_and_loses_nothing() -> None:
    terms, venues, kept = reader()
    venues[Venue.KALSHI].unreachable = True
    assert not await terms.load()
    assert kept == [ASKED]
    venues[Venue.KALSHI].unreachable = False
    assert await terms.load()
    assert kept == [ASKED, SAME]


async def test_a_market_that_is_not_listed_has_no_words() -> None:
    terms, venues, kept = reader()
    del venues[Venue.POLYMARKET].words["0xaa"]
    assert await terms.load()
    assert kept == [SAME]


async def test_words_that_could_not_be_kept_are_kept_at_the_next_turn() -> None:
    _, venues, kept = reader()
    busy = [JournalBusy("stayed locked")]

    async def keep(found: list[Terms]) -> None:
        if busy:
            raise busy.pop()
        kept.extend(found)

    terms = TermsReader([PAIR], venues, keep)
    assert not await terms.load()
    assert kept == []
    assert await terms.load()
    assert kept == [ASKED, SAME]
