"""Captured order books through the scanner: a replay finds what the scanner found that read them,
goes on where it was interrupted, and refuses what is no capture."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from app.config import Config
from app.config_sources import load_config
from app.errors import UsageError
from app.operating import captured
from app.operating.captured import Rules
from domain.money import usd
from domain.opportunity import Opportunity
from domain.pair import Confidence, Pair
from domain.policy import Bounds, ExecutorSettings, Refusal
from domain.venue import Outcome, Venue
from markets.books import Books
from markets.capture import WAITING_MAX, BookLine, Head, PairLine, Recorder, read
from markets.feed import FeedLimits
from markets.pairs import Pairs
from markets.replay import Memory, Replay
from markets.scanner import Scanner
from tests.domain.build import a_pair
from tests.markets.conftest import running, until
from tests.markets.venue import LocalVenue

PM, KX = Venue.POLYMARKET, Venue.KALSHI
SETTINGS = ExecutorSettings(max_bet=usd(50))
CASH = usd(1_000)
BOUNDS = Bounds(book_age_ms_max=60_000)
CONFIGURED = tuple(
    a_pair(f"p{n}", f"Question {n}", f"0x{n}", f"KX-{n}", Confidence.HIGH) for n in range(3)
)
OLD_MS = 120_000


class Live:
    """What a scanner told, and what it refused, while its books were written down."""

    def __init__(self) -> None:
        self.told: list[Opportunity] = []
        self.refused: Counter[str] = Counter()


async def live(venues: dict[Venue, LocalVenue], path: Path, turns: int) -> Live:
    """Quote at random; every book is looked at before the next one comes."""
    found, random = Live(), Random(7)
    recorder = Recorder(path, bytes_max=10_000_000)
    pairs = Pairs(CONFIGURED, venues)
    await pairs.load()
    books = Books(venues, FeedLimits(quiet_ms=60_000), heard=recorder.book)

    async def take(opportunity: Opportunity) -> None:
        found.told.append(opportunity)

    scanner = Scanner(books, lambda: pairs.listed, lambda: SETTINGS, lambda _: CASH, BOUNDS, take)

    async def settle() -> None:
        looks = scanner.looks
        await until(lambda: scanner.looks > looks and not books.changes)

    recorder.pairs(pairs.listed.values())
    books.watch(pairs.listed.values())
    async with running(books.run, scanner.run, recorder.run):
        for venue in venues.values():
            await venue.streamed.wait()
        await until(lambda: scanner.looks == len(CONFIGURED) and not books.changes)
        for _ in range(turns):
            pair, where = random.choice(CONFIGURED), random.choice(list(Venue))
            rule = venues[where].at(pair.markets[where], random.choice(list(Outcome)))
            ask = f"0.{random.randint(30, 60)}"
            old = OLD_MS if random.random() < 0.1 else 0
            venues[where].quote(rule, [(ask, random.randint(1, 80))], age_ms=old)
            await settle()
    recorder.close()
    found.refused = Counter({why.value: n for why, n in scanner.refused.items()})
    return found


async def replayed(path: Path) -> Replay:
    machine = Replay(SETTINGS, BOUNDS, nothing_leaves, Memory(cash=dict.fromkeys(Venue, CASH)))
    for number, raw in enumerate(raw_lines(path), 1):
        await machine.feed(read(raw, number), raw)
    return machine


def nothing_leaves(_pair: Pair, _taken: AbstractSet[str]) -> Refusal | None:
    """So that the cash stays what it is."""
    return Refusal.HALTED


def raw_lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def at_any_time(found: Opportunity) -> Opportunity:
    return replace(found, seen_ns=0)


async def test_a_replay_finds_what_the_scanner_found_and_refuses_what_it_refused(
    venues: dict[Venue, LocalVenue], tmp_path: Path
) -> None:
    found = await live(venues, tmp_path / "books.jsonl", turns=400)
    machine = await replayed(tmp_path / "books.jsonl")
    assert len(found.told) > 20
    assert list(map(at_any_time, found.told)) == [
        at_any_time(one.opportunity) for one in machine.sights
    ]
    assert {Refusal.BOOK_STALE.value, Refusal.EDGE_BELOW_POLICY.value} <= set(found.refused)
    refused = sum(machine.memory.refused.values(), Counter())
    first = {Refusal.BOOK_EMPTY.value}
    assert {k: n for k, n in refused.items() if k not in first} == {
        k: n for k, n in found.refused.items() if k not in first
    }, "but for the first look, where a replay has no book yet"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(env={"LOCKSTEP_DATA_DIR": str(tmp_path / "data")}, folder=tmp_path).config


@pytest.fixture
def by() -> Rules:
    return Rules(SETTINGS, CASH, {})


@pytest.fixture
async def capture(venues: dict[Venue, LocalVenue], tmp_path: Path) -> Path:
    path = tmp_path / "books.jsonl"
    await live(venues, path, turns=700)
    return path


def rewrite(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)


def quiet(done: int, total: int, lines: int) -> None:
    """Nobody looks at the bar."""


def interrupt(_done: int, _total: int, _lines: int) -> None:
    """Ctrl-C."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def test_an_interrupted_replay_goes_on_and_ends_as_one_that_was_not(
    config: Config, by: Rules, capture: Path
) -> None:
    whole = await captured.replay(config, capture, by, capture, quiet)
    seen: list[int] = []

    def interrupt_later(done: int, total: int, lines: int) -> None:
        seen.append(lines)
        if len(seen) == 2:
            interrupt(done, total, lines)

    with pytest.raises(asyncio.CancelledError):
        await captured.replay(config, capture, by, capture, interrupt_later)
    assert len(list(capture.parent.glob(".books.jsonl.*.progress"))) == 1
    again: list[int] = []

    def goes_on(_done: int, _total: int, lines: int) -> None:
        again.append(lines)

    resumed = await captured.replay(config, capture, by, capture, goes_on)
    assert again[0] > seen[-1], "it does not begin anew"
    assert resumed == whole
    assert not list(capture.parent.glob(".books.jsonl.*.progress"))


