"""Captures: the order books that a scanner was told, in the order it was told them, as JSON lines.

The first line is the head: `{"capture": 1, "began_ns": wall clock}`. Then come two kinds of lines.
A pair, before the first book that it needs and again whenever a venue's rules for it changed:
`{"at_ns", "pair": {"id", "title", "condition_id", "ticker", "confidence"}, "instruments": [four]}`,
in the order of `ListedPair.instruments`. And a book:
`{"at_ns", "read_ns", "venue", "token", "version", "at_ms", "asks", "bids"}` with levels as
`[price, size]`, best first. `at_ns` is when the scanner was told and `read_ns` when the venue was
read, both in nanoseconds since `began_ns` by the monotonic clock, so that neither ever jumps;
`at_ms` is the venue's own time. Amounts are exact decimal strings, as the venue's rules name them.
"""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from domain.book import Book, Level, ladder
from domain.fees import Fee, KalshiFee, PolymarketFee
from domain.money import exact, price, size, usd
from domain.pair import Confidence, Pair
from domain.venue import Instrument, Outcome, TickBand, Venue
from markets.pairs import Direction, ListedPair

log = logging.getLogger(__name__)

VERSION = 1
WAITING_MAX = 10_000
PAUSE_SECONDS = 0.2
Json = Mapping[str, Any]


class NotACapture(Exception):
    """A line that is none of the above: where, and what was expected."""


@dataclass(frozen=True, slots=True)
class Head:
    """When the capture began, by the wall clock (ns)."""

    began_ns: int


@dataclass(frozen=True, slots=True)
class PairLine:
    """A pair as both venues listed it from `at_ns` on."""

    at_ns: int
    listed: ListedPair


@dataclass(frozen=True, slots=True)
class BookLine:
    """A book that the scanner was told at `at_ns`; its `received_ns` counts from the beginning."""

    at_ns: int
    book: Book


Line = Head | PairLine | BookLine


