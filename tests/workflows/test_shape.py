"""How a run looks to Temporal: eager, readable in its UI, and loadable in the strict sandbox."""

import uuid
from collections.abc import Callable
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from app.payloads import DATA_CONVERTER
from domain.money import plain
from domain.trade import Phase
from tests.support.trading import Trading
from workflows import story
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import Snapshot

Handle = WorkflowHandle[ArbitrageWorkflow, Snapshot]


async def test_the_start_and_both_legs_are_eager(
    steady: Trading, new_pair: Callable[[], str]
) -> None:
    """Started in the transaction that scheduled them: no poll lies between. A machine that stands
    still between the two events of one transaction does so once, a poll takes its time always."""
    waits = [await _eager_legs(await steady.hold(new_pair())) for _ in range(3)]
    assert min(waits) <= 1, f"milliseconds between schedule and start of both legs: {waits}"


async def _eager_legs(handle: Handle) -> int:
    """Milliseconds that the slower leg waited to be started; scheduled by the first task."""
    assert getattr(handle, "__temporal_eagerly_started") is True
    events = (await handle.fetch_history()).events
    tasks = [e for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    legs = {
        e.event_id: e
        for e in events
        if e.activity_task_scheduled_event_attributes.activity_id.startswith("place:")
    }
    begun = [
        e for e in events if e.activity_task_started_event_attributes.scheduled_event_id in legs
    ]
    assert len(legs) == len(begun) == 2
    first = tasks[0].event_id
    for leg in legs.values():
        attributes = leg.activity_task_scheduled_event_attributes
        assert attributes.workflow_task_completed_event_id == first
    waits = []
    for start in begun:
        leg = legs[start.activity_task_started_event_attributes.scheduled_event_id]
        waits.append(start.event_time.ToMilliseconds() - leg.event_time.ToMilliseconds())
    return max(waits)


async def test_an_arbitrage_reads_well_in_the_temporal_ui(steady: Trading, pair: str) -> None:
    handle = await steady.reach(pair, Phase.UNWINDING, gone="polymarket")
    snapshot = await handle.result()
    assert snapshot.phase == Phase.FLAT
    described = await handle.describe()
    summary = await described.static_summary()
    details = await described.static_details()
    assert summary is not None
    assert summary.startswith(f"{snapshot.size} × YES polymarket @ ")
    assert "NO kalshi @ " in summary
    assert len(summary.encode()) <= 200
    assert details is not None
    assert f"pair `{pair}`" in details
    found = described.typed_search_attributes
    assert found[story.PHASE] == "FLAT"
    assert found[story.OUTCOME] == "ROLLED_BACK"
    assert found[story.PAIR] == pair
    assert found[story.MODE] == "sim"
    assert found[story.NEEDS_OPERATOR] is False
    assert found[story.PNL] < 0 < found[story.STAKE]
    labels = await _labels(handle)
    assert labels["place:polymarket"].startswith("buy YES polymarket @ 0.5")
    assert labels["place:kalshi"].startswith("buy NO kalshi @ 0.42")
    (sale,) = (label for name, label in labels.items() if name.startswith("unwind:"))
    # The size hangs on the fee rate of the market that this test happens to get.
    assert snapshot.kalshi.state.bought == snapshot.size
    assert sale == f"sell {plain(snapshot.size)} at kalshi, fill or kill"


async def _labels(handle: Handle) -> dict[str, str]:
    """The label of every activity on the timeline, by the activity's id."""
    found: dict[str, str] = {}
    for event in (await handle.fetch_history()).events:
        name = event.activity_task_scheduled_event_attributes.activity_id
        if name:
            (label,) = await DATA_CONVERTER.decode([event.user_metadata.summary], [str])
            assert label, f"{name} has no label"
            found[name] = label
    return found


async def test_current_details_tell_both_legs_and_the_story(steady: Trading, pair: str) -> None:
    handle = await steady.hold(pair)
    metadata: Any = await handle.query("__temporal_workflow_metadata")
    text = str(metadata)
    for said in ("**HOLDING**", "| polymarket | 2", "| kalshi | 2", "PLACING: both orders"):
        assert said in text, text


async def test_the_workflow_loads_in_the_strict_sandbox(steady: Trading) -> None:
    """Without everything passed through: what workflow code imports is fit for a workflow."""
    Worker(
        steady.client,
        task_queue=f"strict-{uuid.uuid4().hex}",
        workflows=[ArbitrageWorkflow],
        workflow_runner=SandboxedWorkflowRunner(),
    )
