"""What the Temporal server and the core of its worker do for one arbitrage, in virtual time.

The saga is the product's own class in the SDK's own workflow instance, driven by activations as
the core drives it. A crash forgets the instance; a restart replays the activations and expects
the same commands.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import temporalio.common
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import TimeoutType
from temporalio.bridge.proto.activity_result import ActivityResolution
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.converter import DefaultFailureConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstanceDetails
from temporalio.workflow import Info, _Definition

from activities.messages import ArbitrageInput
from store.errors import JournalBusy
from tests.virtual import tasks
from tests.virtual.loop import VirtualLoop, running
from tests.virtual.payloads import ByReference
from tests.virtual.tasks import DISPATCH_MS, Scheduled
from venues.port import VenueUnreachable
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import Snapshot

Activities = Mapping[str, Callable[[Any], Awaitable[Any]]]
Say = Callable[[str], None]
TRANSIENT = (ApplicationError, VenueUnreachable, JournalBusy)
"""What activities raise in the ordinary course of business; anything else is a finding."""

_RUNNER = UnsandboxedWorkflowRunner()
_DEFINITION = _Definition.must_from_class(ArbitrageWorkflow)
_EPOCH = datetime.fromtimestamp(0, UTC)


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One activation as history keeps it, and the commands it led to."""

    at_us: int
    jobs: tuple[WorkflowActivationJob, ...]
    commands: tuple[str, ...]