class Recorder:
    """Appends what a scanner is told to a file: noted at once, written by `run` between other
    things, a line at a time, since a line takes up to a millisecond. It never stops a scan: where
    the file cannot be written any more, is `bytes_max` long, or `run` falls `WAITING_MAX` lines
    behind, it says so in the log and ends."""

    def __init__(
        self,
        path: Path,
        bytes_max: int,
        wall_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Begins a new file; OSError where it cannot be made or is there already."""
        self._path = path
        self._left = bytes_max
        self._clock = clock
        self._pairs: dict[str, ListedPair] = {}
        self._waiting: deque[PairLine | BookLine] = deque()
        self._began_ns = clock()
        self._file: TextIO | None = path.open("x", encoding="utf-8")
        self._write({"capture": VERSION, "began_ns": wall_ns()})

    def pairs(self, listed: Iterable[ListedPair]) -> None:
        """The pairs that are followed from now on."""
        for one in listed:
            if self._pairs.get(one.pair.pair_id) != one:
                self._pairs[one.pair.pair_id] = one
                self._note(PairLine(self._clock() - self._began_ns, one))

    def book(self, book: Book) -> None:
        """A book that the scanner is told now."""
        since = replace(book, received_ns=book.received_ns - self._began_ns)
        self._note(BookLine(self._clock() - self._began_ns, since))

    async def run(self) -> None:
        """Until cancelled; a file that has ended is no failure."""
        while True:
            while self._waiting:
                self._write_next()
                await asyncio.sleep(0)
            self._try(lambda file: file.flush())
            await asyncio.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """What waits is written, and the file is whole."""
        self.catch_up()
        self._try(lambda file: file.close())
        self._file = None

    def catch_up(self) -> None:
        """Write all that waits, at once."""
        while self._waiting:
            self._write_next()

    def _note(self, line: PairLine | BookLine) -> None:
        if self._file is None:
            return
        self._waiting.append(line)
        if len(self._waiting) > WAITING_MAX:
            self._end("cannot be written as fast as books come")

    def _write_next(self) -> None:
        line = self._waiting.popleft()
        if isinstance(line, PairLine):
            rules = [_instrument_row(rule) for rule in line.listed.instruments]
            pair = _pair_row(line.listed.pair)
            self._write({"at_ns": line.at_ns, "pair": pair, "instruments": rules})
        else:
            self._write(_book_row(line))

    def _write(self, row: Json) -> None:
        text = json.dumps(row, separators=(",", ":")) + "\n"
        self._left -= len(text)
        if self._left < 0:
            self._end("is as long as it may be")
        self._try(lambda file: file.write(text))

    def _try(self, act: Callable[[TextIO], object]) -> None:
        if self._file is None:
            return
        try:
            act(self._file)
        except OSError as trouble:
            self._end(f"cannot be written: {trouble}")

    def _end(self, why: str) -> None:
        """Nothing more is written."""
        file, self._file = self._file, None
        self._waiting.clear()
        if file is not None:
            log.error("the capture %s %s: nothing is added", self._path, why)
            with suppress(OSError):  # said already: what could not be written is lost
                file.close()


def read(raw: bytes, number: int) -> Line:
    """One line; NotACapture names it by its number where it is none."""
    try:
        row = json.loads(raw)
        if "capture" in row:
            if row["capture"] != VERSION:
                raise ValueError(f"expected version {VERSION}, found {row['capture']!r}")
            return Head(int(row["began_ns"]))
        if "pair" in row:
            return PairLine(int(row["at_ns"]), _listed(row["pair"], row["instruments"]))
        return BookLine(int(row["at_ns"]), _book(row))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        said = f"line {number}: expected a line of a capture: {type(problem).__name__}: {problem}"
        raise NotACapture(said) from None


def _book_row(line: BookLine) -> Json:
    book = line.book
    return {
        "at_ns": line.at_ns,
        "read_ns": book.received_ns,
        "venue": book.venue.value,
        "token": book.token,
        "version": book.version,
        "at_ms": book.at_ms,
        "asks": [[str(one.price), str(one.size)] for one in book.asks],
        "bids": [[str(one.price), str(one.size)] for one in book.bids],
    }


def _pair_row(pair: Pair) -> Json:
    return {
        "id": pair.pair_id,
        "title": pair.title,
        "condition_id": pair.condition_id,
        "ticker": pair.ticker,
        "confidence": pair.confidence.value,
    }


def _instrument_row(rule: Instrument) -> Json:
    return {
        "venue": rule.venue.value,
        "market": rule.market,
        "token": rule.token,
        "outcome": rule.outcome.value,
        "ticks": [[str(band.start), str(band.end), str(band.step)] for band in rule.ticks],
        "size_step": str(rule.size_step),
        "size_min": str(rule.size_min),
        "notional_min": str(rule.notional_min),
        "fee": _fee_row(rule.fee),
        "neg_risk": rule.neg_risk,
        "exchange_index": rule.exchange_index,
    }


def _fee_row(fee: Fee) -> Json:
    if isinstance(fee, PolymarketFee):
        return {"rate": str(fee.rate)}
    return {"multiplier": str(fee.multiplier), "grid": str(fee.grid)}


def _listed(pair: Json, rules: list[Json]) -> ListedPair:
    found = tuple(_instrument(rule) for rule in rules)
    ways = [(rule.venue, rule.outcome) for rule in found]
    expected = [(v, o if v is Venue.POLYMARKET else o.complement) for o in Outcome for v in Venue]
    if ways != expected:
        raise ValueError(f"expected the instruments {expected}, found {ways}")
    one, other, third, fourth = found
    return ListedPair(
        Pair(
            pair_id=str(pair["id"]),
            title=str(pair["title"]),
            condition_id=str(pair["condition_id"]),
            ticker=str(pair["ticker"]),
            confidence=Confidence(pair["confidence"]),
            token_yes=one.token,
            token_no=third.token,
        ),
        (Direction(one, other), Direction(third, fourth)),
    )


def _instrument(row: Json) -> Instrument:
    return Instrument(
        venue=Venue(row["venue"]),
        market=str(row["market"]),
        token=str(row["token"]),
        outcome=Outcome(row["outcome"]),
        ticks=tuple(TickBand(*map(exact, band)) for band in row["ticks"]),
        size_step=size(row["size_step"]),
        size_min=size(row["size_min"]),
        notional_min=usd(row["notional_min"]),
        fee=_fee(row["fee"]),
        neg_risk=bool(row["neg_risk"]),
        exchange_index=int(row["exchange_index"]),
    )


def _fee(row: Json) -> Fee:
    if "rate" in row:
        return PolymarketFee(exact(row["rate"]))
    return KalshiFee(exact(row["multiplier"]), exact(row["grid"]))


def _book(row: Json) -> Book:
    return Book(
        venue=Venue(row["venue"]),
        token=str(row["token"]),
        asks=_levels(row["asks"], best_is_lowest=True),
        bids=_levels(row["bids"], best_is_lowest=False),
        version=int(row["version"]),
        at_ms=int(row["at_ms"]),
        received_ns=int(row["read_ns"]),
    )


def _levels(rows: list[tuple[str, str]], *, best_is_lowest: bool) -> tuple[Level, ...]:
    levels = ((price(at), size(contracts)) for at, contracts in rows)
    return ladder(levels, best_is_lowest=best_is_lowest)
