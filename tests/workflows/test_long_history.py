"""An arbitrage that waits for weeks: its history is left behind, and nothing that it knew is."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from domain.money import usd
from domain.trade import Phase
from tests.support.books import alarms, assert_books_balance
from tests.support.trading import Trading
from tests.workflows.conftest import Hire
from tests.workflows.test_operator import stuck
from workflows import names, story
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import CloseRequest, RetryRequest, Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]
FEW_STEPS = 6
STEP_EVENTS = 60
"""More than any step adds."""


@pytest.fixture(params=[pytest.param(100, id="cached"), pytest.param(0, id="replayed")])
async def hasty(request: pytest.FixtureRequest, hire: Hire) -> AsyncIterator[Trading]:
    """An executor that calls a history long after six steps."""
    async with hire(request.param, FEW_STEPS) as running:
        yield running


async def run_of(desk: Trading, handle: Handle) -> str:
    """The run that carries the arbitrage now."""
    latest = desk.client.get_workflow_handle(handle.id)
    return str((await latest.describe()).run_id)


def asked(events: Iterable[HistoryEvent]) -> set[str]:
    """What a search was told of whether a person is needed, in one run."""
    told = [event.upsert_workflow_search_attributes_event_attributes for event in events]
    fields = [one.search_attributes.indexed_fields for one in told]
    name = story.NEEDS_OPERATOR.name
    return {one[name].data.decode() for one in fields if name in one}


async def until_continued(desk: Trading, handle: Handle, before: str) -> str:
    """The next run, once there is one."""
    deadline = time.monotonic() + 60
    while (now := await run_of(desk, handle)) == before:
        assert time.monotonic() < deadline, f"still run {before}"
        await asyncio.sleep(0.1)
    return now


async def test_a_trade_that_waits_for_a_person_keeps_its_history_short(
    hasty: Trading, pair: str
) -> None:
    handle = await stuck(hasty, pair)
    before = await handle.query(ArbitrageWorkflow.snapshot)
    runs = [await run_of(hasty, handle)]
    for _ in range(2):
        runs.append(await until_continued(hasty, handle, runs[-1]))
    assert len(set(runs)) == 3
    for run in runs:
        one = hasty.client.get_workflow_handle(handle.id, run_id=run)
        events = (await one.fetch_history()).events
        assert len(events) < FEW_STEPS * STEP_EVENTS
        if run == runs[1]:  # from its first event to its last
            assert asked(events) == {"true"}, "also while the sale is tried again"
    after = await hasty.until_phase(handle, Phase.NEEDS_OPERATOR)
    assert after.revision > before.revision
    assert (after.polymarket, after.kalshi) == (before.polymarket, before.kalshi)
    assert alarms(hasty.database) == {"UNHEDGED": 1}
    latest = await hasty.client.get_workflow_handle(handle.id).describe()
    assert latest.typed_search_attributes[story.PAIR] == pair
    assert latest.typed_search_attributes[story.NEEDS_OPERATOR] is True
    await hasty.withdraw(pair, "kalshi")
    ended = await handle.result()
    assert ended.phase == Phase.FLAT
    assert not alarms(hasty.database)
    await assert_books_balance(hasty)


async def test_no_word_of_a_person_is_lost_between_two_runs(hasty: Trading, pair: str) -> None:
    handle = await stuck(hasty, pair)
    latest: Handle = hasty.client.get_workflow_handle(handle.id, result_type=Snapshot)
    first, heard = await run_of(hasty, handle), 0
    for number in range(24):
        try:
            said = await latest.execute_update(
                ArbitrageWorkflow.retry_unwind, RetryRequest(f"ann {number}")
            )
        except WorkflowUpdateFailedError as refused:
            assert "WrongPhase" in str(refused.cause)  # noqa: PT017 - either is an answer
            continue
        heard += any(f"retry by ann {number}" == line.said for line in said.story)
    assert heard > 12
    assert await run_of(hasty, handle) != first
    told = await latest.execute_update(
        names.CLOSE_POSITION, CloseRequest("ann", loss_max=usd(0)), result_type=Snapshot
    )
    assert told.phase == Phase.NEEDS_OPERATOR
    assert told.closing
    before = await run_of(hasty, handle)
    async with asyncio.timeout(60):
        while await run_of(hasty, handle) == before:  # its own pauses have grown by now
            with suppress(WorkflowUpdateFailedError):
                await latest.execute_update(ArbitrageWorkflow.retry_unwind, RetryRequest("ann"))
    assert (await latest.query(ArbitrageWorkflow.snapshot)).closing
    await hasty.withdraw(pair, "kalshi")
    closed = await latest.execute_update(
        names.CLOSE_POSITION, CloseRequest("ann"), result_type=Snapshot
    )
    assert closed.phase == Phase.FLAT
    await assert_books_balance(hasty)


async def test_a_cancel_is_known_to_the_next_run_and_the_answer_ends_it(
    hasty: Trading, pair: str
) -> None:
    await hasty.control.fault("polymarket", pair, "sell", "kill", times=0)
    handle = await stuck(hasty, pair)
    await handle.cancel()
    latest: Handle = hasty.client.get_workflow_handle(handle.id, result_type=Snapshot)
    await hasty.until(latest, lambda snapshot: snapshot.closing)
    await until_continued(hasty, handle, await run_of(hasty, handle))
    assert (await latest.query(ArbitrageWorkflow.snapshot)).closing
    await hasty.control.resolve(pair, "yes", "yes")
    ended = await handle.result()
    assert (ended.phase, len(ended.verdicts)) == (Phase.SETTLED, 1)
    assert any(line.said == "cancelled" for line in ended.story)
    assert not alarms(hasty.database)
    await assert_books_balance(hasty)
