"""Arbitrages played for their histories: every ending, a cancel in every phase, every crash."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateStage

from activities.reconcile import Reconciler
from app.intake import start
from app.wiring import worker
from app.workflow_list import WorkflowList
from domain.money import NO_USD, usd
from domain.policy import Bounds
from domain.trade import Phase
from domain.venue import Mode
from tests.reconcile.test_adoption import adopted, adopter
from tests.support.scene import Scene
from tests.support.trading import FEW_TRIES, QUICK, Trading
from tests.workflows import test_operator as phases
from tests.workflows.test_by_hand import unanswered
from tests.workflows.test_crashes import CRASHES, Crash, crashed
from tests.workflows.test_long_history import FEW_STEPS, until_continued
from tests.workflows.test_operator import close, stuck
from workflows import names
from workflows.arbitrage import ArbitrageWorkflow
from workflows.reconcile import ReconcileWorkflow
from workflows.snapshot import CloseRequest, HoldRequest, MarkResolved, RetryRequest, Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]
Play = Callable[[Trading, str], Awaitable[Handle]]
ScenePlay = Callable[[Scene, str], Awaitable[WorkflowHandle[Any, Any]]]


async def settled(desk: Trading, pair: str) -> Handle:
    """Locked and paid."""
    handle = await desk.hold(pair)
    await desk.control.resolve(pair)
    return handle


async def rolled_back(desk: Trading, pair: str) -> Handle:
    """One leg killed, the other sold after two refusals."""
    await desk.control.fault("kalshi", pair, "sell", "kill", times=2)
    return await desk.reach(pair, Phase.UNWINDING, gone="polymarket")


async def completed(desk: Trading, pair: str) -> Handle:
    """One leg killed and bought again."""
    await desk.control.fault("kalshi", pair, "buy", "kill")
    return await settled(desk, pair)


async def answer_lost(desk: Trading, pair: str) -> Handle:
    """Both answers lost after the match."""
    for venue in ("polymarket", "kalshi"):
        await desk.control.fault(venue, pair, "buy", "drop_after")
    return await settled(desk, pair)


async def never_arrived(desk: Trading, pair: str) -> Handle:
    """One order never arrived: quarantine, then the other leg is sold."""
    await desk.control.fault("kalshi", pair, "buy", "drop_before")
    return await desk.reach(pair, Phase.UNWINDING, gone="kalshi")


async def voided(desk: Trading, pair: str) -> Handle:
    """A provisional fill voided while the pair was held."""
    await desk.control.fault("polymarket", pair, "buy", "ghost", params={"ms": 3_000})
    handle = await desk.reach(pair, Phase.HOLDING)
    await desk.withdraw(pair, "polymarket")
    return handle


async def closed(desk: Trading, pair: str) -> Handle:
    """Closed by an operator."""
    handle = await phases.held(desk, pair)
    await close(handle)
    return handle


async def nothing_filled(desk: Trading, pair: str) -> Handle:
    """Both legs killed."""
    for venue in ("polymarket", "kalshi"):
        await desk.control.fault(venue, pair, "buy", "kill")
    return await desk.open(pair)


async def neutralised(desk: Trading, pair: str) -> Handle:
    """One leg killed, the other not to be sold: the other outcome is bought beside it."""
    await desk.control.fault("polymarket", pair, "sell", "sell_refused", times=0)
    bounds = Bounds(cooldown_ms=0, deadline_ms=10_000, unwind_attempts=2, buy_opposite=True)
    handle = await desk.hold(pair, gone="kalshi", bounds=bounds)
    await desk.control.resolve(pair)
    return handle


async def refused(desk: Trading, pair: str) -> Handle:
    """Refused by the gate: the pair is open already."""
    await desk.open(pair)
    return await desk.open(pair, cents=9)


async def retried(desk: Trading, pair: str) -> Handle:
    """A person was asked, and has the sale tried again."""
    handle = await stuck(desk, pair)
    await desk.withdraw(pair, "kalshi")
    await handle.execute_update(ArbitrageWorkflow.retry_unwind, RetryRequest("ann"))
    return handle


async def kept(desk: Trading, pair: str) -> Handle:
    """A person keeps one leg as it is, until it is paid."""
    handle = await stuck(desk, pair)
    await handle.execute_update(ArbitrageWorkflow.hold, HoldRequest("ann"))
    await desk.until_phase(handle, Phase.HOLDING)
    await desk.control.resolve(pair)
    return handle


async def ended_by_hand(desk: Trading, pair: str) -> Handle:
    """A person sold the leg elsewhere and says so."""
    handle = await stuck(desk, pair)
    await handle.execute_update(names.MARK_RESOLVED, MarkResolved("ann", "sold", usd("3.25")))
    return handle


async def ended_unanswered(desk: Trading, pair: str) -> Handle:
    """A person ends it while nobody knows what became of an order."""
    async with unanswered(desk, pair) as handle:
        word = MarkResolved("ann", "the venue is gone", NO_USD)
        await handle.execute_update(names.MARK_RESOLVED, word)
        return handle


async def paid_naked(desk: Trading, pair: str) -> Handle:
    """The question is answered while one leg is naked and a person is asked."""
    handle = await stuck(desk, pair)
    await desk.control.resolve(pair)
    return handle


async def closed_in_two(desk: Trading, pair: str) -> Handle:
    """A close within a loss that asks again, and two at once that accept more."""
    handle = await desk.hold(pair, bounds=FEW_TRIES)
    await close(handle, loss_max=usd("0.01"))
    for by in ("ann", "bob"):
        await handle.start_update(
            names.CLOSE_POSITION,
            CloseRequest(by, loss_max=usd(20)),
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        )
    return handle


async def taken_over(desk: Trading, pair: str) -> Handle:
    """What the second workflow does, after the first one was terminated."""
    first = await phases.held(desk, pair)
    await first.terminate("by hand")
    assert await adopter(desk).adopt_orphans() == (first.id,)
    handle = adopted(desk, first.id)
    await desk.until_at_rest(handle)
    await desk.control.resolve(pair)
    return handle


async def verdict_lost(desk: Trading, pair: str) -> Handle:
    """The journal answers neither the gate's question nor the first record in time."""
    await desk.control.edge(pair, 8)
    opportunity = await desk.opportunity(pair)
    await desk.read_balances()
    async with _busy_journal(desk):
        plan = desk.plan(replace(opportunity, seen_ns=time.time_ns()))
        handle = await start(desk.client, desk.task_queue, plan)
        await desk.until_found(handle, "ArbPhase = 'RESOLVING'")
    return handle