async def test_other_settings_begin_anew(config: Config, by: Rules, capture: Path) -> None:
    with pytest.raises(asyncio.CancelledError):
        await captured.replay(config, capture, by, capture, interrupt)
    strict = replace(by, settings=replace(SETTINGS, min_roi=usd(90), max_roi=usd(99)))
    told, rows = await captured.replay(config, capture, strict, capture, quiet)
    assert (told.found, rows) == (0, [])
    assert told.refused[Refusal.EDGE_BELOW_POLICY.value] > 0


async def test_a_pair_is_taken_once_and_its_dollars_add_up(
    config: Config, by: Rules, capture: Path
) -> None:
    told, rows = await captured.replay(config, capture, by, capture, quiet)
    taken = [row for row in rows if row["taken"]]
    assert [one.taken for one in told.pairs] == [1, 1, 1]
    assert told.taken == len(taken) == 3
    assert all(row["why_not"] == "pair_already_open" for row in rows if not row["taken"])
    for row in rows:
        assert row["expected_net"] == row["edge"] - row["fees"]  # type: ignore[operator]
        assert row["at_least"] <= row["expected_net"]  # type: ignore[operator]
    assert usd(told.expected_net) == sum(usd(one.expected_net) for one in told.pairs)
    assert usd(told.edge) - usd(told.fees) == usd(told.expected_net)


async def test_a_pair_that_nobody_reviewed_is_seen_and_not_taken(
    config: Config, by: Rules, capture: Path
) -> None:
    written = b"".join(raw_lines(capture))
    rewrite(capture, written.replace(b'"confidence":"HIGH"', b'"confidence":"LOW"'))
    told, rows = await captured.replay(config, capture, by, capture, quiet)
    assert (told.found > 0, told.taken) == (True, 0)
    assert {row["why_not"] for row in rows} == {"pair_not_reviewed"}


async def test_cash_that_is_spent_is_not_there_again(
    config: Config, by: Rules, capture: Path
) -> None:
    poor = replace(by, cash=usd(30))
    told, _ = await captured.replay(config, capture, poor, capture, quiet)
    short = {"polymarket_cash_too_low", "kalshi_cash_too_low"}
    assert short & set(told.refused), told.refused


async def test_a_last_line_that_is_cut_is_left_out_and_named(
    config: Config, by: Rules, capture: Path
) -> None:
    whole, _ = await captured.replay(config, capture, by, capture, quiet)
    rewrite(capture, b"".join(raw_lines(capture))[:-9])
    cut, _ = await captured.replay(config, capture, by, capture, quiet)
    assert (whole.cut, cut.cut, cut.lines) == (False, True, whole.lines - 1)


