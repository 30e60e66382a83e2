"""Temporal's word on the workflows of arbitrages."""

from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.adopt import WorkflowState, WorkflowsUnreachable
from activities.messages import ArbitrageInput
from app.intake import start
from domain.opportunity import Opportunity
from domain.policy import Bounds, Timing
from domain.standing import Word
from domain.venue import Mode
from workflows import names

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WorkflowList:
    """Looks workflows up and starts those that adopt (activities.adopt.Workflows)."""

    def __init__(self, client: Client, task_queue: str, bounds: Bounds, timing: Timing) -> None:
        self._client = client
        self._task_queue = task_queue
        self._bounds = bounds
        self._timing = timing

    async def state(self, arb_id: str, adopted: int) -> WorkflowState:
        """By the workflow's own record, which is never behind."""
        handle = self._client.get_workflow_handle(names.workflow_id(arb_id, adopted))
        try:
            found = await handle.describe()
        except RPCError as trouble:
            if (
                trouble.status is RPCStatusCode.NOT_FOUND
                and "namespace" not in str(trouble).lower()
            ):
                return WorkflowState.MISSING
            raise WorkflowsUnreachable(str(trouble)) from trouble
        running = found.status is WorkflowExecutionStatus.RUNNING
        return WorkflowState.RUNNING if running else WorkflowState.CLOSED

    async def adopt(
        self,
        arb_id: str,
        adopted: int,
        opportunity: Opportunity,
        mode: Mode,
        bounds: Bounds | None,
        word: Word | None,
    ) -> None:
        """Under the bounds that the gate wrote down. The pauses are today's: they bound no loss,
        and what a person changed about them is meant for what runs now."""
        kept = bounds or self._bounds
        plan = ArbitrageInput(arb_id, opportunity, mode, kept, self._timing, adopted, word=word)
        try:
            await start(self._client, self._task_queue, plan)
        except WorkflowAlreadyStartedError:
            return
        except RPCError as trouble:
            raise WorkflowsUnreachable(str(trouble)) from trouble

    async def running(self) -> dict[str, int]:
        """By Temporal's list, which may be a moment behind."""
        query = (
            f"WorkflowType = '{names.ARBITRAGE}' AND ExecutionStatus = 'Running' "
            f"AND TaskQueue = '{self._task_queue}'"
        )
        try:
            return {
                names.arb_of(one.id): int((one.start_time - _EPOCH).total_seconds() * 1000)
                async for one in self._client.list_workflows(query)
            }
        except RPCError as trouble:
            raise WorkflowsUnreachable(str(trouble)) from trouble
