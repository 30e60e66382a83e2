"""What a trade leaves behind, from its edge to both payouts: bytes of the journal and of Temporal's
file, events and bytes of history, memory; and what that comes to in 10,000 trades and in a year.

It is a straight line through what a few hundred trades showed. What grows with time and not with
trades is not in it, but for the comparison that runs every ten seconds, which is told beside.
"""

import tempfile
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from pathlib import Path

from temporalio.client import Client

from tests.bench.accounts import CROWD, dev_server, open_account
from tests.bench.signal_to_send import in_slots
from tests.support.driver import sqlite3
from tests.support.places import file_of
from tests.support.vitals import TOLD, resident_kb, slope
from workflows import names

BLOCK = 24
TRADES_A_DAY = 1_000
MANY = 10_000
YEAR = 365 * TRADES_A_DAY
COMPARISONS_A_DAY = 86_400 // 10
SOON = {"LOCKSTEP_TRADE__SETTLE_PAUSE_MS": "1000"}
"""Whether a question is answered is asked more often than by default: it adds no history."""
KEPT_DAYS = {"dev_server": 1, "docker_compose": 30}
"""How long Temporal remembers what has ended: then its space is used again."""


async def measure(trades: int) -> dict[str, object]:
    """`trades` (at most 192) in blocks; the first block is not counted."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-bench-")))
        ground = await stack.enter_async_context(dev_server(folder))
        ground = replace(ground, environment=SOON)
        account = await stack.enter_async_context(
            open_account(ground, folder / "account", "bench-growth", 1, trades)
        )
        assert ground.file is not None, "the dev server has one"
        journal = file_of(account.journal.database.place)
        looks: list[dict[str, float]] = []
        for first in range(0, len(account.pairs), BLOCK):
            block = account.pairs[first : first + BLOCK]
            await in_slots(CROWD, block, account.trade)
            await in_slots(CROWD, block, account.settle)
            executor = account.executors[0].pid
            looks.append({
                "trades": first + len(block),
                "journal_bytes": _used(journal),
                "temporal_bytes": _used(ground.file),
                **({"executor_kb": resident_kb(executor)} if TOLD and executor else {}),
                **({"temporal_kb": resident_kb(ground.pid)} if TOLD else {}),
            })  # fmt: skip
        client = await Client.connect(ground.address)
        trade = await _histories(client, names.ARBITRAGE)
        comparison = await _histories(client, names.RECONCILE)
        return _figures(looks, trade, comparison)


def _figures(
    looks: list[dict[str, float]], trade: dict[str, float], comparison: dict[str, float]
) -> dict[str, object]:
    a_trade = {
        name: slope([(look["trades"], look[name]) for look in looks]) or 0
        for name in looks[0]
        if name != "trades"
    }
    history = trade["bytes_p50"]
    return {
        "trades": looks[-1]["trades"] - looks[0]["trades"],
        "looks": looks,
        "history_of_a_trade": trade,
        "history_of_a_comparison": comparison,
        "a_trade": {name: round(found, 2) for name, found in a_trade.items()},
        f"mb_in_{MANY}_trades": _megabytes(a_trade, history, MANY),
        f"mb_in_a_year_of_{TRADES_A_DAY}_a_day": _megabytes(a_trade, history, YEAR),
        "mb_that_temporal_keeps": {
            where: _mb(days * TRADES_A_DAY * a_trade["temporal_bytes"])
            for where, days in KEPT_DAYS.items()
        },
        "mb_of_comparisons_a_day": _mb(COMPARISONS_A_DAY * comparison["bytes_p50"]),
    }


def _megabytes(a_trade: dict[str, float], history: float, trades: int) -> dict[str, float]:
    found = {
        name.replace("_bytes", "").replace("_kb", "_memory"): _mb(
            value * trades * (1_000 if name.endswith("_kb") else 1)
        )
        for name, value in a_trade.items()
    }
    return {**found, "history": _mb(history * trades)}


def _mb(size: float) -> float:
    return round(size / 1_000_000, 1)


def _used(file: Path) -> int:
    """Bytes of the pages in use, those in the write-ahead log too."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        values = [
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        ]
    return (values[0] - values[1]) * values[2]


async def _histories(client: Client, kind: str) -> dict[str, float]:
    """Events and bytes of every history of this kind that has ended."""
    query = f"WorkflowType = '{kind}' AND ExecutionStatus != 'Running'"
    events, sizes = [], []
    async for one in client.list_workflows(query):
        told = await client.get_workflow_handle(one.id, run_id=one.run_id).describe()
        info = told.raw_description.workflow_execution_info
        events.append(info.history_length)
        sizes.append(info.history_size_bytes)
    assert sizes, f"expected histories of {kind}, found none"
    middle = len(sizes) // 2
    return {
        "number": len(sizes),
        "events_p50": sorted(events)[middle],
        "events_max": max(events),
        "bytes_p50": sorted(sizes)[middle],
        "bytes_max": max(sizes),
    }
