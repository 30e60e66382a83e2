"""What people do by hand in Temporal: resets, results made up, pauses. Never an order again.

The journal's intents and the exchanges' own books are the judges: whatever a hand has done to a
workflow, no intent is sent a second time and both books still add up.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import (
    PauseActivityRequest,
    ResetActivityRequest,
    ResetWorkflowExecutionRequest,
    UnpauseActivityRequest,
)
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from app.intake import start
from domain.leg import LegState
from domain.money import NO_USD, Size, usd
from domain.standing import LegReport
from domain.trade import LegResult, Phase
from domain.venue import Venue
from tests.support.books import assert_books_balance
from tests.support.processes import ROOT
from tests.support.temporal import unique
from tests.support.trading import ORDER_MS, Trading
from workflows.arbitrage import ArbitrageWorkflow
from workflows.handle import handle_of
from workflows.snapshot import Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]
UNKNOWN = "ArbPhase = 'RESOLVING' AND ExecutionStatus = 'Running'"
TURN_ENDED = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
}


async def sent(desk: Trading, handle: Handle) -> dict[str, int | None]:
    """Every order that the journal names, and when it was sent."""
    state = await desk.desk.journal.arbitrage(handle.id)
    return {one.order.intent_id: one.sent_at_ms for one in state.intents}


async def turns(handle: Handle) -> list[int]:
    """Every event that a run can be reset to."""
    return [
        event.event_id
        async for event in handle.fetch_history_events()
        if event.event_type in TURN_ENDED
    ]


async def reset_to(
    desk: Trading, handle: Handle, event_id: int, run_id: str | None = None
) -> Handle:
    """Let a run (the current one, unless it is named) begin anew from there."""
    if run_id is None:
        run_id = (await handle_of(desk.client, handle.id).describe()).run_id
    await desk.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=desk.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=run_id or ""),
            reason="by hand",
            request_id=unique("reset"),
            workflow_task_finish_event_id=event_id,
        )
    )
    return handle_of(desk.client, handle.id)


async def _rolled_back(desk: Trading, pair: str) -> Handle:
    handle = await desk.reach(pair, Phase.UNWINDING, gone="polymarket")
    await handle.result()
    return handle


async def _closed(desk: Trading, pair: str) -> Handle:
    handle = await desk.hold(pair)
    await handle.cancel()
    await handle.result()
    return handle


async def _completed_and_closed(desk: Trading, pair: str) -> Handle:
    """Polymarket's order is lost on its way and bought a second time, once nobody doubts that;
    a run that begins between both finds the venue's answer at once and numbers its steps anew."""
    await desk.control.edge(pair, 8)
    opportunity = await desk.opportunity(pair)
    await desk.control.fault("polymarket", pair, "buy", "hang_before", params={"ms": 500})
    handle = await desk.start(opportunity)
    held = await desk.until_at_rest(handle)
    assert held.phase is Phase.HOLDING, held.story
    assert any("/complete/" in one for one in await sent(desk, handle))
    await handle.cancel()
    await handle.result()
    return handle


@pytest.mark.parametrize(
    ("reach", "ends"),
    [
        (Trading.hold, Phase.HOLDING),
        (_rolled_back, Phase.FLAT),
        (_closed, Phase.FLAT),
        (_completed_and_closed, Phase.FLAT),
    ],
)
async def test_a_reset_to_any_event_sends_nothing_again(
    steady: Trading,
    pair: str,
    reach: Callable[[Trading, str], Awaitable[Handle]],
    ends: Phase,
) -> None:
    """Each run is reset from the last turn of the first one down to its very first."""
    handle = await reach(steady, pair)
    known = await sent(steady, handle)
    first_run = await turns(handle)
    assert len(first_run) >= 3
    run_id = (await handle.describe()).run_id
    for event_id in reversed(first_run):
        await reset_to(steady, handle, event_id, run_id)
        # A run that begins before its sales holds what it remembers, until it looks.
        again = handle_of(steady.client, handle.id)
        await steady.until(again, lambda now: now.phase is ends and not now.provisional)
        assert await sent(steady, handle) == known, f"reset to event {event_id}"
    await assert_books_balance(steady)


async def test_an_unknown_leg_is_found_by_a_saved_query_and_a_reset_asks_and_sends_nothing(
    desk: Trading, pair: str
) -> None:
    assert f"| `{UNKNOWN}` |" in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    async with unanswered(desk, pair) as handle:
        await desk.until_found(handle, UNKNOWN)
        known = await sent(desk, handle)
        again = await reset_to(desk, handle, (await turns(handle))[0])
        await desk.until_phase(again, Phase.RESOLVING)
    await desk.until_at_rest(again)
    assert known.items() <= (await sent(desk, handle)).items(), "no intent is sent twice"
    await assert_books_balance(desk)


