"""The same saga in the SDK's own workflow instance, driven as the core drives it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import temporalio.common
from temporalio.api.common.v1 import Payloads
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.common import RetryPolicy
from temporalio.converter import DefaultFailureConverter
from temporalio.exceptions import ActivityError, CancelledError
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstanceDetails
from temporalio.workflow import Info, _Definition

from activities.messages import ArbitrageInput
from tests.virtual.loop import VirtualLoop, running
from tests.virtual.payloads import ByReference
from tests.virtual.saga import Command, Job, SagaFailed
from workflows.arbitrage import ArbitrageWorkflow

_RUNNER = UnsandboxedWorkflowRunner()
_DEFINITION = _Definition.must_from_class(ArbitrageWorkflow)
_EPOCH = datetime.fromtimestamp(0, UTC)
_QUIET = ("upsert_workflow_search_attributes", "set_patch_marker")


class SdkSaga:
    """One instance of the workflow."""

    def __init__(self, plan: ArbitrageInput) -> None:
        self._plan = plan
        self._values = ByReference()
        self._failures = DefaultFailureConverter()
        self._instance = self._new_instance()

    def activate(self, now_us: int, job: Job) -> list[Command]:
        """Tell the workflow and run it until it waits; the commands that this led to."""
        return [
            self._command(command)
            for command in self._activate(now_us, self._job(job))
            if command.WhichOneof("variant") not in _QUIET
        ]

    def evict(self) -> None:
        """Forget it."""
        job = WorkflowActivationJob()
        job.remove_from_cache.SetInParent()
        self._activate(0, job)

    def _activate(self, now_us: int, job: WorkflowActivationJob) -> list[WorkflowCommand]:
        activation = WorkflowActivation(run_id="run", jobs=[job])
        activation.timestamp.FromMicroseconds(now_us)
        with running(None):
            completion = self._instance.activate(activation)
        if completion.HasField("failed"):
            raise SagaFailed(f"a workflow task failed: {completion.failed.failure.message}")
        return list(completion.successful.commands)

    def _job(self, job: Job) -> WorkflowActivationJob:
        made = WorkflowActivationJob()
        match job.what:
            case "start":
                made.initialize_workflow.workflow_type = _DEFINITION.name or ""
                made.initialize_workflow.workflow_id = self._plan.arb_id
                made.initialize_workflow.arguments.append(self._values.payload(self._plan))
            case "result" | "failure":
                made.resolve_activity.seq = job.seq
                made.resolve_activity.is_local = job.local
                self._resolution(made.resolve_activity.result, job)
            case "timer":
                made.fire_timer.seq = job.seq
            case "update":
                made.do_update.id = made.do_update.protocol_instance_id = str(job.seq)
                made.do_update.name, made.do_update.run_validator = job.name, True
                made.do_update.input.append(self._values.payload(job.value))
            case "cancel":
                made.cancel_workflow.reason = "asked to"
            case unknown:
                raise SagaFailed(f"expected a job the core knows, found {unknown}")
        return made

    def _resolution(self, result: Any, job: Job) -> None:
        if job.what == "result":
            result.completed.result.CopyFrom(self._values.payload(job.value))
            return
        assert isinstance(job.value, ActivityError), f"expected an ActivityError, found {job.value}"
        cancelled = isinstance(job.value.cause, CancelledError)
        failure = (result.cancelled if cancelled else result.failed).failure
        self._failures.to_failure(job.value, self._values, failure)

    def _command(self, command: WorkflowCommand) -> Command:
        match command.WhichOneof("variant"):
            case "schedule_activity":
                return self._activity("activity", command.schedule_activity)
            case "schedule_local_activity":
                return self._activity("local activity", command.schedule_local_activity)
            case "request_cancel_activity":
                return Command("give up", command.request_cancel_activity.seq)
            case "start_timer":
                timer = command.start_timer
                return Command("timer", timer.seq, value=_ms(timer.start_to_fire_timeout))
            case "cancel_timer":
                return Command("stop timer", command.cancel_timer.seq)
            case "complete_workflow_execution":
                result = self._values.value(command.complete_workflow_execution.result)
                return Command("ended", value=result)
            case "continue_as_new_workflow_execution":
                again = command.continue_as_new_workflow_execution
                return Command("continued", value=self._values.value(again.arguments[0]))
            case "update_response":
                response = command.update_response
                what = response.WhichOneof("response")
                name = "answered" if what == "completed" else str(what)
                return Command(name, int(response.protocol_instance_id))
            case unknown:
                raise SagaFailed(f"expected a command this server knows, found {unknown}")

    def _activity(self, what: str, spec: Any) -> Command:
        policy = spec.retry_policy
        local = what == "local activity"
        return Command(
            what,
            spec.seq,
            spec.activity_type,
            spec.activity_id,
            self._values.value(spec.arguments[0]),
            RetryPolicy(
                initial_interval=policy.initial_interval.ToTimedelta(),
                backoff_coefficient=policy.backoff_coefficient,
                maximum_interval=policy.maximum_interval.ToTimedelta() or None,
                maximum_attempts=policy.maximum_attempts,
            ),
            _ms(spec.schedule_to_start_timeout),
            _ms(spec.schedule_to_close_timeout),
            _ms(spec.start_to_close_timeout),
            0 if local else _ms(spec.heartbeat_timeout),
        )

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
        with running(VirtualLoop()):  # type: ignore[abstract]  # it asks for a loop, never uses it
            return _RUNNER.create_instance(details)


def _ms(duration: Any) -> int:
    return int(duration.ToTimedelta() // timedelta(milliseconds=1))
