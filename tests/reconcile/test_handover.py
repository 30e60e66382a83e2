"""The sender is asked to stop while a venue answers nobody: who stands by goes on at once."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adopt import Adopter
from activities.messages import UnwindRequest, WatchRequest
from activities.reconcile import Reconciler, ReconcileReport
from activities.settle import HoldActivities
from activities.stopping import WorkerStops
from activities.unwind import UnwindActivities
from app.workflow_list import WorkflowList
from domain.money import usd
from domain.order import Purpose
from domain.policy import Bounds
from domain.trade import Phase
from domain.venue import Mode, Venue
from store.states import IntentState
from tests.support.executors import Stage, executors, until
from tests.support.trading import QUICK, Trading

SOLD_SECONDS = 5.0
ALARM_MS = 5_000
SILENT_MS = 60_000
ORDER_MS, READ_MS = 1_000, 2_500
FILLED_AFTER_MS = 4_000
"""Later than the stop."""
ASKING_SECONDS = 0.3
"""From giving an answer up to asking the venue for it."""
GIVEN_UP_SECONDS = 2.0
ACCEPTED_AFTER_MS = 700
"""An answer that comes, and leaves time to silence the reads before it."""
FREE_SECONDS = 3.0
UNTRIED = Bounds(cooldown_ms=0, unwind_attempts=0)
"""A person is called at once, and nothing is sold."""
PATIENT = {
    "LOCKSTEP_KALSHI__TIMEOUTS__ORDER_MS": str(ORDER_MS),
    "LOCKSTEP_KALSHI__TIMEOUTS__READ_MS": str(READ_MS),
    "LOCKSTEP_TRADE__UNWIND_ATTEMPTS": "100",
    "LOCKSTEP_TRADE__UNWIND_PAUSE_MS_MAX": "500",
}
"""Kalshi is soon asked for an answer that did not come, by four reads one after the other; no
person is called meanwhile."""


@pytest.mark.timeout(120)
async def test_a_stop_while_a_venue_is_silent_keeps_no_leg_waiting(stage: Stage) -> None:
    """Of p01 Kalshi keeps its answer to itself; of p02 only Polymarket's leg was bought, and its
    sale is refused until the sender has been told to stop."""
    control = stage.control
    stage = replace(stage, environment={**stage.environment, **PATIENT})
    with executors(stage, 2) as running:
        await until(lambda: any(stage.held_by(one) for one in running))
        first, second = sorted(running, key=stage.held_by, reverse=True)
        await control.fault("kalshi", "p01", "buy", "delay", params={"ms": FILLED_AFTER_MS})
        await control.fault("kalshi", "p02", "buy", "kill", times=0)
        await control.fault("polymarket", "p02", "sell", "sell_refused", times=0)
        await control.edge("p02", 8)
        await until(lambda: stage.phase("p02") == Phase.UNWINDING)
        await control.edge("p01", 8)
        await until(lambda: _kalshi_entry(stage, "p01") == IntentState.SENT)
        await _kalshi_answers_no_question(stage)
        await until(lambda: _kalshi_entry(stage, "p01") == IntentState.UNKNOWN)
        await asyncio.sleep(ASKING_SECONDS)

        first.send_signal(signal.SIGTERM)
        await control.clear_faults()
        await _kalshi_answers_no_question(stage)
        sold = await until(lambda: stage.phase("p02") == Phase.FLAT)
        assert sold < SOLD_SECONDS
        await until(lambda: first.poll() is not None)
        assert first.returncode == 0
        assert stage.held_by(second)

        await until(lambda: stage.alarms("UNKNOWN_LEG"))
        await control.clear_faults()
        await control.knobs("kalshi", ws_silent=False)
        await until(lambda: stage.phase("p01") == Phase.HOLDING)
        (alarm,) = stage.alarms("UNKNOWN_LEG")
        (order,) = [one for one in stage.orders("p01") if one.venue == Venue.KALSHI]
        assert alarm.opened_ms - (order.sent_ms or 0) < ALARM_MS
    await stage.nothing_was_sent_twice()


@pytest.mark.timeout(120)
async def test_a_stop_waits_for_no_rows_of_an_accepted_order(stage: Stage) -> None:
    """Kalshi takes the order and then answers no read: what its answer lacks is asked for by
    whoever goes on, who has the lease at once."""
    control = stage.control
    stage = replace(stage, environment={**stage.environment, **PATIENT})
    with executors(stage, 2) as running:
        await until(lambda: any(stage.held_by(one) for one in running))
        first, second = sorted(running, key=stage.held_by, reverse=True)
        await control.fault("kalshi", "p01", "buy", "delay", params={"ms": ACCEPTED_AFTER_MS})
        await control.edge("p01", 8)
        await until(lambda: _kalshi_entry(stage, "p01") == IntentState.SENT)
        await _kalshi_answers_no_question(stage)
        await asyncio.sleep(ACCEPTED_AFTER_MS / 1_000)
        first.send_signal(signal.SIGTERM)
        assert await until(lambda: stage.held_by(second)) < FREE_SECONDS
        await until(lambda: first.poll() is not None)
        await control.clear_faults()
        await control.knobs("kalshi", ws_silent=False)
        await until(lambda: stage.phase("p01") == Phase.HOLDING)
    await stage.nothing_was_sent_twice()


async def _kalshi_answers_no_question(stage: Stage) -> None:
    silent = {"ms": SILENT_MS}
    await stage.control.fault("kalshi", "*", "read", "hang_before", times=0, params=silent)
    await stage.control.knobs("kalshi", ws_silent=True)


def _kalshi_entry(stage: Stage, pair: str) -> str | None:
    """What is known of the pair's first order there."""
    found = [one for one in stage.orders(pair) if one.venue == Venue.KALSHI]
    return found[0].state if found else None


