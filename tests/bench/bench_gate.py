"""How long the gate's commit takes: python -m tests.bench.bench_gate [--count 300] [--folder F].

Prints one JSON object with milliseconds per act, one at a time on one thread, through the same
path that the executor uses (queue, writing thread, commit with synchronous=FULL).
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from domain.order import Filled
from domain.trade import TradeStatus
from store.gate import Granted
from store.intents import MaySend
from store.journal import Journal
from store.sqlite import journal_mode
from tests.store.builders import NOW, a_fill, a_request, an_opportunity, ready
from tests.support.driver import sqlite3

WARM_UP = 20


async def timed(times: list[int], act: Awaitable[object]) -> object:
    began = time.perf_counter_ns()
    result = await act
    times.append(time.perf_counter_ns() - began)
    return result


def percentile(times: list[int], share: int) -> str:
    """The time (ms) that `share` percent of the acts did not exceed."""
    index = min(len(times) * share // 100, len(times) - 1)
    return f"{sorted(times)[index] / 1e6:.3f}"


async def measure(journal: Journal, count: int) -> dict[str, list[int]]:
    acts: dict[str, list[int]] = {name: [] for name in ("reserve", "send", "answer", "lock")}
    for number in range(count + WARM_UP):
        request = a_request(an_opportunity(f"n{number}"), worst_loss="0")
        granted = await timed(acts["reserve"], journal.reserve(request))
        assert isinstance(granted, Granted), granted
        for order, _ in request.orders:
            sent = await timed(acts["send"], journal.mark_sent(order.intent_id, NOW + 1))
            assert isinstance(sent, MaySend), sent
            answer = Filled(f"order-{number}", (a_fill(order),))
            await timed(acts["answer"], journal.record_answer(order.intent_id, answer, NOW + 50))
        await timed(acts["lock"], journal.lock(request.arb_id, TradeStatus.SUCCESS, {}, NOW + 60))
    return {name: times[WARM_UP:] for name, times in acts.items()}


async def run(folder: Path, count: int) -> dict[str, object]:
    journal = await ready(folder / "bench.db", cash="10000000", max_daily_trades="1000000")
    acts = await measure(journal, count)
    journal.close()
    return {
        "sqlite": sqlite3.sqlite_version,
        "journal_mode": journal_mode(),
        "count": count,
        "ms": {
            name: {f"p{share}": percentile(times, share) for share in (50, 95, 99)}
            for name, times in acts.items()
        },
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description="Latency of the journal's commits.")
    arguments.add_argument("--count", type=int, default=300)
    arguments.add_argument("--folder", type=Path, help="where the file is made (its disk counts)")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        result = asyncio.run(run(Path(folder), given.count))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