class Server:
    """One workflow, its history, its timers and its activities."""

    def __init__(
        self, loop: VirtualLoop, plan: ArbitrageInput, activities: Activities, say: Say
    ) -> None:
        self.history: list[Batch] = []
        self.result: Snapshot | None = None
        self.replays = 0
        self.alive = True
        self.before_batch: Callable[[], bool] = lambda: True
        """Asked before each activation; False if the worker died of it."""
        self._loop, self._plan, self._activities, self._say = loop, plan, activities, say
        self._values = ByReference()
        self._environment = ActivityEnvironment()
        self._scheduled: dict[int, Scheduled] = {}
        self._timers: dict[int, Any] = {}
        self._missed: list[WorkflowActivationJob] = []
        self._updates = 0
        self._instance = self._new_instance()

    # The world's side.

    def start(self) -> None:
        """Begin the workflow."""
        job = WorkflowActivationJob()
        init = job.initialize_workflow
        init.workflow_type, init.workflow_id = _DEFINITION.name or "", self._plan.arb_id
        init.arguments.append(self._values.payload(self._plan))
        self._deliver(job)

    def update(self, name: str, argument: object) -> None:
        """A person's word."""
        self._updates += 1
        job = WorkflowActivationJob()
        update = job.do_update
        update.id = update.protocol_instance_id = f"update-{self._updates}"
        update.name, update.run_validator = name, True
        update.input.append(self._values.payload(argument))
        self._deliver(job)

    def cancel(self) -> None:
        """Ask the workflow to sell everything and end."""
        job = WorkflowActivationJob()
        job.cancel_workflow.reason = "asked to"
        self._deliver(job)

    def snapshot(self) -> Snapshot:
        """What a query would answer."""
        saga = self._instance._object
        return saga._trade.snapshot()  # type: ignore[no-any-return]

    def crash(self) -> None:
        """The worker is killed: its memory and everything it was about to do are gone."""
        self.alive = False
        self._evict()
        for scheduled in self._scheduled.values():
            if scheduled.running is None:
                continue
            scheduled.running.cancel()
            attempt, scheduled.running = scheduled.attempt, None
            beat = None if scheduled.local else tasks.ms(scheduled.spec.heartbeat_timeout)  # type: ignore[union-attr]
            if beat:
                self._loop.after_ms(beat, self._time_out, scheduled, attempt)

    def restart(self, activities: Activities) -> None:
        """Another worker replays the history and goes on."""
        self.alive, self._instance, self._activities = True, self._new_instance(), activities
        self.replays += 1
        for batch in self.history:
            found = self._summaries(self._activate(batch.at_us, batch.jobs, replaying=True))
            if found != batch.commands:
                raise Broken(f"replay differs: expected {batch.commands}, found {found}")
        for scheduled in [one for one in self._scheduled.values() if not one.done]:
            if scheduled.local or scheduled.waiting:
                scheduled.attempt = 0 if scheduled.local else scheduled.attempt
                self._loop.after_ms(DISPATCH_MS, self._attempt, scheduled)
        missed, self._missed = self._missed, []
        for job in missed:
            self._deliver(job)

    def close(self) -> None:
        """Let go of the instance's tasks."""
        if self.alive:
            self._evict()

    # The workflow's side.

    def _new_instance(self) -> Any:
        info = Info(
            attempt=1,
            continued_run_id=None,
            cron_schedule=None,
            execution_timeout=None,
            first_execution_run_id="run",
            headers={},
            namespace="default",
            original_execution_run_id="run",
            parent=None,
            root=None,
            priority=temporalio.common.Priority.default,
            raw_memo={},
            retry_policy=None,
            run_id="run",
            run_timeout=None,
            search_attributes={},
            start_time=_EPOCH,
            task_queue="virtual",
            task_timeout=timedelta(seconds=10),
            typed_search_attributes=temporalio.common.TypedSearchAttributes.empty,
            workflow_id=self._plan.arb_id,
            workflow_start_time=_EPOCH,
            workflow_type=_DEFINITION.name or "",
        )
        details = WorkflowInstanceDetails(
            payload_converter_factory=lambda: self._values,
            failure_converter_class=DefaultFailureConverter,
            interceptor_classes=[],
            defn=_DEFINITION,
            info=info,
            randomness_seed=0,
            extern_functions={"__temporal_assert_local_activity_valid": lambda _: None},
            disable_eager_activity_execution=False,
            worker_level_failure_exception_types=[],
            patch_activation_callback=None,
            last_completion_result=Payloads(),
            last_failure=None,
        )
        with running(self._loop):
            return _RUNNER.create_instance(details)

    def _evict(self) -> None:
        job = WorkflowActivationJob()
        job.remove_from_cache.SetInParent()
        self._activate(self._loop.now_us, (job,), replaying=True)

    def _deliver(self, job: WorkflowActivationJob) -> None:
        self._loop.call_soon(self._deliver_now, job)

    def _deliver_now(self, job: WorkflowActivationJob) -> None:
        if self.result is not None:
            return
        local = job.HasField("resolve_activity") and job.resolve_activity.is_local
        if not self.alive or not self.before_batch():
            if not local:  # what ran inside the worker died with it
                self._missed.append(job)
            return
        if job.HasField("resolve_activity"):
            self._scheduled[job.resolve_activity.seq].close()
        commands = self._activate(self._loop.now_us, (job,), replaying=False)
        summaries = self._summaries(commands)
        self.history.append(Batch(self._loop.now_us, (job,), summaries))
        for command in commands:
            self._obey(command)

    def _activate(
        self, at_us: int, jobs: tuple[WorkflowActivationJob, ...], *, replaying: bool
    ) -> list[WorkflowCommand]:
        activation = WorkflowActivation(run_id="run", is_replaying=replaying, jobs=jobs)
        activation.timestamp.FromMicroseconds(at_us)
        with running(None):
            completion = self._instance.activate(activation)
        if completion.HasField("failed"):
            raise Broken(f"a workflow task failed: {completion.failed.failure.message}")
        return list(completion.successful.commands)

    def _summaries(self, commands: list[WorkflowCommand]) -> tuple[str, ...]:
        return tuple(map(tasks.summary, commands))

    def _obey(self, command: WorkflowCommand) -> None:
        match command.WhichOneof("variant"):
            case "schedule_activity":
                self._schedule(command.schedule_activity, local=False)
            case "schedule_local_activity":
                self._schedule(command.schedule_local_activity, local=True)
            case "request_cancel_activity":
                self._give_up(self._scheduled[command.request_cancel_activity.seq])
            case "start_timer":
                timer = command.start_timer
                after = tasks.ms(timer.start_to_fire_timeout)
                self._timers[timer.seq] = self._loop.after_ms(after, self._fire, timer.seq)
            case "cancel_timer":
                self._timers.pop(command.cancel_timer.seq).cancel()
            case "complete_workflow_execution":
                self.result = self._values.value(command.complete_workflow_execution.result)
                self._say(f"workflow ends {self.result.phase} {self.result.status}")
            case "update_response":
                answer = command.update_response.WhichOneof("response")
                self._say(f"{command.update_response.protocol_instance_id} is {answer}")
            case "upsert_workflow_search_attributes":
                pass
            case unknown:
                raise Broken(f"expected a command this server knows, found {unknown}: {command}")

    def _fire(self, seq: int) -> None:
        self._timers.pop(seq)
        job = WorkflowActivationJob()
        job.fire_timer.seq = seq
        self._deliver(job)

    # The activities' side.

    def _schedule(self, spec: Any, *, local: bool) -> None:
        scheduled = Scheduled(spec, local, self._values.value(spec.arguments[0]))
        self._scheduled[spec.seq] = scheduled

        def unstarted() -> None:
            if not scheduled.attempt:
                self._fail(scheduled, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START)

        def unfinished() -> None:
            self._fail(scheduled, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE)

        if not local:
            scheduled.limit(self._loop, spec.schedule_to_start_timeout, unstarted)
            scheduled.limit(self._loop, spec.schedule_to_close_timeout, unfinished)
        self._loop.after_ms(0 if local else DISPATCH_MS, self._attempt, scheduled)

    def _attempt(self, scheduled: Scheduled) -> None:
        if scheduled.done or scheduled.running is not None:
            return
        scheduled.waiting = not self.alive
        if scheduled.waiting:
            return
        scheduled.attempt += 1
        attempt = scheduled.attempt
        run = self._environment.run(self._activities[scheduled.name], scheduled.argument)
        scheduled.running = self._loop.create_task(run)  # type: ignore[arg-type]
        scheduled.running.add_done_callback(lambda done: self._finished(scheduled, attempt, done))
        if not scheduled.local:
            self._loop.after_ms(
                tasks.ms(scheduled.spec.start_to_close_timeout), self._time_out, scheduled, attempt
            )

    def _finished(self, scheduled: Scheduled, attempt: int, done: Any) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if scheduled.done or scheduled.attempt != attempt or scheduled.running is None:
            return
        scheduled.running = None
        if error is None:
            resolution = ActivityResolution()
            resolution.completed.result.CopyFrom(self._values.payload(done.result()))
            self._resolve(scheduled, resolution)
        elif isinstance(error, TRANSIENT):
            self._again(scheduled, tasks.application_error(error))
        else:
            self._loop.failure = error

    def _time_out(self, scheduled: Scheduled, attempt: int) -> None:
        """An attempt did not report in time: its worker is dead, or it is too slow."""
        if scheduled.done or scheduled.attempt != attempt:
            return
        if scheduled.running is not None:
            scheduled.running.cancel()
            scheduled.running = None
        self._again(scheduled, tasks.timed_out(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE))

    def _again(self, scheduled: Scheduled, cause: Any) -> None:
        if scheduled.attempts_max and scheduled.attempt >= scheduled.attempts_max:
            self._resolve(scheduled, tasks.failed(scheduled, cause))
        else:
            self._loop.after_ms(scheduled.pause_ms(), self._attempt, scheduled)

    def _fail(self, scheduled: Scheduled, kind: "TimeoutType.ValueType") -> None:
        if not scheduled.done:
            if scheduled.running is not None:
                scheduled.running.cancel()
                scheduled.running = None
            self._resolve(scheduled, tasks.failed(scheduled, tasks.timed_out(kind)))

    def _give_up(self, scheduled: Scheduled) -> None:
        if not scheduled.done:
            if scheduled.running is not None:
                scheduled.running.cancel()
                scheduled.running = None
            self._resolve(scheduled, tasks.cancelled(scheduled))

    def _resolve(self, scheduled: Scheduled, resolution: ActivityResolution) -> None:
        scheduled.done = not scheduled.local
        job = WorkflowActivationJob()
        job.resolve_activity.seq = scheduled.spec.seq
        job.resolve_activity.is_local = scheduled.local
        job.resolve_activity.result.CopyFrom(resolution)
        self._deliver(job)
