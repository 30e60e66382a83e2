"""Whether a recorded history still is what the code of today would do."""

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from app.payloads import DATA_CONVERTER
from workflows.arbitrage import ArbitrageWorkflow


async def problem(history: WorkflowHistory) -> str | None:
    """What differs, None for nothing."""
    replayer = Replayer(
        workflows=[ArbitrageWorkflow],
        data_converter=DATA_CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return None if result.replay_failure is None else str(result.replay_failure)
