"""What a replay has found: a row for each opportunity, and the sum of them."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from api.wire import iso, text
from app.operating.captured_progress import Row, Work
from app.operating.outputs_markets import ReplayedCapture, ReplayedPair
from app.parquet import Column, Kind
from domain.money import MICRO, ZERO, Usd, ceil_to, floor_to
from domain.policy import ExecutorSettings
from markets.capture import PairLine, read
from markets.feed import NS_PER_MS
from markets.replay import Sight
from store.settings_values import as_text

COLUMNS = tuple(
    Column(name, kind)
    for name, kind in {
        "at": Kind.TIME,
        "pair_id": Kind.TEXT,
        "title": Kind.TEXT,
        "polymarket_outcome": Kind.TEXT,
        "size": Kind.DECIMAL,
        "polymarket_limit": Kind.DECIMAL,
        "kalshi_limit": Kind.DECIMAL,
        "edge": Kind.DECIMAL,
        "fees": Kind.DECIMAL,
        "expected_net": Kind.DECIMAL,
        "at_least": Kind.DECIMAL,
        "roi": Kind.DECIMAL,
        "taken": Kind.FLAG,
        "why_not": Kind.TEXT,
    }.items()
)


def row(sight: Sight) -> Row:
    """One opportunity; amounts are rounded against ourselves to a micro-dollar."""
    found = sight.opportunity
    edge, fees = floor_to(sight.edge, MICRO), ceil_to(sight.fees, MICRO)
    return {
        "at": sight.at_ms,
        "pair_id": found.pair_id,
        "title": found.title,
        "polymarket_outcome": found.polymarket.instrument.outcome.value,
        "size": found.size,
        "polymarket_limit": found.polymarket.limit,
        "kalshi_limit": found.kalshi.limit,
        "edge": edge,
        "fees": fees,
        "expected_net": edge - fees,
        "at_least": floor_to(found.profit, MICRO),
        "roi": floor_to(found.roi, MICRO),
        "taken": not sight.why_not,
        "why_not": sight.why_not or None,
    }


def summary(
    capture: Path, digest: str, settings: ExecutorSettings, cash: Usd, work: Work
) -> ReplayedCapture:
    """Everything together, and pair by pair."""
    memory = work.memory
    taken = [one for one in work.rows if one["taken"]]
    refused = sum((Counter(one) for one in memory.refused.values()), Counter[str]())
    return ReplayedCapture(
        capture=str(capture),
        sha256=digest,
        began_at=str(iso(memory.began_ns // NS_PER_MS)),
        ended_at=str(iso((memory.began_ns + memory.now_ns) // NS_PER_MS)),
        lines=work.lines,
        cut=work.cut,
        looks=memory.looks,
        settings=as_text(settings),
        cash=text(cash),
        found=len(work.rows),
        taken=len(taken),
        refused=dict(refused.most_common()),
        edge=text(_sum(taken, "edge")),
        fees=text(_sum(taken, "fees")),
        expected_net=text(_sum(taken, "expected_net")),
        at_least=text(_sum(taken, "at_least")),
        pairs=[_pair(raw, work) for raw in memory.pairs.values()],
    )


def _pair(raw: bytes, work: Work) -> ReplayedPair:
    line = read(raw, 0)
    assert isinstance(line, PairLine), "the memory holds pairs by their lines"
    pair = line.listed.pair
    mine = [one for one in work.rows if one["pair_id"] == pair.pair_id]
    taken = [one for one in mine if one["taken"]]
    why_not = Counter(str(one["why_not"]) for one in mine if not one["taken"])
    return ReplayedPair(
        pair_id=pair.pair_id,
        title=pair.title,
        found=len(mine),
        taken=len(taken),
        not_taken=dict(why_not.most_common()),
        refused=dict(work.memory.refused.get(pair.pair_id, Counter()).most_common()),
        best_roi=text(max(_amounts(mine, "roi"))) if mine else None,
        edge=text(_sum(taken, "edge")),
        fees=text(_sum(taken, "fees")),
        expected_net=text(_sum(taken, "expected_net")),
        at_least=text(_sum(taken, "at_least")),
    )


def _sum(rows: Iterable[Row], name: str) -> Decimal:
    return sum(_amounts(rows, name), start=ZERO)


def _amounts(rows: Iterable[Row], name: str) -> list[Decimal]:
    return [value for one in rows if isinstance(value := one[name], Decimal)]
