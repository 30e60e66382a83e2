"""An executor is killed at every point at which it can die; another one carries on.

The first executor is a process that kills itself (SIGKILL) at a named place; the second one is the
test's own. Judged by the simulator's ledgers: no intent ever makes a second order.
"""

import asyncio
import json
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from temporalio.client import Client

from app.intake import start
from app.temporal import Server
from domain.trade import Phase
from tests.domain.tables import rows
from tests.support.books import assert_books_balance
from tests.support.processes import Child, python_module
from tests.support.trading import QUICK
from tests.workflows.conftest import Hire

DIES_SECONDS = 20
NIMBLE = replace(QUICK, task_timeout_ms=1_000)


@dataclass(frozen=True, slots=True)
class Crash:
    """Where the first executor dies, whose offer is withdrawn, and how the arbitrage ends."""

    point: str
    gone: str | None
    ends: frozenset[str]


def crashes(table: str) -> list[object]:
    """The cases of a table, named by their point."""
    return [
        pytest.param(
            Crash(point, None if gone == "-" else gone, frozenset(ends.split(" or "))),
            id=point.replace("/", "-"),
        )
        for point, gone, ends in rows(table)
    ]


# What dies before the gate has spoken starts again and finds the offer too old, or still good.
# P3 and P4: around the gate's commit. P7: marked as sent, no byte left. P10: answered, not
# written down. P11: written down, not reported. P5 to P11 of an unwind: its own order.
CRASHES = """
    point                     gone        ends
    P3:1                      -           HOLDING or REFUSED
    P4:1                      -           HOLDING or FLAT
    P7/polymarket/entry:1     -           HOLDING or FLAT
    P7/kalshi/entry:1         -           HOLDING or FLAT
    P10/polymarket/entry:1    -           HOLDING or FLAT
    P10/kalshi/entry:1        -           HOLDING or FLAT
    P11/polymarket/entry:1    -           HOLDING or FLAT
    P11/kalshi/entry:1        -           HOLDING or FLAT
    P12:1                     -           HOLDING
    P5/kalshi/unwind:1        polymarket  FLAT
    P6/kalshi/unwind:1        polymarket  FLAT
    P7/kalshi/unwind:1        polymarket  FLAT
    P10/kalshi/unwind:1       polymarket  FLAT
    P11/polymarket/unwind:1   kalshi      FLAT
    P16:1                     polymarket  FLAT
    P18:1                     polymarket  FLAT
"""


@pytest.mark.parametrize("crash", crashes(CRASHES))
async def test_another_executor_carries_on_and_no_order_is_sent_twice(
    crash: Crash,
    hire: Hire,
    exchanges: Child,
    temporal_server: Server,
    temporal_client: Client,
    task_queue: str,
    tmp_path: Path,
    pair: str,
) -> None:
    async with hire() as away:
        await away.control.edge(pair, 8)
        opportunity = await away.opportunity(pair)
        if crash.gone:
            await away.withdraw(pair, crash.gone)
        await away.read_balances()
    wanted = {
        "sim": dict(exchanges.ready),
        "data_dir": str(tmp_path),
        "address": temporal_server.address,
        "task_queue": task_queue,
    }
    starting = python_module(
        "tests.support.executor", json.dumps(wanted), environment={"FP": crash.point}
    )
    with starting as first:
        plan = away.plan(replace(opportunity, seen_ns=time.time_ns()), timing=NIMBLE)
        handle = await start(temporal_client, task_queue, plan)
        code = await asyncio.to_thread(first.process.wait, DIES_SECONDS)
        assert code == -signal.SIGKILL
    async with hire() as second:
        snapshot = await second.until_at_rest(handle, seconds=30)
        assert snapshot.phase in crash.ends, snapshot.story
        await assert_books_balance(second)


async def test_a_pair_held_by_a_killed_executor_is_settled_by_another(
    hire: Hire,
    exchanges: Child,
    temporal_server: Server,
    temporal_client: Client,
    task_queue: str,
    tmp_path: Path,
    pair: str,
) -> None:
    async with hire() as away:
        handle = await away.hold(pair, timing=NIMBLE)
    wanted = {
        "sim": dict(exchanges.ready),
        "data_dir": str(tmp_path),
        "address": temporal_server.address,
        "task_queue": task_queue,
    }
    with python_module("tests.support.executor", json.dumps(wanted)) as first:
        first.kill()
    async with hire() as second:
        await second.control.resolve(pair)
        assert (await handle.result()).phase == Phase.SETTLED
        await assert_books_balance(second)
