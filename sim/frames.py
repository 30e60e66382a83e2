"""A recorded Kalshi order book session played into the world, with Polymarket quoted against it."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sim.listings import KalshiListing, Pair, PolymarketListing
from sim.quotes import Quoter, QuoteSettings
from sim.units import ONE, micros
from sim.world import World

REPLAY_PAUSE_MS = 1_000
"""Between the last frame and the first one of the next round."""


class BadRecording(ValueError):
    """A recording that cannot be played; the message names the line."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One order book frame, `at_ms` after the first of the recording."""

    at_ms: int
    ticker: str
    kind: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlaySettings:
    """`speed_percent` 100 is the recorded pace, 200 twice as fast; `rounds` 0 never ends."""

    speed_percent: int = 100
    rounds: int = 0
    quotes: QuoteSettings = field(default_factory=QuoteSettings)


@dataclass(frozen=True, slots=True)
class Recording:
    """The order book frames of a file, in order, and the tickers they speak of."""

    frames: tuple[Frame, ...]
    tickers: tuple[str, ...]

    def list_pairs(self, world: World) -> dict[str, Pair]:
        """List one pair per ticker in `world` (before its venues are built), by ticker."""
        pairs: dict[str, Pair] = {}
        for ticker in self.tickers:
            pair = recorded_pair(f"p{len(world.pairs) + 1:02d}", ticker, world.clock())
            world.add_pair(pair)
            pairs[ticker] = pair
        return pairs


def load(path: Path) -> Recording:
    """Read lines of {"received_ms": int, "frame": {...}}; BadRecording names a bad line."""
    frames: list[Frame] = []
    first_ms: int | None = None
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            entry = json.loads(line)
            received_ms, frame = entry["received_ms"], entry["frame"]
            first_ms = received_ms if first_ms is None else first_ms
            if frame["type"] in ("orderbook_snapshot", "orderbook_delta"):
                ticker = frame["msg"]["market_ticker"]
                frames.append(Frame(received_ms - first_ms, ticker, frame["type"], frame["msg"]))
        except (KeyError, TypeError, ValueError) as problem:
            raise BadRecording(f"{path.name} line {number}: {problem!r}") from problem
    if not frames:
        raise BadRecording(f"{path.name}: expected order book frames, found none")
    return Recording(tuple(frames), tuple(dict.fromkeys(frame.ticker for frame in frames)))


def apply(world: World, pair: Pair, frame: Frame) -> None:
    """Put one frame into the pair's Kalshi book; NO bids are YES asks at 1 - p."""
    book = world.book("kalshi", pair.id)
    message = frame.message
    if frame.kind == "orderbook_snapshot":
        bids = {micros(p): micros(s) for p, s in message.get("yes_dollars_fp", [])}
        asks = {ONE - micros(p): micros(s) for p, s in message.get("no_dollars_fp", [])}
        book.replace(bids, asks)
        return
    price, delta = micros(message["price_dollars"]), micros(message["delta_fp"])
    if message["side"] == "yes":
        book.set_level("bid", price, max(0, book.bids.get(price, 0) + delta))
    else:
        # what our own orders took is missing, so a recorded removal may find less
        book.set_level("ask", ONE - price, max(0, book.asks.get(ONE - price, 0) + delta))


async def play(
    world: World,
    recording: Recording,
    pairs: dict[str, Pair],
    settings: PlaySettings | None = None,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Play the recording into the books; `started` is called once every snapshot is in."""
    chosen = settings or PlaySettings()
    quoter = Quoter(world, chosen.quotes)
    missing = set(recording.tickers)
    rounds = 0
    while not chosen.rounds or rounds < chosen.rounds:
        rounds, clock_ms = rounds + 1, 0
        for frame in recording.frames:
            wait_ms = (frame.at_ms - clock_ms) * 100 // chosen.speed_percent
            if not missing:
                await asyncio.sleep(wait_ms / 1000)
            clock_ms = frame.at_ms
            pair = pairs[frame.ticker]
            if quoter.is_open(pair):
                apply(world, pair, frame)
                quoter.follow(pair)
            quoter.maybe_open(wait_ms)
            if frame.ticker in missing:
                missing.discard(frame.ticker)
                if not missing:
                    started()
        await asyncio.sleep(REPLAY_PAUSE_MS / 1000)


def recorded_pair(ident: str, ticker: str, now_ns: int) -> Pair:
    """A pair for a recorded ticker: the real Kalshi name, an invented Polymarket listing."""
    event, _, outcome = ticker.rpartition("-")
    digest = hashlib.sha256(ticker.encode()).hexdigest()
    now = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    close = now + timedelta(days=3)
    question = f"Will {outcome} win {event}?"
    return Pair(
        id=ident,
        title=question,
        polymarket=PolymarketListing(
            condition_id="0x" + digest,
            token_yes=str(int(hashlib.sha256(f"yes {digest}".encode()).hexdigest(), 16)),
            token_no=str(int(hashlib.sha256(f"no {digest}".encode()).hexdigest(), 16)),
            question=question,
            slug=ticker.lower(),
            description=f"This market resolves to Yes if {outcome} wins {event}.",
            category="Sports",
            fee_rate="0.05",
            end=close,
        ),
        kalshi=KalshiListing(
            ticker=ticker,
            event_ticker=event,
            series_ticker=event.partition("-")[0],
            title=question,
            event_title=event,
            yes_sub_title=outcome,
            category="Sports",
            exchange_index=3,
            rules_primary=f"If {outcome} wins {event}, then the market resolves to Yes.",
            rules_secondary="",
            market_id=f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-"
            f"{digest[20:32]}",
            open=now - timedelta(days=7),
            close=close,
            fee_type="quadratic_with_maker_fees",
        ),
    )
