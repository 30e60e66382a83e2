"""The world both exchanges live in: seed, clock, markets, books, faults, request journal."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, Literal, Protocol

from sim.book import Book
from sim.faults import Faults
from sim.listings import Pair, build_pairs

VenueName = Literal["polymarket", "kalshi"]
VENUES: Final[tuple[VenueName, ...]] = ("polymarket", "kalshi")
MODES: Final = ("open", "maintenance", "post_only", "restarting")
OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "polymarket": ("yes", "no", "half"),
    "kalshi": ("yes", "no"),
}
# price and size steps of a book: Kalshi quotes 0.0001 dollars and 0.01 contracts at the finest
_STEPS: Final[Mapping[VenueName, tuple[int, int]]] = {
    "polymarket": (100, 1),
    "kalshi": (100, 10_000),
}
_JOURNAL_LIMIT = 200_000


@dataclass(slots=True)
class Request:
    """One HTTP request as it arrived; `status` 0 until answered, -1 when never answered."""

    venue: str
    method: str
    path: str
    first_byte_ns: int
    status: int = 0


class Venue(Protocol):
    """What an exchange offers to the control server and to `main`."""

    def state(self) -> dict[str, object]:
        """The complete ledger as JSON values, money as strings.

        Keys: mode, start_cash, cash, conserved, duplicates (refused repeats of an order),
        positions [{pair, market, asset, outcome, size}], orders (OrderRecord.as_json), entries
        (Entry.as_json).
        """
        ...

    def urls(self, http: str, ws: str) -> dict[str, str]:
        """Names and addresses for the ready line, given `http://host:port` and `ws://host:port`."""
        ...

    def credentials(self) -> dict[str, object]:
        """The test keys a client needs."""
        ...

    def set_mode(self, mode: str) -> None:
        """Enter one of MODES."""
        ...

    def set_knobs(self, knobs: Mapping[str, object]) -> dict[str, object]:
        """Change knobs by name and return all of them; ValueError on an unknown one."""
        ...

    def adjust_cash(self, dollars: int, ref: str) -> None:
        """Deposit (or with a negative amount withdraw) micro-dollars."""
        ...

    def resolve(self, pair: Pair, outcome: str) -> None:
        """Settle the market: pay every position."""
        ...


class World:
    """Everything that both venues share; `rng` and the pairs follow from `seed` alone."""

    def __init__(self, seed: int, pairs: int = 24, clock: Callable[[], int] = time.time_ns) -> None:
        self.seed = seed
        self.rng = Random(seed)
        self.clock = clock
        today = datetime.fromtimestamp(clock() // 1_000_000_000, UTC).date()
        self.venues: dict[VenueName, Venue] = {}
        self.pairs: dict[str, Pair] = {}
        self.books: dict[tuple[VenueName, str], Book] = {}
        for pair in build_pairs(pairs, Random(seed), today):
            self.add_pair(pair)
        self.faults = Faults(Random(seed + 1), clock)
        self.outcomes: dict[tuple[VenueName, str], str] = {}
        self.journal: deque[Request] = deque(maxlen=_JOURNAL_LIMIT)

    def add_pair(self, pair: Pair) -> None:
        """List one more pair, with empty books; only before the venues are built."""
        if pair.id in self.pairs or self.venues:
            raise ValueError(f"pair {pair.id}: listed already, or the venues are running")
        self.pairs[pair.id] = pair
        for venue in VENUES:
            self.books[venue, pair.id] = Book(*_STEPS[venue])

    def book(self, venue: VenueName, pair: str) -> Book:
        """The book of a pair at a venue, in YES prices; KeyError for an unknown pair."""
        return self.books[venue, pair]

    def register(self, name: VenueName, venue: Venue) -> None:
        """Make an exchange known to the control server; each venue's `build_app` calls it."""
        if name in self.venues:
            raise ValueError(f"venue {name} is registered already")
        self.venues[name] = venue

    def resolve(self, pair_id: str, outcomes: Mapping[VenueName, str]) -> None:
        """Settle a pair at the venues named; a repeated or different outcome is refused."""
        pair = self.pairs[pair_id]
        for name, outcome in outcomes.items():
            if outcome not in OUTCOMES[name]:
                raise ValueError(f"{name}: expected one of {OUTCOMES[name]}, found {outcome!r}")
            if (name, pair_id) in self.outcomes:
                known = self.outcomes[name, pair_id]
                raise ValueError(f"{name}: {pair_id} is already resolved to {known!r}")
        for name, outcome in outcomes.items():
            self.outcomes[name, pair_id] = outcome
            self.venues[name].resolve(pair, outcome)
