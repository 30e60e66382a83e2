"""What a Temporal server of others does of what we ask of it: read off its own answers where it
tells, and tried where it does not."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import (
    Command,
    ScheduleActivityTaskCommandAttributes,
    StartTimerCommandAttributes,
)
from temporalio.api.common.v1 import ActivityType, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    GetSystemInfoRequest,
    ListTaskQueuePartitionsRequest,
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from app.temporal import DYNAMIC_CONFIG
from app.temporal_binary import SERVER_SERIES

EAGER_ACTIVITIES = "system.enableActivityEagerExecution"
EAGER_START = "system.enableEagerWorkflowStart"
UPDATES = "frontend.enableUpdateWorkflowExecution"
TIMERS = "history.timerProcessorMaxTimeShift"
READ_PARTITIONS = "matching.numTaskqueueReadPartitions"
WRITE_PARTITIONS = "matching.numTaskqueueWritePartitions"
DYNAMIC_FILE = "deploy/temporal/dynamic.yaml"
PROBE = "lockstep-probe"
PROBE_SECONDS = 10
"""How long a trial may take; what is left of one that was cut off ends by then."""
LATE_SECONDS_MAX = 0.25
RETENTION = timedelta(days=30)
"""How long Temporal remembers what has ended, and knows its id again."""


@dataclass(frozen=True, slots=True)
class Lack:
    """A setting that is not as we ask: its key, what follows, whether nothing is started so."""

    key: str
    follows: str
    refused: bool

    @property
    def line(self) -> str:
        """The line of the server's dynamic configuration that mends it."""
        return f"{self.key}: [{{value: {DYNAMIC_CONFIG[self.key]}}}]"

    def __str__(self) -> str:
        return (
            f"Temporal's dynamic configuration lacks `{self.line}` (as in {DYNAMIC_FILE}): "
            f"{self.follows}"
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """What the server did with a workflow of nobody: whether its first task came back with the
    start, its activity with the answer to that task, and by how many seconds its timer was late,
    if that was waited for."""

    eager_start: bool
    eager_activity: bool
    late_s: float | None


async def refusals(client: Client) -> list[Lack]:
    """The settings without which no executor begins to trade. Raises RPCError."""
    described = await _namespace(client)
    can, trial = described.namespace_info.capabilities, await tried(client, timer=False)
    return _refused(trial, updates=can.sync_update)


async def lacks(client: Client, queue: str) -> list[Lack]:
    """Every setting that is not as we ask, the refused ones first; what no answer and no trial
    tells (frontend.namespaceRPS) is not among them. Raises RPCError."""
    described = await _namespace(client)
    trial = await tried(client, timer=True)
    found = _refused(trial, updates=described.namespace_info.capabilities.sync_update)
    if trial.late_s is not None and trial.late_s > LATE_SECONDS_MAX:
        found.append(
            Lack(
                TIMERS,
                f"a timer of a millisecond fired {trial.late_s:.1f} s late, and so late is a sale "
                "or a question tried again",
                refused=False,
            )
        )
    if (parts := await _partitions(client, queue)) > 1:
        follows = f"{queue} has {parts} partitions, and a task waits while it looks for its poller"
        found += [Lack(key, follows, refused=False) for key in (READ_PARTITIONS, WRITE_PARTITIONS)]
    return found


async def other_series(client: Client) -> str | None:
    """The version of the server where it is of another series than the one that was tested."""
    told = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    same = told.server_version.startswith(f"{SERVER_SERIES}.")
    return None if same else told.server_version or "unknown"


async def forgets_after(client: Client) -> timedelta | None:
    """How long the namespace remembers what has ended, where that is too short."""
    described = await _namespace(client)
    kept: timedelta = described.config.workflow_execution_retention_ttl.ToTimedelta()
    return kept if kept < RETENTION else None


async def tried(client: Client, *, timer: bool) -> Trial:
    """Play the first steps of an arbitrage on a queue that nobody else polls, as the worker that
    gets them. Nothing of it is left. Raises RPCError."""
    service, workflow_id = client.workflow_service, f"{PROBE}-{uuid4().hex}"
    started = await service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=PROBE),
            task_queue=TaskQueue(name=workflow_id),
            workflow_execution_timeout=_seconds(PROBE_SECONDS),
            workflow_task_timeout=_seconds(PROBE_SECONDS),
            identity=PROBE,
            request_id=workflow_id,
            request_eager_execution=True,
        )
    )
    eager = started.HasField("eager_workflow_task")
    try:
        token = started.eager_workflow_task.task_token
        if not eager:
            token, _ = await _polled(client, workflow_id)
        answered = await service.respond_workflow_task_completed(
            RespondWorkflowTaskCompletedRequest(
                namespace=client.namespace,
                task_token=token,
                identity=PROBE,
                commands=_commands(workflow_id, timer=timer),
            )
        )
        late = _late((await _polled(client, workflow_id))[1]) if timer else None
    finally:
        with suppress(RPCError):  # who may not delete leaves it to the timeout of the workflow
            await service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(
                    namespace=client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                )
            )
    return Trial(eager, bool(answered.activity_tasks), late)


