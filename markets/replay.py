"""A capture through the scanner: what would have been seen and taken at those books.

Nothing here is a model of a venue. The scanner, its screens and `domain.sizing.size_pair` are those
that trade; only the clock is the capture's. What an order would have been filled at, or whether at
all, no capture knows. An executor looks at a pair once where several books of it changed together,
and a replay after each book: so it may see more than was seen.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal

from domain.money import Usd
from domain.opportunity import Opportunity, Refused
from domain.pair import Pair
from domain.policy import Bounds, ExecutorSettings, Refusal
from domain.venue import Instrument, Venue
from markets.books import Books, key_of
from markets.capture import BookLine, Head, Line, NotACapture, PairLine
from markets.feed import NS_PER_MS
from markets.pairs import ListedPair
from markets.scanner import Clocks, Scanner, Told

Advise = Callable[[Pair, AbstractSet[str]], Refusal | None]
"""Why an entry of the pair would not leave while these pairs are open; None where it would."""


@dataclass(frozen=True, slots=True)
class Sight:
    """An opportunity at its moment (wall-clock ms), and why it would not have been taken ("" where
    it would)."""

    at_ms: int
    opportunity: Opportunity
    why_not: str

    @property
    def edge(self) -> Decimal:
        """Dollars that are left of the payout at the prices shown, before fees."""
        legs = (self.opportunity.polymarket, self.opportunity.kalshi)
        return self.opportunity.payout - sum((leg.expected for leg in legs), start=Decimal(0))

    @property
    def fees(self) -> Decimal:
        """The most that both venues may charge."""
        legs = (self.opportunity.polymarket, self.opportunity.kalshi)
        return sum((leg.fee_bound for leg in legs), start=Decimal(0))


@dataclass(slots=True)
class Memory:
    """All that a replay needs to go on later: the newest line of every pair and book (raw), the
    pairs that wait to be looked at, what was told, what was taken, and the clock."""

    began_ns: int = 0
    now_ns: int = 0
    looks: int = 0
    pairs: dict[str, bytes] = field(default_factory=dict)
    books: dict[str, bytes] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    told: Told = field(default_factory=dict)
    refused: dict[str, Counter[str]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    cash: dict[Venue, Usd] = field(default_factory=dict)


class Replay:
    """One capture, line by line. `sights` grows with what is found; `memory` is what it knows."""

    def __init__(
        self, settings: ExecutorSettings, bounds: Bounds, advise: Advise, memory: Memory
    ) -> None:
        self.memory = memory
        self.sights: list[Sight] = []
        self._advise = advise
        self._listed: dict[str, ListedPair] = {}
        self._rules: dict[tuple[Venue, str], Instrument] = {}
        self._books = Books({}, clock=lambda: self.memory.now_ns)
        self._scanner = Scanner(
            self._books,
            lambda: self._listed,
            lambda: settings,
            lambda rule: self.memory.cash.get(rule.venue),
            bounds,
            self._take,
            Clocks(
                wall_ns=lambda: self.memory.began_ns + self.memory.now_ns,
                monotonic_ns=lambda: self.memory.now_ns,
            ),
        )

    def recall(self, lines: Iterable[Line]) -> None:
        """Begin where the memory ends: its newest pairs and books, in this order, are put back
        without being looked at."""
        for line in lines:
            if isinstance(line, PairLine):
                self._watch(line.listed)
            elif isinstance(line, BookLine):
                self._keep(line)
        self._books.changes.clear()
        for pair_id in self.memory.waiting:
            self._books.changes.put(pair_id)
        self._scanner.told = self.memory.told

    async def feed(self, line: Line, raw: bytes) -> None:
        """The next line; NotACapture where it is earlier than the one before."""
        memory = self.memory
        if isinstance(line, Head):
            memory.began_ns = line.began_ns
            return
        if line.at_ns < memory.now_ns:
            raise NotACapture(f"expected a moment from {memory.now_ns} on, found {line.at_ns}")
        memory.now_ns = line.at_ns
        if isinstance(line, PairLine):
            # As where it was captured: every pair is looked at once when the next book comes.
            memory.pairs[line.listed.pair.pair_id] = raw
            self._watch(line.listed)
            memory.waiting = self._books.changes.names()
            return
        memory.books[f"{line.book.venue}/{line.book.token}"] = raw
        memory.waiting = []
        self._keep(line)
        while self._books.changes:
            await self._look(await self._books.changes.take())
        memory.told, memory.looks = self._scanner.told, memory.looks + self._scanner.looks
        self._scanner.looks = 0

    def _watch(self, listed: ListedPair) -> None:
        self._listed[listed.pair.pair_id] = listed
        self._rules |= {key_of(rule): rule for rule in listed.instruments}
        self._books.watch(self._listed.values())

    def _keep(self, line: BookLine) -> None:
        rule = self._rules.get((line.book.venue, line.book.token))
        if rule is not None:
            self._books.take(rule, line.book)

    async def _take(self, opportunity: Opportunity) -> None:
        memory, pair_id = self.memory, opportunity.pair_id
        refusal = self._advise(self._listed[pair_id].pair, memory.taken)
        if refusal is None:
            memory.taken.add(pair_id)
            for venue in Venue:
                memory.cash[venue] = Usd(memory.cash[venue] - opportunity.leg(venue).outlay)
        at_ms = (memory.began_ns + memory.now_ns) // NS_PER_MS
        self.sights.append(Sight(at_ms, opportunity, "" if refusal is None else refusal.value))

    async def _look(self, pair_id: str) -> None:
        await self._scanner.look(pair_id)
        for seen in self._scanner.seen(pair_id):
            if isinstance(seen.verdict, Refused):
                mine = self.memory.refused.setdefault(pair_id, Counter())
                mine[seen.verdict.reason.value] += 1
