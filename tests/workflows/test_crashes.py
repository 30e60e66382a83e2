"""An executor is killed at every point at which it can die; another one carries on.

The first executor is a process that kills itself (SIGKILL) at a named place; the second one is the
test's own. Judged by the simulator's ledgers: no intent ever makes a second order.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from temporalio.client import WorkflowHandle

from app.intake import start
from domain.trade import Phase
from tests.domain.tables import rows
from tests.support.books import assert_books_balance
from tests.support.scene import Scene
from tests.support.trading import QUICK, Trading
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import Snapshot

DIES_SECONDS = 60
NIMBLE = replace(QUICK, task_timeout_ms=1_000)


@dataclass(frozen=True, slots=True)
class Crash:
    """Where the first executor dies, whose offer is withdrawn, and how the arbitrage ends."""

    point: str
    gone: str | None
    ends: frozenset[str]

    @property
    def name(self) -> str:
        """The point, fit for a file's name."""
        return self.point.removesuffix(":1").replace("/", "-")


# What dies before the gate has spoken starts again and finds the offer too old, or still good.
# P3 and P4: around the gate's commit. P7: marked as sent, no byte left. P10: answered, not
# written down. P11: written down, not reported. P5 to P11 of an unwind: its own order.
POINTS = """
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
CRASHES = [
    Crash(point, None if gone == "-" else gone, frozenset(ends.split(" or ")))
    for point, gone, ends in rows(POINTS)
]


@asynccontextmanager
async def crashed(
    scene: Scene, crash: Crash, pair: str
) -> AsyncIterator[tuple[Trading, WorkflowHandle[ArbitrageWorkflow, Snapshot]]]:
    """The second executor, and the arbitrage at which the first one died."""
    async with scene.hire() as away:
        await away.control.edge(pair, 8)
        opportunity = await away.opportunity(pair)
        if crash.gone:
            await away.withdraw(pair, crash.gone)
        await away.read_balances()
    with scene.process(crash.point) as first:
        plan = away.plan(replace(opportunity, seen_ns=time.time_ns()), timing=NIMBLE)
        handle = await start(scene.client, scene.task_queue, plan)
        code = await asyncio.to_thread(first.process.wait, DIES_SECONDS)
        assert code == -signal.SIGKILL
    async with scene.hire() as second:
        yield second, handle


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: crash.name)
async def test_another_executor_carries_on_and_no_order_is_sent_twice(
    crash: Crash, scene: Scene, pair: str
) -> None:
    async with crashed(scene, crash, pair) as (second, handle):
        snapshot = await second.until_at_rest(handle, seconds=30)
        assert snapshot.phase in crash.ends, snapshot.story
        await assert_books_balance(second)


async def test_a_pair_held_by_a_killed_executor_is_settled_by_another(
    scene: Scene, pair: str
) -> None:
    async with scene.hire() as away:
        handle = await away.hold(pair, timing=NIMBLE)
    with scene.process() as first:
        first.kill()
    async with scene.hire() as second:
        await second.control.resolve(pair)
        assert (await handle.result()).phase == Phase.SETTLED
        await assert_books_balance(second)
