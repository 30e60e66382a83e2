"""A recorded Kalshi session as the source of both venues' books."""

import asyncio
import json
from pathlib import Path

import pytest

from sim.frames import BadRecording, PlaySettings, apply, load, play
from sim.quotes import QuoteSettings
from sim.units import ONE, micros
from sim.world import World
from tests.sim.test_makers import edge

RECORDED = (
    Path(__file__).parents[2].parent / "shared/data/matching/kalshi_ws_orderbook_2026-08-07.jsonl"
)
TICKER = "KXTEST-26NOV20ABC-A"


def snapshot(at_ms: int, yes: list[list[str]], no: list[list[str]]) -> str:
    message = {"market_ticker": TICKER, "yes_dollars_fp": yes, "no_dollars_fp": no}
    return json.dumps(
        {"received_ms": at_ms, "frame": {"type": "orderbook_snapshot", "msg": message}}
    )


def delta(at_ms: int, price: str, size: str, side: str) -> str:
    message = {"market_ticker": TICKER, "price_dollars": price, "delta_fp": size, "side": side}
    return json.dumps({"received_ms": at_ms, "frame": {"type": "orderbook_delta", "msg": message}})


def written(path: Path, *lines: str) -> Path:
    file = path / "frames.jsonl"
    file.write_text("\n".join(lines))
    return file


def test_frames_build_the_kalshi_book_in_yes_prices(tmp_path: Path) -> None:
    lines = [
        '{"received_ms":5,"frame":{"type":"subscribed","id":2,"msg":{}}}',
        snapshot(10, [["0.6200", "100.00"]], [["0.3700", "50.00"]]),
        delta(20, "0.6200", "-40.50", "yes"),
        delta(30, "0.3600", "7.00", "no"),
        delta(40, "0.3700", "-80.00", "no"),
    ]
    recording = load(written(tmp_path, *lines))
    assert [frame.at_ms for frame in recording.frames] == [5, 15, 25, 35]
    world = World(seed=7, pairs=0)
    pair = recording.list_pairs(world)[TICKER]
    for frame in recording.frames:
        apply(world, pair, frame)
    book = world.book("kalshi", pair.id)
    assert book.levels("bid") == [(620_000, 59_500_000)]
    # 80 were removed of 50: our own orders may have taken the rest
    assert book.levels("ask") == [(640_000, 7_000_000)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("not json", "line 2"),
        ('{"received_ms":1}', "line 2.*frame"),
        ('{"received_ms":1,"frame":{"type":"orderbook_delta","msg":{}}}', "line 2.*market_ticker"),
    ],
)
def test_a_bad_line_is_named(line: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=problem):
        load(written(tmp_path, snapshot(0, [], []), line))


def test_an_empty_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="found none"):
        load(written(tmp_path, '{"received_ms":5,"frame":{"type":"ok"}}'))


async def test_the_real_recording_plays_and_edges_appear_against_it() -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded session is not on this machine")
    recording = load(RECORDED)
    world = World(seed=7, pairs=0)
    pairs = recording.list_pairs(world)
    assert (len(recording.tickers), len(world.pairs)) == (12, 12)
    assert all(pair.kalshi.ticker == ticker for ticker, pair in pairs.items())
    seen: list[bool] = []

    def started() -> None:
        seen.append(all((edge(world, pair) or 0) < 0 for pair in world.pairs.values()))

    quotes = QuoteSettings(edges_per_minute=600, edge_ms=60_000, edge_min=30_000, edge_max=30_000)
    await play(world, recording, pairs, PlaySettings(10_000, rounds=1, quotes=quotes), started)
    assert seen == [True], "every pair quoted once, without an edge, before anybody may trade"
    assert any((edge(world, pair) or 0) > 0 for pair in world.pairs.values())
    assert last_book(world, pairs[recording.tickers[0]].id) == replayed(recording.tickers[0])


def last_book(world: World, pair: str) -> dict[int, int]:
    return world.book("kalshi", pair).bids


def replayed(ticker: str) -> dict[int, int]:
    """The YES bids after the whole recording, folded in our own way."""
    bids: dict[int, int] = {}
    for line in RECORDED.read_text().splitlines():
        message = json.loads(line)["frame"].get("msg", {})
        if message.get("market_ticker") != ticker:
            continue
        if "yes_dollars_fp" in message:
            bids = {micros(price): micros(size) for price, size in message["yes_dollars_fp"]}
        elif message.get("side") == "yes":
            price = micros(message["price_dollars"])
            bids[price] = bids.get(price, 0) + micros(message["delta_fp"])
    return {price: size for price, size in bids.items() if size}


async def test_the_pace_can_be_set(tmp_path: Path) -> None:
    lines = [
        snapshot(0, [["0.6200", "100.00"]], [["0.3700", "50.00"]]),
        delta(40_000, "0.6200", "5.00", "yes"),
    ]
    recording = load(written(tmp_path, *lines))
    world = World(seed=7, pairs=0)
    pairs = recording.list_pairs(world)
    async with asyncio.timeout(5):
        await play(world, recording, pairs, PlaySettings(20_000, rounds=1))
    assert world.book("kalshi", "p01").levels("bid") == [(620_000, 105 * ONE)]
