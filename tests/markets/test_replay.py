"""A real Kalshi session replayed through the scanner, checked after every frame by an oracle.

The oracle keeps its own books from the raw frames, judges every pair of every frame anew and knows
nothing of what changed. Polymarket's books are drawn around Kalshi's from a seed, since no public
recording holds both venues at once.
"""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.book import Book
from domain.money import Price, usd
from domain.opportunity import Opportunity
from domain.pair import Pair
from domain.policy import Bounds, ExecutorSettings
from domain.sizing import Side, size_pair
from domain.venue import Outcome, Venue
from markets.books import Books
from markets.feed import FeedLimits
from markets.pairs import Direction, ListedPair, Pairs
from markets.scanner import Scanner
from tests.domain.build import a_book, a_pair
from tests.markets.conftest import running, until
from tests.markets.venue import LocalVenue
from venues.kalshi import stream
from venues.kalshi.ladders import Ladder, book
from venues.kalshi.shapes import Delta, Snapshot
from venues.strict_json import Node, parse

RECORDING = Path(__file__).parents[3] / "shared/data/matching/kalshi_ws_orderbook_2026-08-07.jsonl"
PM, KX = Venue.POLYMARKET, Venue.KALSHI
SETTINGS = ExecutorSettings(max_bet=usd(50), max_roi=Decimal(20))
CASH = usd(1_000)
CENT = Decimal("0.01")
Told = tuple[str, Outcome, Decimal, Decimal, Decimal]


class Recorded:
    """The oracle's books: bids for YES and NO by price, straight from the JSON."""

    def __init__(self) -> None:
        self.bids: dict[str, dict[str, dict[Decimal, Decimal]]] = {}

    def apply(self, frame: dict[str, Any]) -> str | None:
        """The ticker that the frame changed."""
        message = frame.get("msg", {})
        if frame["type"] == "orderbook_snapshot":
            self.bids[message["market_ticker"]] = {
                side: {Decimal(p): Decimal(s) for p, s in message.get(f"{side}_dollars_fp", [])}
                for side in ("yes", "no")
            }
        elif frame["type"] == "orderbook_delta":
            levels = self.bids[message["market_ticker"]][message["side"]]
            at = Decimal(message["price_dollars"])
            levels[at] = levels.get(at, Decimal(0)) + Decimal(message["delta_fp"])
        else:
            return None
        return str(message["market_ticker"])

    def offers(self, ticker: str, outcome: Outcome) -> list[tuple[Decimal, Decimal]]:
        """Asks of an outcome: the other outcome's bids, from the other end of the dollar."""
        bids = self.bids[ticker][outcome.complement.value]
        return [(1 - at, contracts) for at, contracts in bids.items() if contracts > 0]

    def best(self, ticker: str, outcome: Outcome) -> Decimal | None:
        return min((at for at, _ in self.offers(ticker, outcome)), default=None)


class Oracle:
    """Every pair, both directions, after every frame."""

    def __init__(self, listed: dict[str, ListedPair]) -> None:
        self.listed = listed
        self.kalshi = Recorded()
        self.polymarket: dict[tuple[str, Outcome], Book] = {}
        self.told: list[Told] = []
        self._last: dict[tuple[str, Outcome], Told] = {}

    def judge_all(self) -> None:
        for pair_id, listed in self.listed.items():
            if pair_id not in self.kalshi.bids:
                continue
            found = [self._size(listed.pair, way) for way in listed.directions]
            sound = sum(self._gains(pair_id, way) for way in listed.directions) < 2
            for way, plan in zip(listed.directions, found, strict=True):
                name = pair_id, way.outcome
                if not (sound and isinstance(plan, Opportunity)):
                    self._last.pop(name, None)
                    continue
                told = (*name, plan.size, plan.polymarket.limit, plan.kalshi.limit)
                if self._last.get(name) != told:
                    self._last[name] = told
                    self.told.append(told)

    def _size(self, pair: Pair, way: Direction) -> Opportunity | None:
        bought = self.polymarket.get((pair.pair_id, way.polymarket.outcome))
        if bought is None:
            return None
        offers = self.kalshi.offers(pair.pair_id, way.kalshi.outcome)
        sides = (
            Side(way.polymarket, bought, CASH),
            Side(way.kalshi, a_book(way.kalshi, offers), CASH),
        )
        plan = size_pair(pair, *sides, SETTINGS, seen_ns=0)
        return plan if isinstance(plan, Opportunity) else None

    def _gains(self, pair_id: str, way: Direction) -> bool:
        """Whether one contract each costs less than a dollar with the venues' model fees."""
        bought = self.polymarket.get((pair_id, way.polymarket.outcome))
        kalshi = self.kalshi.best(pair_id, way.kalshi.outcome)
        if bought is None or kalshi is None:
            return False
        at = bought.asks[0].price
        fees = Decimal("0.05") * at * (1 - at) + Decimal("0.07") * kalshi * (1 - kalshi)
        return at + kalshi + fees < 1