HEAD = '{"capture":1,"began_ns":1}\n'
BOOK = (
    '{"at_ns":%d,"read_ns":1,"venue":"kalshi","token":"t","version":1,"at_ms":1,'
    '"asks":[["%s","5"]],"bids":[]}\n'
)
WRONG = {
    "nothing": ("", "found no whole line"),
    "no JSON": ("hello\n", "line 1: expected a line of a capture"),
    "no head": (BOOK % (1, "0.5"), "line 1: expected the head first"),
    "two heads": (HEAD + HEAD, "line 2: expected the head first, and only there"),
    "a later form": ('{"capture":2,"began_ns":1}\n', "expected version 1, found 2"),
    "a price of one": (HEAD + BOOK % (1, "1"), "line 2: expected a line of a capture: NotMoney"),
    "time goes back": (HEAD + BOOK % (9, "0.5") + BOOK % (8, "0.5"), "a moment from 9 on, found 8"),
    "half a pair": (
        HEAD + '{"at_ns":1,"pair":{"id":"p"},"instruments":[]}\n',
        "line 2: expected a line of a capture: ValueError: expected the instruments",
    ),
}


@pytest.mark.parametrize(("written", "said"), WRONG.values(), ids=WRONG.keys())
async def test_what_is_no_capture_is_refused_by_its_line(
    config: Config, by: Rules, tmp_path: Path, written: str, said: str
) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(written)
    with pytest.raises(UsageError) as refused:
        await captured.replay(config, path, by, path, quiet)
    assert said in str(refused.value)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        await captured.replay(config, tmp_path / "none.jsonl", by, path, quiet)


def lines_of(path: Path) -> Iterator[object]:
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        yield read(raw, number)


async def test_what_is_written_is_what_is_read(
    venues: dict[Venue, LocalVenue], tmp_path: Path
) -> None:
    pairs = Pairs(CONFIGURED, venues)
    await pairs.load()
    recorder = Recorder(tmp_path / "one.jsonl", 1_000_000, wall_ns=lambda: 77, clock=lambda: 5)
    recorder.pairs(pairs.listed.values())
    recorder.pairs(pairs.listed.values())
    rule = venues[KX].at("KX-1", Outcome.NO)
    book = venues[KX].rest(rule, [("0.41", 3), ("0.40", "2.5")], [("0.3", 1)])
    recorder.book(book)
    recorder.close()
    head, *listed, last = lines_of(tmp_path / "one.jsonl")
    assert head == Head(77)
    assert [one.listed for one in listed if isinstance(one, PairLine)] == list(
        pairs.listed.values()
    ), "each pair once"
    assert last == BookLine(0, replace(book, received_ns=book.received_ns - 5))


async def test_a_capture_ends_where_it_is_as_long_as_it_may_be(
    venues: dict[Venue, LocalVenue], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "short.jsonl"
    recorder = Recorder(path, bytes_max=1_000)
    book = venues[KX].rest(venues[KX].at("KX-1", Outcome.NO), [("0.4", 3)])
    for _ in range(50):
        recorder.book(book)
    recorder.close()
    assert path.stat().st_size <= 1_000
    assert all(json.loads(line) for line in path.read_text().splitlines())
    assert caplog.text.count("as long as it may be") == 1
    with pytest.raises(FileExistsError):
        Recorder(path, bytes_max=1_000)


async def test_a_progress_of_no_use_is_said_and_begins_anew(
    config: Config, by: Rules, capture: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = await captured.replay(config, capture, by, capture, quiet)

    with pytest.raises(asyncio.CancelledError):
        await captured.replay(config, capture, by, capture, interrupt)
    (kept,) = capture.parent.glob(".books.jsonl.*.progress")
    rewrite(kept, b'{"offset": 12')
    assert await captured.replay(config, capture, by, capture, quiet) == whole
    assert "is of no use, the replay begins anew" in caplog.text


async def test_a_replay_that_cannot_be_kept_says_so_and_ends(
    config: Config, by: Rules, capture: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(asyncio.CancelledError):
        await captured.replay(config, capture, by, tmp_path / "nowhere" / "found", interrupt)
    assert "this replay could not go on later" in caplog.text


async def test_a_recorder_that_falls_behind_ends_and_says_so(
    venues: dict[Venue, LocalVenue], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "slow.jsonl"
    recorder = Recorder(path, bytes_max=1_000_000)
    book = venues[KX].rest(venues[KX].at("KX-1", Outcome.NO), [("0.4", 3)])
    for _ in range(WAITING_MAX + 2):
        recorder.book(book)
    recorder.close()
    assert [type(line) for line in lines_of(path)] == [Head]
    assert caplog.text.count("cannot be written as fast as books come") == 1