async def settled_late(desk: Trading, pair: str) -> Handle:
    """The journal cannot write down at once what was paid."""
    handle = await phases.held(desk, pair)
    async with _busy_journal(desk):
        await desk.control.resolve(pair)
        await desk.until_found(handle, "ArbPhase = 'SETTLING'")
    return handle


@asynccontextmanager
async def _busy_journal(desk: Trading) -> AsyncIterator[None]:
    """Within the block something else writes to the journal all the time."""
    free = threading.Event()
    work = desk.desk.journal.write(desk.desk.wall_ms(), lambda _: free.wait(60))
    busy = asyncio.create_task(work)
    try:
        yield
    finally:
        free.set()
        await busy


def cancelled(reach: Play) -> Play:
    """Cancelled once it is there."""

    async def play(desk: Trading, pair: str) -> Handle:
        handle = await reach(desk, pair)
        await handle.cancel()
        return handle

    return play


async def cancelled_unstarted(scene: Scene, pair: str) -> Handle:
    """Cancelled before anybody worked on it."""
    async with scene.hire() as away:
        await away.control.edge(pair, 8)
        opportunity = await away.opportunity(pair)
    plan = away.plan(replace(opportunity, seen_ns=time.time_ns()))
    handle = await start(scene.client, scene.task_queue, plan)
    await handle.cancel()
    async with scene.hire():
        await handle.result()
    return handle


