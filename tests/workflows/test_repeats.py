"""The same thing said twice: starts, resets and terminated runs never make another order."""

import time
from dataclasses import replace

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.exceptions import WorkflowAlreadyStartedError

from app.intake import start
from domain.policy import Bounds
from domain.trade import Phase
from tests.support.books import assert_books_balance
from tests.support.trading import Trading
from workflows.arbitrage import ArbitrageWorkflow
from workflows.handle import handle_of
from workflows.snapshot import Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]
FIRST_TASK_COMPLETED = 4


async def reset(desk: Trading, handle: Handle) -> Handle:
    """Let the run begin anew right after its first task was given out."""
    described = await handle.describe()
    await desk.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=desk.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=described.run_id),
            reason="a test says it all again",
            request_id=f"{handle.id}-{time.time_ns()}",
            workflow_task_finish_event_id=FIRST_TASK_COMPLETED,
        )
    )
    return handle_of(desk.client, handle.id)


async def intents(desk: Trading, handle: Handle) -> set[str]:
    """Every order the journal names."""
    state = await desk.desk.journal.arbitrage(handle.id)
    return {one.order.intent_id for one in state.intents}


async def test_an_opportunity_is_taken_once(steady: Trading, pair: str) -> None:
    await steady.control.edge(pair, 8)
    opportunity = await steady.opportunity(pair)
    handle = await steady.start(opportunity)
    with pytest.raises(WorkflowAlreadyStartedError):
        await steady.start(opportunity)
    await steady.until_at_rest(handle)
    await assert_books_balance(steady)


async def test_an_entry_past_its_deadline_is_never_sent(steady: Trading, pair: str) -> None:
    await steady.control.edge(pair, 8)
    opportunity = await steady.opportunity(pair)
    await steady.read_balances()
    late = replace(opportunity, seen_ns=time.time_ns() - 11_000_000_000)
    handle = await start(steady.client, steady.task_queue, steady.plan(late))
    snapshot = await handle.result()
    assert snapshot.phase == Phase.REFUSED
    assert "past_its_deadline" in snapshot.reason
    await assert_books_balance(steady)


async def test_a_deadline_between_gate_and_send_stops_both_legs(steady: Trading, pair: str) -> None:
    handle = await steady.open(pair, bounds=Bounds(cooldown_ms=0, deadline_ms=25))
    snapshot = await handle.result()
    assert snapshot.phase in (Phase.REFUSED, Phase.FLAT)
    assert snapshot.polymarket.state.bought == snapshot.kalshi.state.bought == 0
    await assert_books_balance(steady)


async def test_a_held_pair_that_is_reset_is_held_again(desk: Trading, pair: str) -> None:
    handle = await desk.hold(pair)
    before = await desk.until_at_rest(handle)
    known = await intents(desk, handle)
    again = await reset(desk, handle)
    after = await desk.until_at_rest(again)
    assert after.phase == Phase.HOLDING
    assert after.locked_profit == before.locked_profit
    assert await intents(desk, handle) == known
    await assert_books_balance(desk)


async def test_a_rolled_back_arbitrage_that_is_reset_sends_nothing(
    desk: Trading, pair: str
) -> None:
    handle = await desk.reach(pair, Phase.UNWINDING, gone="polymarket")
    await handle.result()
    known = await intents(desk, handle)
    again = await reset(desk, handle)
    assert (await again.result()).phase == Phase.FLAT
    assert await intents(desk, handle) == known
    await assert_books_balance(desk)


async def test_a_settled_arbitrage_that_is_reset_settles_again_and_changes_nothing(
    desk: Trading, pair: str
) -> None:
    handle = await desk.hold(pair)
    await desk.control.resolve(pair)
    first = await handle.result()
    again = await reset(desk, handle)
    assert (await again.result()).realised_profit == first.realised_profit
    await assert_books_balance(desk)


async def test_a_terminated_run_that_is_started_again_takes_its_position_over(
    steady: Trading, pair: str
) -> None:
    handle = await steady.hold(pair)
    before = await steady.until_at_rest(handle)
    await handle.terminate("a test")
    opportunity = (await steady.desk.journal.arbitrage(handle.id)).opportunity
    again = await steady.client.start_workflow(
        ArbitrageWorkflow.run,
        steady.plan(opportunity),
        id=handle.id,
        task_queue=steady.task_queue,
    )
    after = await steady.until_at_rest(again)
    assert after.polymarket.state == before.polymarket.state
    assert after.kalshi.state == before.kalshi.state
    await assert_books_balance(steady)
