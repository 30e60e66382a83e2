"""A history of other code is found out, and one of ours is not."""

from collections.abc import AsyncIterator

from temporalio.client import WorkflowHistory

from app.operating.replaying import problems
from tests.workflows.record_histories import HISTORIES


async def recorded(*texts: str) -> AsyncIterator[WorkflowHistory]:
    """Histories from their JSON."""
    for number, text in enumerate(texts):
        yield WorkflowHistory.from_json(f"arb-{number}", text)


async def test_a_comparison_of_other_code_is_found_out_too() -> None:
    text = (HISTORIES / "reconciled.json").read_text(encoding="utf-8")
    other = text.replace('"name": "reconcile"', '"name": "another"')
    assert other != text
    assert [why is None async for _, why in problems(recorded(text, other))] == [True, False]


async def test_a_history_replays_until_one_step_of_it_is_another() -> None:
    text = (HISTORIES / "completed.json").read_text(encoding="utf-8")
    other = text.replace('"name": "price_exits"', '"name": "unwind"')
    assert other != text
    found = [(one.workflow_id, why) async for one, why in problems(recorded(text, other, text))]
    assert [workflow_id for workflow_id, _ in found] == ["arb-0", "arb-1", "arb-2"]
    assert [why is None for _, why in found] == [True, False, True]