def frames() -> Iterator[tuple[dict[str, Any], Node]]:
    """The recorded frames: as plain JSON for the oracle, as nodes for our parser."""
    with RECORDING.open() as file:
        for line in file:
            recorded = json.loads(line)["frame"]
            yield recorded, parse(json.dumps(recorded))


class Kalshi:
    """Our own reading of the same frames: parser, ladder, both outcomes' views."""

    def __init__(self, venue: LocalVenue) -> None:
        self.venue = venue
        self.ladders: dict[str, Ladder] = {}
        self.version = 0

    def apply(self, node: Node, now_ns: int) -> None:
        message = stream.frame(node, use_yes_price=False).message
        if isinstance(message, Snapshot):
            self.ladders[message.ticker] = Ladder(message.quotes)
        elif isinstance(message, Delta):
            self.ladders[message.ticker].apply(message)
        else:
            return
        self.version += 1
        for outcome in Outcome:
            rule = self.venue.at(message.ticker, outcome)
            quotes = self.ladders[message.ticker].quotes()
            self.venue.tell(book(rule, quotes, self.version, at_ms=0, received_ns=now_ns))


def around(best: Decimal, random: Random) -> Price:
    """A Polymarket ask from far below to above what would leave nothing."""
    cents = int((1 - best) * 100) - random.choice((-3, -1, 1, 2, 4, 6, 9, 20))
    return Price(min(max(cents, 1), 99) * CENT)


@pytest.mark.skipif(not RECORDING.exists(), reason="the recorded session is not on this machine")
async def test_every_opportunity_of_a_recorded_session_is_told_and_no_other(
    venues: dict[Venue, LocalVenue],
) -> None:
    tickers = {raw["msg"]["market_ticker"] for raw, _ in frames() if "market_ticker" in raw["msg"]}
    configured = tuple(a_pair(t, t, f"0x{t}", t) for t in sorted(tickers))
    pairs = Pairs(configured, venues)
    await pairs.load()
    books = Books(venues, FeedLimits(quiet_ms=60_000), clock=lambda: 0)
    books.watch(pairs.listed.values())
    told: list[Told] = []

    async def take(found: Opportunity) -> None:
        legs = found.polymarket, found.kalshi
        outcome = legs[0].instrument.outcome
        told.append((found.pair_id, outcome, found.size, legs[0].limit, legs[1].limit))

    scanner = Scanner(books, lambda: pairs.listed, lambda: SETTINGS, lambda _: CASH, Bounds(), take)

    async def settle() -> None:
        await until(lambda: all(v.told_all for v in venues.values()) and not books.changes)
        oracle.judge_all()
        assert told == oracle.told

    oracle, kalshi, random = Oracle(pairs.listed), Kalshi(venues[KX]), Random(7)
    async with running(books.run, scanner.run):
        for venue in venues.values():
            await venue.streamed.wait()
        for raw, node in frames():
            ticker = oracle.kalshi.apply(raw)
            if ticker is None:
                continue
            kalshi.apply(node, now_ns=0)
            await settle()
            outcome = random.choice(list(Outcome))
            best = oracle.kalshi.best(ticker, outcome.complement)
            if best is not None:
                rule = venues[PM].at(f"0x{ticker}", outcome)
                quoted = a_book(rule, [(around(best, random), 40)], version=kalshi.version)
                oracle.polymarket[ticker, outcome] = quoted
                venues[PM].tell(quoted)
                await settle()
    kinds = Counter(outcome for _, outcome, *_ in told)
    assert min(kinds[outcome] for outcome in Outcome) >= 10, kinds
    assert len(scanner.refused) >= 3, scanner.refused