def _refused(trial: Trial, *, updates: bool) -> list[Lack]:
    asked = {
        EAGER_ACTIVITIES: (
            trial.eager_activity,
            "orders wait for a task queue and for each other, and leave several times later",
        ),
        EAGER_START: (trial.eager_start, "a trade waits for a task queue before it begins"),
        UPDATES: (updates, "no person could close, retry or resolve what is open"),
    }
    return [Lack(key, said, refused=True) for key, (does, said) in asked.items() if not does]


def _commands(queue: str, *, timer: bool) -> list[Command]:
    """An activity that wants to come back with the answer, and a timer of a millisecond."""
    activity = Command(
        command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        schedule_activity_task_command_attributes=ScheduleActivityTaskCommandAttributes(
            activity_id="1",
            activity_type=ActivityType(name=PROBE),
            task_queue=TaskQueue(name=queue),
            schedule_to_close_timeout=_seconds(PROBE_SECONDS),
            start_to_close_timeout=_seconds(PROBE_SECONDS),
            request_eager_execution=True,
        ),
    )
    waits = Command(
        command_type=CommandType.COMMAND_TYPE_START_TIMER,
        start_timer_command_attributes=StartTimerCommandAttributes(
            timer_id="1", start_to_fire_timeout=Duration(nanos=1_000_000)
        ),
    )
    return [activity, waits] if timer else [activity]


async def _polled(client: Client, queue: str) -> tuple[bytes, list[HistoryEvent]]:
    """The next workflow task there, and the history that comes with it."""
    task = await client.workflow_service.poll_workflow_task_queue(
        PollWorkflowTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), identity=PROBE
        ),
        timeout=timedelta(seconds=PROBE_SECONDS),
    )
    return task.task_token, list(task.history.events)


def _late(events: list[HistoryEvent]) -> float | None:
    """Seconds between a timer's start and its end; None where it has not ended."""
    at = {one.event_type: one.event_time.ToDatetime() for one in events}
    fired = at.get(EventType.EVENT_TYPE_TIMER_FIRED)
    started = at.get(EventType.EVENT_TYPE_TIMER_STARTED)
    return None if fired is None or started is None else (fired - started).total_seconds()


async def _namespace(client: Client) -> DescribeNamespaceResponse:
    return await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace)
    )


async def _partitions(client: Client, queue: str) -> int:
    """How many the queue has; 1 where the server tells nobody."""
    try:
        told = await client.workflow_service.list_task_queue_partitions(
            ListTaskQueuePartitionsRequest(
                namespace=client.namespace, task_queue=TaskQueue(name=queue)
            )
        )
    except RPCError as refused:
        if refused.status in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED):
            return 1
        raise
    return max(len(told.workflow_task_queue_partitions), len(told.activity_task_queue_partitions))


def _seconds(number: int) -> Duration:
    return Duration(seconds=number)
