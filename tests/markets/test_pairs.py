"""Which pairs can be traded, in which directions, and why others cannot."""

from domain.venue import Outcome, Venue
from markets.pairs import PAIRS_A_PART, ListedPair, Pairs, Refreshing, UnlistedPair
from tests.domain.build import PAIR, a_pair
from tests.markets.conftest import running, until
from tests.markets.venue import LocalVenue
from venues.port import Untradable

PM, KX = Venue.POLYMARKET, Venue.KALSHI
SECOND = a_pair("p2", "Knicks beat Heat", "0xsecond", "KXNBAGAME-NYK")
QUICK = Refreshing(pause_ms=5, retry_ms=1)


async def test_a_listed_pair_has_both_directions_and_each_buys_both_answers(
    venues: dict[Venue, LocalVenue],
) -> None:
    pairs = Pairs((PAIR, SECOND), venues)
    await pairs.load()
    assert set(pairs.listed) == {"p1", "p2"}
    sides = [
        (way.polymarket.venue, way.polymarket.outcome, way.kalshi.venue, way.kalshi.outcome)
        for way in pairs.listed["p1"].directions
    ]
    assert sides == [
        (PM, Outcome.YES, KX, Outcome.NO),
        (PM, Outcome.NO, KX, Outcome.YES),
    ]
    assert {rule.market for rule in pairs.listed["p1"].instruments} == {"0xc0nd1t10n", PAIR.ticker}
    assert len({rule.token for rule in pairs.listed["p1"].instruments}) == 4


async def test_a_pair_that_a_venue_refuses_is_kept_with_the_venue_s_reason(
    venues: dict[Venue, LocalVenue],
) -> None:
    venues[KX].delisted[PAIR.ticker] = Untradable("market_closed", "determined")
    pairs = Pairs((PAIR, SECOND), venues)
    await pairs.load()
    assert set(pairs.listed) == {"p2"}
    reason = Untradable("market_closed", f"kalshi {PAIR.ticker}: determined")
    assert pairs.unlisted == {"p1": UnlistedPair(PAIR, reason)}
    assert pairs.get("p1") == pairs.unlisted["p1"]
    assert pairs.get("p3") is None


async def test_a_venue_that_cannot_be_asked_is_asked_again_and_then_the_pair_is_listed(
    venues: dict[Venue, LocalVenue],
) -> None:
    venues[KX].unreachable = True
    pairs = Pairs((PAIR,), venues, refreshing=Refreshing(pause_ms=60_000, retry_ms=1))
    async with running(pairs.run):
        await until(lambda: bool(pairs.unlisted))
        assert pairs.unlisted["p1"].why.reason == "venue_unreachable"
        venues[KX].unreachable = False
        await until(lambda: bool(pairs.listed))


async def test_what_was_known_is_kept_while_a_venue_cannot_be_asked(
    venues: dict[Venue, LocalVenue],
) -> None:
    pairs = Pairs((PAIR,), venues)
    await pairs.load()
    known = pairs.listed
    venues[KX].unreachable = True
    await pairs.load()
    assert pairs.listed == known


async def test_a_market_that_closes_is_noticed_on_schedule_and_told_once(
    venues: dict[Venue, LocalVenue],
) -> None:
    told: list[ListedPair | UnlistedPair | None] = []
    pairs = Pairs((PAIR,), venues, lambda: told.append(pairs.get("p1")), QUICK)
    async with running(pairs.run):
        await until(lambda: len(told) == 1)
        assert isinstance(told[0], ListedPair)
        venues[PM].delisted[PAIR.condition_id] = Untradable("delayed_orders", "secondsDelay 3")
        await until(lambda: len(told) == 2)
    assert isinstance(told[1], UnlistedPair)


async def test_what_is_not_listed_is_asked_for_first_and_told_part_by_part(
    venues: dict[Venue, LocalVenue],
) -> None:
    many = tuple(a_pair(f"p{n:02}", "", f"0x{n:02}", f"KX-{n:02}") for n in range(2 * PAIRS_A_PART))
    told: list[int] = []
    pairs = Pairs(many, venues, lambda: told.append(len(pairs.listed)))
    last = many[-1]
    venues[KX].delisted[last.ticker] = Untradable("not_active", "paused")
    await pairs.load()
    assert told == [PAIRS_A_PART, 2 * PAIRS_A_PART - 1]
    venues[KX].listed_for.clear()
    del venues[KX].delisted[last.ticker]
    await pairs.load()
    assert venues[KX].listed_for[0] == last.ticker
    assert told[2:] == [2 * PAIRS_A_PART]
    assert list(pairs.listed) == [pair.pair_id for pair in many]


async def test_only_who_could_not_be_asked_is_asked_again_soon(
    venues: dict[Venue, LocalVenue],
) -> None:
    venues[KX].unreachable_for.add(SECOND.ticker)
    pairs = Pairs((PAIR, SECOND), venues, refreshing=Refreshing(pause_ms=60_000, retry_ms=1))
    async with running(pairs.run):
        await until(lambda: venues[KX].listed_for.count(SECOND.ticker) > 3)
        venues[KX].unreachable_for.clear()
        await until(lambda: set(pairs.listed) == {"p1", "p2"})
    assert venues[KX].listed_for.count(PAIR.ticker) == 2, "both outcomes, once"