@asynccontextmanager
async def _stopping_while_kalshi_is_silent(
    desk: Trading, activity: Callable[..., Coroutine[Any, Any, Any]], *given: object
) -> AsyncIterator["asyncio.Task[Any]"]:
    """The activity, which waits for Kalshi, as its worker is told to stop."""
    worker, silent = ActivityEnvironment(), {"ms": SILENT_MS}
    await desk.control.fault("kalshi", "*", "read", "hang_before", times=0, params=silent)
    try:
        asking = asyncio.create_task(worker.run(activity, *given))
        await asyncio.sleep(ASKING_SECONDS)
        assert not asking.done()
        worker.worker_shutdown()
        async with asyncio.timeout(GIVEN_UP_SECONDS):
            yield asking
    finally:
        await desk.control.clear_faults()


async def test_what_is_held_is_looked_at_by_whoever_goes_on(desk: Trading, pair: str) -> None:
    arb_id = (await desk.hold(pair)).id
    state = await desk.desk.journal.arbitrage(arb_id)
    legs = state.polymarket, state.kalshi
    watch, request = HoldActivities(desk.desk), WatchRequest(arb_id, state.opportunity, legs)
    async with _stopping_while_kalshi_is_silent(desk, watch.watch_settlement, request) as asking:
        with pytest.raises(WorkerStops):
            await asking


async def test_a_sale_that_waits_for_a_book_is_given_up_and_costs_no_attempt(
    desk: Trading, pair: str
) -> None:
    handle = await desk.reach(pair, Phase.NEEDS_OPERATOR, gone="polymarket", bounds=UNTRIED)
    held = await desk.until_phase(handle, Phase.NEEDS_OPERATOR)
    plan = (await desk.desk.journal.arbitrage(handle.id)).opportunity
    request = UnwindRequest(
        arb_id=handle.id,
        opportunity=plan,
        venue=Venue.KALSHI,
        excess=held.kalshi.state.held,
        purpose=Purpose.UNWIND,
        sequence=101,
        attempt=1,
        budget=usd(20),
        deadline_ms=5_000,
    )
    unwind = UnwindActivities(desk.desk).unwind
    async with _stopping_while_kalshi_is_silent(desk, unwind, request) as asking:
        report = await asking
    assert (report.said, report.closed) == ("nothing sent: this executor stops", True)
    assert len((await desk.desk.journal.arbitrage(handle.id)).intents) == 2


async def test_a_comparison_is_given_up_and_finds_nothing(desk: Trading) -> None:
    workflows = WorkflowList(desk.client, desk.task_queue, UNTRIED, QUICK)
    reconciler = Reconciler(
        desk.desk, workflows, Adopter(desk.desk, workflows, Mode.SIM), Mode.SIM, 0
    )
    comparing = reconciler.reconcile_if_due
    async with _stopping_while_kalshi_is_silent(desk, comparing) as asking:
        assert "this executor stops" in await asking
    assert not reconciler.trusted
    assert await reconciler.report() == ReconcileReport(None)
