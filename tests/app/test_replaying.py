"""A history of other code is found out, and one of ours is not."""

from temporalio.client import WorkflowHistory

from app.operating.replaying import problem
from tests.workflows.record_histories import HISTORIES


def recorded(text: str) -> WorkflowHistory:
    """A history from its JSON."""
    return WorkflowHistory.from_json("arb-1", text)


async def test_a_history_replays_until_one_step_of_it_is_another() -> None:
    text = (HISTORIES / "completed.json").read_text(encoding="utf-8")
    assert await problem(recorded(text)) is None
    other = text.replace('"name": "price_exits"', '"name": "unwind"')
    assert other != text
    assert await problem(recorded(other)) is not None
