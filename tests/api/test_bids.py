"""What selling now would bring is said only by books that are fresh."""

from dataclasses import replace

import pytest

from api import rows, sales
from api.bids import OLD_MS, Bids, bids_of
from api.known import Known
from api.naked import naked
from api.wire import iso
from domain.money import price, size
from domain.trade import Phase
from domain.venue import Venue
from store.arbitrages import ArbitrageState
from store.presence import Presence
from store.sightings import Sighting
from tests.api.test_rows import held
from tests.domain.tables import rows as table

NOW_MS = 1_790_000_012_345

# How long ago (ms) the book of one leg was read (-: the executor does not tell) and its look
# written down, what the executor that wrote it reports of that venue's stream (age and trouble; -:
# it reports nothing), and how old the book then is.
AGES = """
    read    written  stream  trouble  age
    40      900      -       -        40
    10000   900      -       -        10000
    10001   900      -       -        old
    -       9000     -       -        9000
    -       10001    -       -        old
    60000   60000    300     -        310
    60000   60000    9990    -        10000
    60000   60000    9991    -        old
    60000   60000    300     broken   old
    40      900      9991    broken   40
"""


def look(read: str, written: str) -> Sighting:
    """The last look at a pair of which both legs could be sold at 0.45."""
    bids = {"token": [["0.45", "500"]], "other": [["0.45", "500"]]}
    read_ms = {} if read == "-" else {"token": NOW_MS - int(read), "other": NOW_MS}
    return Sighting("p1", "executor-1", NOW_MS - int(written), {"bids": bids, "bids_ms": read_ms})


def reports(stream: str, trouble: str) -> list[Presence]:
    """The executor's report of ten milliseconds ago, and that of another one."""
    feeds = {
        venue.value: {"age_ms": int(stream), "reason": trouble.strip("-")}
        for venue in Venue
        if stream != "-"
    }
    stranger = {venue.value: {"age_ms": 0, "reason": ""} for venue in Venue}
    told = (("executor-1", feeds), ("executor-2", stranger))
    return [Presence(name, 0, NOW_MS - 10, {"feeds": seen}) for name, seen in told if seen]


@pytest.mark.parametrize(("read", "written", "stream", "trouble", "age"), table(AGES))
def test_a_book_is_as_old_as_its_last_word_or_that_of_its_living_stream(
    admitted_one: ArbitrageState, read: str, written: str, stream: str, trouble: str, age: str
) -> None:
    leg = replace(admitted_one.opportunity.polymarket.instrument, token="token")
    found = bids_of(look(read, written), reports(stream, trouble), [leg], NOW_MS)
    assert found.old("token") is (age == "old")
    assert ("token" in found.levels) is (age != "old")
    if age != "old":
        assert NOW_MS - found.true_ms["token"] == int(age)


def test_a_book_that_nobody_has_seen_is_not_old(admitted_one: ArbitrageState) -> None:
    leg = admitted_one.opportunity.polymarket.instrument
    for seen in (None, Sighting("p1", "executor-1", NOW_MS, {"bids": {}})):
        assert not bids_of(seen, [], [leg], NOW_MS).old(leg.token)


def known(state: ArbitrageState, *old: Venue) -> Known:
    """The arbitrage with the books of these venues a second too old."""
    tokens = {venue: state.opportunity.leg(venue).instrument.token for venue in Venue}
    levels = {tokens[v]: ((price("0.45"), size("500")),) for v in Venue if v not in old}
    ages = {v: OLD_MS + 1_000 if v in old else 40 for v in Venue}
    true_ms = {tokens[v]: NOW_MS - age for v, age in ages.items()}
    return Known(state, None, fresh=False, times={}, bids=Bids(levels, true_ms))


def test_a_fresh_figure_carries_the_time_of_its_book(admitted_one: ArbitrageState) -> None:
    one = known(held(admitted_one, "p100+10 k100+10"))
    for told in (rows.position(one), sales.close_preview(one)):
        assert (told["book_at"], told["book_stale"]) == (iso(NOW_MS - 40), False)
    assert rows.position(one)["close_now"] == sales.close_preview(one)["result"] is not None


@pytest.mark.parametrize("venue", list(Venue))
def test_a_dead_feed_leaves_no_figure_of_now_and_says_since_when(
    admitted_one: ArbitrageState, venue: Venue
) -> None:
    one = known(held(admitted_one, "p100+10 k100+10"), venue)
    since = iso(NOW_MS - OLD_MS - 1_000)
    row, preview = rows.position(one), sales.close_preview(one)
    assert (row["close_now"], row["book_at"], row["book_stale"]) == (None, since, True)
    assert (preview["result"], preview["loss_max"], preview["book_at"]) == (None, None, since)
    why = f"No fresh book of {venue} since 14:13:21 UTC"
    assert (preview["why_not"], preview["unpriced_why"]) == ("", why)
    assert preview["unpriced"] == [venue.value]
    unbounded, bounded = {venue.sibling: price("0.4")}, {venue: price("0.4")}
    assert sales.short_of(one, unbounded) == ""
    assert sales.short_of(one, bounded).startswith(f"Nobody knows what pays the limit. {why}")


@pytest.mark.parametrize(("old", "figure"), [((Venue.POLYMARKET,), False), ((Venue.KALSHI,), True)])
def test_only_the_book_of_the_naked_leg_counts_for_what_it_brings(
    admitted_one: ArbitrageState, old: tuple[Venue, ...], figure: bool
) -> None:
    leg = naked(known(held(admitted_one, "p100+10", Phase.NEEDS_OPERATOR), *old))
    assert leg is not None
    assert (leg["loss_now"] is not None) is figure
    assert leg["book_stale"] is not figure