async def left_behind(scene: Scene, pair: str) -> Handle:
    """The first run of one whose history has grown long."""
    return (await _long(scene, pair))[0]


async def carried_on(scene: Scene, pair: str) -> Handle:
    """The run after that one."""
    return (await _long(scene, pair))[1]


async def _long(scene: Scene, pair: str) -> list[Handle]:
    async with scene.hire(rest_after=FEW_STEPS) as desk:
        handle = await stuck(desk, pair)
        first = handle.first_execution_run_id
        assert first is not None, "the start said so"
        runs = [first, await until_continued(desk, handle, first)]
        await desk.withdraw(pair, "kalshi")
        await handle.result()
    return [scene.client.get_workflow_handle(handle.id, run_id=run) for run in runs]


async def reconciled(scene: Scene, pair: str) -> WorkflowHandle[Any, Any]:
    """The scheduled comparison of journal and venues."""
    async with scene.hire() as desk:
        await desk.trade(pair)
        workflows = WorkflowList(desk.client, desk.task_queue, Bounds(cooldown_ms=0), QUICK)
        made = Reconciler(desk.desk, workflows, adopter(desk), Mode.SIM, settle_ms=200)
        return await _compared(scene, desk, made)


async def reconciled_in_vain(scene: Scene, _pair: str) -> WorkflowHandle[Any, Any]:
    """The same where the activity fails; it is not tried again, the next turn makes up for it."""
    async with scene.hire() as desk:
        return await _compared(scene, desk, None)


async def _compared(
    scene: Scene, desk: Trading, reconciler: Reconciler | None
) -> WorkflowHandle[Any, Any]:
    queue = f"{scene.task_queue}-{names.RECONCILE_ID}"
    async with worker(scene.client, queue, desk.desk, reconciler=reconciler):
        handle = await scene.client.start_workflow(
            ReconcileWorkflow.run, id=queue, task_queue=queue
        )
        with suppress(WorkflowFailureError):
            await handle.result()
    return handle


def crashed_at(crash: Crash) -> ScenePlay:
    """The executor dies there, and another one carries on until the arbitrage rests."""

    async def play(scene: Scene, pair: str) -> Handle:
        async with crashed(scene, crash, pair) as (desk, handle):
            await desk.until_at_rest(handle, seconds=30)
        return handle

    return play


def on_a_desk(play: Play) -> ScenePlay:
    """The same where one executor is there from the beginning to the end."""

    async def played(scene: Scene, pair: str) -> Handle:
        async with scene.hire() as desk:
            handle = await play(desk, pair)
            await handle.result()
        return handle

    return played


ENDINGS = (
    settled, rolled_back, completed, answer_lost, never_arrived, voided, closed, nothing_filled,
    refused, neutralised, retried, kept, ended_by_hand, ended_unanswered, paid_naked,
    closed_in_two, taken_over, verdict_lost, settled_late,
)  # fmt: skip
REACHED = (
    phases.placing, phases.resolving, phases.unwinding, phases.held_provisionally, phases.stuck,
)  # fmt: skip
PLAYS: dict[str, ScenePlay] = (
    {play.__name__: on_a_desk(play) for play in ENDINGS}
    | {"cancelled": on_a_desk(cancelled(phases.held)), "cancelled_unstarted": cancelled_unstarted}
    | {f"cancelled_{r.__name__}": on_a_desk(cancelled(r)) for r in REACHED}
    | {f"crashed_{one.name}": crashed_at(one) for one in CRASHES}
    | {play.__name__: play for play in (left_behind, carried_on)}
    | {play.__name__: play for play in (reconciled, reconciled_in_vain)}
)
