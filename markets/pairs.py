"""The configured pairs with both venues' rules for them, refreshed on a schedule."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from domain.pair import Pair
from domain.venue import Instrument, Outcome, Venue
from venues.port import MarketData, Untradable, VenueMisuse, VenueUnreachable

log = logging.getLogger(__name__)

VENUE_UNREACHABLE = "venue_unreachable"
VENUE_UNREADABLE = "venue_unreadable"
TOKENS_DIFFER = "tokens_differ"
PAIRS_AT_ONCE = 4
PAIRS_A_PART = 16
"""How many pairs are told together: whoever follows their books follows them all anew."""


@dataclass(frozen=True, slots=True)
class Direction:
    """One way to trade a pair: buy this at Polymarket and its complement at Kalshi."""

    polymarket: Instrument
    kalshi: Instrument

    @property
    def outcome(self) -> Outcome:
        """What is bought at Polymarket: it names the direction."""
        return self.polymarket.outcome


@dataclass(frozen=True, slots=True)
class ListedPair:
    """A pair that both venues let us trade: YES at Polymarket with NO at Kalshi, and reverse."""

    pair: Pair
    directions: tuple[Direction, Direction]

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """All four instruments."""
        return tuple(
            instrument
            for direction in self.directions
            for instrument in (direction.polymarket, direction.kalshi)
        )


@dataclass(frozen=True, slots=True)
class UnlistedPair:
    """A pair that cannot be traded now, and why."""

    pair: Pair
    why: Untradable


@dataclass(frozen=True, slots=True)
class Refreshing:
    """Pauses in milliseconds: between refreshes, and before those are asked for once more that a
    venue did not answer for."""

    pause_ms: int = 60_000
    retry_ms: int = 5_000


class Pairs:
    """All configured pairs as the venues list them now. `changed` is called after every part of a
    load that changed anything."""

    def __init__(
        self,
        configured: tuple[Pair, ...],
        venues: Mapping[Venue, MarketData],
        changed: Callable[[], None] = lambda: None,
        refreshing: Refreshing = Refreshing(),
    ) -> None:
        self._configured = configured
        self._venues = venues
        self._changed = changed
        self._refreshing = refreshing
        self._places = asyncio.Semaphore(PAIRS_AT_ONCE)
        self._all: dict[str, ListedPair | UnlistedPair] = {}

    @property
    def listed(self) -> dict[str, ListedPair]:
        """The tradable ones by pair id."""
        return {k: pair for k, pair in self._all.items() if isinstance(pair, ListedPair)}

    @property
    def unlisted(self) -> dict[str, UnlistedPair]:
        """The others by pair id."""
        return {k: pair for k, pair in self._all.items() if isinstance(pair, UnlistedPair)}

    def get(self, pair_id: str) -> ListedPair | UnlistedPair | None:
        """One pair; None before it was loaded."""
        return self._all.get(pair_id)

    async def run(self) -> None:
        """Load now and again on schedule, until cancelled."""
        clock, times = asyncio.get_running_loop().time, self._refreshing
        while True:
            await self.load()
            due = clock() + times.pause_ms / 1000
            while clock() < due:
                unanswered = [
                    pair.pair
                    for pair in self.unlisted.values()
                    if pair.why.reason == VENUE_UNREACHABLE
                ]
                pause = times.retry_ms / 1000 if unanswered else due - clock()
                await asyncio.sleep(max(pause, 0))
                if unanswered:
                    await self._load_all(unanswered)

    async def load(self, most: int | None = None) -> None:
        """Ask both venues for the rules of every pair, or of so many, those first that are not
        listed. One that cannot be asked now keeps what was known: its orders are still checked by
        the venue."""
        listed = self.listed
        urgent_first = sorted(self._configured, key=lambda pair: pair.pair_id in listed)
        await self._load_all(urgent_first[:most])

    async def _load_all(self, pairs: Iterable[Pair]) -> None:
        waiting = list(pairs)
        while waiting:
            now, waiting = waiting[:PAIRS_A_PART], waiting[PAIRS_A_PART:]
            found = await asyncio.gather(*(self._load(pair) for pair in now))
            fresh = {**self._all, **{one.pair.pair_id: one for one in found}}
            if fresh != self._all:
                known = (pair.pair_id for pair in self._configured if pair.pair_id in fresh)
                self._all = {pair_id: fresh[pair_id] for pair_id in known}
                self._changed()

    async def _load(self, pair: Pair) -> ListedPair | UnlistedPair:
        try:
            async with self._places:
                return await self._ask(pair)
        except VenueUnreachable as problem:
            log.warning("pair %s: %s", pair.pair_id, problem)
            known = self._all.get(pair.pair_id)
            if isinstance(known, ListedPair):
                return known
            return UnlistedPair(pair, Untradable(VENUE_UNREACHABLE, str(problem)))
        except VenueMisuse as problem:
            log.error("pair %s: %s", pair.pair_id, problem)
            return UnlistedPair(pair, Untradable(VENUE_UNREADABLE, str(problem)))

    async def _ask(self, pair: Pair) -> ListedPair | UnlistedPair:
        found: dict[tuple[Venue, Outcome], Instrument] = {}
        markets = {Venue.POLYMARKET: pair.condition_id, Venue.KALSHI: pair.ticker}
        for venue, market in markets.items():
            for outcome in Outcome:
                answer = await self._venues[venue].instrument(market, outcome)
                if isinstance(answer, Instrument):
                    answer = await self._venues[venue].barred(answer) or answer
                if isinstance(answer, Untradable):
                    return UnlistedPair(
                        pair, Untradable(answer.reason, f"{venue} {market}: {answer.detail}")
                    )
                found[venue, outcome] = answer
        if differ := _tokens_differ(pair, found):
            return UnlistedPair(pair, Untradable(TOKENS_DIFFER, differ))
        yes, no = (
            Direction(found[Venue.POLYMARKET, outcome], found[Venue.KALSHI, outcome.complement])
            for outcome in (Outcome.YES, Outcome.NO)
        )
        return ListedPair(pair, (yes, no))


def _tokens_differ(pair: Pair, found: Mapping[tuple[Venue, Outcome], Instrument]) -> str:
    """Why what would be bought at Polymarket is not what the pair names; "" where it is.

    YES is the first of a market's outcomes and NO the second. On "FaZe against illwill" a pair
    that is written the other way round would buy the same bet at both venues.
    """
    yes, no = (found[Venue.POLYMARKET, outcome].token for outcome in (Outcome.YES, Outcome.NO))
    named = (pair.token_yes, pair.token_no)
    if named == (yes, no):
        return ""
    if named == (no, yes):
        return (
            "token_yes is the market's second outcome, and only the first is bought as YES: pair "
            f"it with the Kalshi market that asks for the first outcome, or, if {pair.ticker} "
            f"already does, exchange token_yes and token_no (`lockstep pairs show {pair.pair_id}` "
            "names both outcomes)"
        )
    return (
        f"token_yes and token_no are not the market's own: they are {yes} and {no} in this order, "
        "so condition_id or the tokens are another market's"
    )
