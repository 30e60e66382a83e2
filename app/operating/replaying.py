"""Whether open arbitrages could go on under this version of the program: their histories, replayed
here, must ask for the same as when they happened."""

from temporalio.client import WorkflowHistory
from temporalio.service import RPCError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from app.config import Config
from app.errors import DependencyError
from app.operating.outputs_journal import Differing, Replayed
from app.operating.staff import temporal
from app.payloads import DATA_CONVERTER
from workflows import names
from workflows.arbitrage import ArbitrageWorkflow

OPEN = f"WorkflowType = '{names.ARBITRAGE}' AND ExecutionStatus = 'Running'"


async def replay_open(config: Config) -> Replayed:
    """Replay every arbitrage that has not ended, on the namespace of the configuration. It asks
    for histories only: nothing of a trade is touched."""
    client = await temporal(config)
    checked, differing = 0, []
    try:
        async for history in client.list_workflows(OPEN).map_histories():
            checked += 1
            if (why := await problem(history)) is not None:
                differing.append(Differing(workflow_id=history.workflow_id, why=why))
    except RPCError as trouble:
        raise DependencyError(f"Temporal: {trouble}") from None
    return Replayed(checked=checked, differing=differing)


async def problem(history: WorkflowHistory) -> str | None:
    """What differs, None for nothing."""
    replayer = Replayer(
        workflows=[ArbitrageWorkflow],
        data_converter=DATA_CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return None if result.replay_failure is None else str(result.replay_failure)
