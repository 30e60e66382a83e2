"""`lockstep replay` on a terminal: a bar with rate and time to go, Ctrl-C, and on from there."""

import re
from itertools import cycle
from pathlib import Path

import pytest

from domain.pair import Confidence, Pair
from domain.venue import Outcome, Venue
from markets.capture import Recorder
from markets.pairs import Direction, ListedPair
from tests.commands.test_screens import CONTROL, screen
from tests.domain.build import a_book, an_instrument
from tests.support.stack import run_lockstep

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

LINES = 20_000
PART = 5_000


def write_capture(path: Path) -> None:
    """Two books that move by turns, so that every line is a look."""
    clock = iter(range(0, LINES * 2_000_000, 1_000_000))
    recorder = Recorder(path, 100_000_000, clock=lambda: next(clock))
    ways = [
        Direction(an_instrument(Venue.POLYMARKET, one), an_instrument(Venue.KALSHI, other))
        for one, other in ((Outcome.YES, Outcome.NO), (Outcome.NO, Outcome.YES))
    ]
    pair = Pair("p1", "Celtics beat Lakers", "0xc0nd1t10n", "KXNBAGAME-BOS", Confidence.HIGH)
    recorder.pairs([ListedPair(pair, (ways[0], ways[1]))])
    asks = cycle(["0.40", "0.45", "0.52", "0.61"])
    for turn in range(LINES):
        rule = (ways[0].polymarket, ways[0].kalshi)[turn % 2]
        book = a_book(rule, [(next(asks), 50)], version=turn, received_ns=turn * 1_000_000)
        recorder.book(book)
        if turn % PART == 0:
            recorder.catch_up()
    recorder.close()


def test_a_bar_shows_how_far_it_is_and_ctrl_c_loses_nothing(tmp_path: Path) -> None:
    write_capture(tmp_path / "books.jsonl")
    with screen(tmp_path, "replay", "books.jsonl", "--json") as shown:
        shown.until(re.compile(r"replaying .* [1-9]\d*%.* [1-9]\d* lines/s \d").search, "a bar")
        assert shown.interrupt() == 130
        assert "the same command goes on from here" in CONTROL.sub("", shown.drawn)
    assert len(list(tmp_path.glob(".books.jsonl.*.progress"))) == 1
    resumed = run_lockstep("replay", "books.jsonl", "--json", folder=tmp_path)
    assert resumed.code == 0, resumed
    assert not list(tmp_path.glob(".books.jsonl.*.progress"))
    whole = run_lockstep("replay", "books.jsonl", "--json", folder=tmp_path)
    assert whole.json == resumed.json
    assert (whole.json["lines"], whole.json["cut"]) == (LINES + 2, False)
    assert whole.json["taken"] == 1
