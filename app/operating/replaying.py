"""Whether open arbitrages could go on under this version of the program: their histories, replayed
here, must ask for the same as when they happened."""

from collections.abc import AsyncIterator

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
from workflows.reconcile import ReconcileWorkflow

OPEN = f"WorkflowType = '{names.ARBITRAGE}' AND ExecutionStatus = 'Running'"


async def replay_open(config: Config) -> Replayed:
    """Replay every arbitrage that has not ended, on the namespace of the configuration. It asks
    for histories only: nothing of a trade is touched."""
    client = await temporal(config)
    checked, differing = 0, []
    try:
        async for history, why in problems(client.list_workflows(OPEN).map_histories()):
            checked += 1
            if why is not None:
                differing.append(Differing(workflow_id=history.workflow_id, why=why))
    except RPCError as trouble:
        raise DependencyError(f"Temporal: {trouble}") from None
    return Replayed(checked=checked, differing=differing)


async def problems(
    histories: AsyncIterator[WorkflowHistory],
) -> AsyncIterator[tuple[WorkflowHistory, str | None]]:
    """Each history, with what differs or None for nothing. One worker replays them all."""
    replayer = Replayer(
        workflows=[ArbitrageWorkflow, ReconcileWorkflow],
        data_converter=DATA_CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with replayer.workflow_replay_iterator(histories) as results:
        async for one in results:
            failure = one.replay_failure
            yield one.history, None if failure is None else str(failure)