@asynccontextmanager
async def unanswered(desk: Trading, pair: str) -> AsyncIterator[Handle]:
    """Nobody knows whether Kalshi took the order, and it cannot be asked until the block ends."""
    await desk.control.edge(pair, 8)
    opportunity = await desk.opportunity(pair)
    await desk.read_balances()
    await desk.control.fault("kalshi", pair, "buy", "drop_before")
    await desk.control.fault("kalshi", "*", "read", "error_before", times=0)
    plan = desk.plan(replace(opportunity, seen_ns=time.time_ns()))
    handle = await start(desk.client, desk.task_queue, plan)
    await desk.until_phase(handle, Phase.RESOLVING)
    try:
        yield handle
    finally:
        await desk.control.clear_faults()


async def _pending(handle: Handle, prefix: str) -> str:
    """The activity of that name that the workflow waits for."""
    for _ in range(200):
        raw = (await handle.describe()).raw_description
        for one in raw.pending_activities:
            if one.activity_id.startswith(prefix):
                return str(one.activity_id)
        await asyncio.sleep(0.05)
    raise TimeoutError(f"no activity {prefix}")


async def test_an_activity_that_is_reset_or_paused_goes_on_asking(desk: Trading, pair: str) -> None:
    service, namespace = desk.client.workflow_service, desk.client.namespace
    async with unanswered(desk, pair) as handle:
        known = await sent(desk, handle)
        name = await _pending(handle, "resolve:kalshi")
        execution = WorkflowExecution(workflow_id=handle.id)
        await service.reset_activity(
            ResetActivityRequest(namespace=namespace, execution=execution, id=name)
        )
        await service.pause_activity(
            PauseActivityRequest(namespace=namespace, execution=execution, id=name)
        )
        await service.unpause_activity(
            UnpauseActivityRequest(namespace=namespace, execution=execution, id=name)
        )
    await desk.until_at_rest(handle)
    assert known.items() <= (await sent(desk, handle)).items(), "no intent is sent twice"
    await assert_books_balance(desk)


def a_report(venue: Venue, planned: Size, held: str) -> LegReport:
    """A leg as somebody makes it up."""
    size, paid = Size(usd(held)), usd(held)
    state = LegState(venue, planned, held=size, bought=size, paid=paid)
    result = LegResult(venue.value, size > 0, "made-up", size, None, NO_USD)
    return LegReport(state, result)


@pytest.mark.parametrize("told", ["filled", "nothing"])
async def test_an_answer_made_up_by_hand_is_put_right_by_the_venue(
    desk: Trading, pair: str, told: str
) -> None:
    """Kalshi holds nothing whatever the hand says; in the end the saga knows so."""
    async with unanswered(desk, pair) as handle:
        known = await sent(desk, handle)
        snapshot = await handle.query(ArbitrageWorkflow.snapshot)
        name = await _pending(handle, "resolve:kalshi")
        made_up = a_report(
            Venue.KALSHI, snapshot.size, str(snapshot.size) if told == "filled" else "0"
        )
        hand = desk.client.get_async_activity_handle(
            workflow_id=handle.id, run_id=None, activity_id=name
        )
        await hand.complete(made_up)
        await asyncio.sleep(0.5)
    after = await desk.until_at_rest(handle)
    assert after.phase in (Phase.HOLDING, Phase.FLAT)
    assert known.items() <= (await sent(desk, handle)).items(), "no intent is sent twice"
    held = {venue: getattr(after, venue.value).state.held for venue in Venue}
    state = await desk.desk.journal.arbitrage(handle.id)
    assert held == {venue: state.leg(venue).held for venue in Venue}
    await assert_books_balance(desk)


async def _hand_answers(desk: Trading, handle: Handle, how: str) -> bool:
    """Whether a hand was there before the order's answer: on a machine that stands still it may
    come late, which shows nothing."""
    now = await desk.until(handle, lambda now: now.phase is not Phase.RESERVING)
    if now.phase is not Phase.PLACING:
        return False
    try:
        name = await _pending(handle, "place:kalshi")
        hand = desk.client.get_async_activity_handle(
            workflow_id=handle.id, run_id=None, activity_id=name
        )
        if how == "complete":
            await hand.complete(a_report(Venue.KALSHI, now.size, "0"))
        else:
            await hand.fail(ApplicationError("by hand"))
    except (RPCError, TimeoutError):
        return False
    return True


@pytest.mark.parametrize("how", ["complete", "fail"])
async def test_an_entry_that_a_hand_answers_in_flight_is_asked_about(
    steady: Trading, new_pair: Callable[[], str], how: str
) -> None:
    """The order is on its way when its activity is ended by hand; its venue decides what it is."""
    for _ in range(5):
        pair = new_pair()
        await steady.control.fault("kalshi", pair, "buy", "hang", params={"ms": ORDER_MS * 3 // 4})
        handle = await steady.open(pair)
        if await _hand_answers(steady, handle, how):
            break
    else:
        raise AssertionError("five times the order was answered before the hand was there")
    after = await steady.until_at_rest(handle)
    orders = await sent(steady, handle)
    assert len([one for one in orders if "/entry/" in one]) == 2
    assert after.phase in (Phase.HOLDING, Phase.FLAT)
    await assert_books_balance(steady)
