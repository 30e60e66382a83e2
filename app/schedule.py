"""The schedule that keeps comparing; made again where Temporal has lost it."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError

from activities.adopt import WorkflowsUnreachable
from workflows import names
from workflows.reconcile import ReconcileWorkflow

EVERY = timedelta(seconds=10)
"""How often a comparison may be due; the activity lets most turns pass while nothing moves."""


async def keep_schedule(client: Client, task_queue: str) -> None:
    """Make sure that the schedule exists. Raises WorkflowsUnreachable."""
    name = f"{names.RECONCILE_ID}-{task_queue}"
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            ReconcileWorkflow.run,
            id=name,
            task_queue=task_queue,
            run_timeout=timedelta(minutes=2),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(seconds=10)
        ),
    )
    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        return
    except RPCError as trouble:
        raise WorkflowsUnreachable(f"the schedule {name}: {trouble}") from trouble
