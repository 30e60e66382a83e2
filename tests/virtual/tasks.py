"""One scheduled activity as the server sees it: attempts, time limits, one result."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.failure.v1 import ActivityFailureInfo, Failure
from temporalio.bridge.proto.activity_result import ActivityResolution
from temporalio.bridge.proto.workflow_commands import (
    ScheduleActivity,
    ScheduleLocalActivity,
    WorkflowCommand,
)

from tests.virtual.loop import VirtualLoop

DISPATCH_MS = 1


@dataclass(slots=True)
class Scheduled:
    """An activity that a workflow asked for."""

    spec: ScheduleActivity | ScheduleLocalActivity
    local: bool
    argument: Any
    attempt: int = 0
    running: asyncio.Task[Any] | None = None
    done: bool = False
    waiting: bool = False
    timers: list[asyncio.Handle] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For traces."""
        return str(self.spec.activity_type)

    @property
    def attempts_max(self) -> int:
        """0 for no limit."""
        return int(self.spec.retry_policy.maximum_attempts)

    def pause_ms(self) -> int:
        """Before the next attempt, by the retry policy."""
        policy = self.spec.retry_policy
        first = ms(policy.initial_interval) or 1000
        pause = first * (policy.backoff_coefficient or 2) ** (self.attempt - 1)
        highest = ms(policy.maximum_interval) or first * 100
        return int(min(pause, highest))

    def limit(self, loop: VirtualLoop, duration: Duration, then: Callable[[], None]) -> None:
        """Call `then` after that time, if there is such a limit."""
        if ms(duration):
            self.timers.append(loop.after_ms(ms(duration), then))

    def close(self) -> None:
        """Nothing more happens to it."""
        self.done = True
        for timer in self.timers:
            timer.cancel()


def ms(duration: Duration) -> int:
    """Milliseconds of a protobuf duration."""
    return int(duration.ToTimedelta() / timedelta(milliseconds=1))


def failed(task: Scheduled, cause: Failure) -> ActivityResolution:
    """The activity failed for good."""
    resolution = ActivityResolution()
    resolution.failed.failure.CopyFrom(_failure(task, cause))
    return resolution


def cancelled(task: Scheduled) -> ActivityResolution:
    """The workflow gave it up."""
    cause = Failure(message="cancelled")
    cause.canceled_failure_info.SetInParent()
    resolution = ActivityResolution()
    resolution.cancelled.failure.CopyFrom(_failure(task, cause))
    return resolution


def timed_out(kind: "TimeoutType.ValueType") -> Failure:
    """A time limit passed."""
    cause = Failure(message=f"activity {TimeoutType.Name(kind)}")
    cause.timeout_failure_info.timeout_type = kind
    return cause


def application_error(error: BaseException) -> Failure:
    """The activity raised."""
    cause = Failure(message=str(error))
    cause.application_failure_info.type = getattr(error, "type", None) or type(error).__name__
    return cause


def _failure(task: Scheduled, cause: Failure) -> Failure:
    info = ActivityFailureInfo(activity_id=task.spec.activity_id)
    info.activity_type.name = task.name
    return Failure(message="activity error", activity_failure_info=info, cause=cause)


def summary(command: WorkflowCommand) -> str:
    """What of a command has to be the same on replay."""
    variant = command.WhichOneof("variant") or "nothing"
    body = getattr(command, variant)
    names = ("seq", "activity_type", "activity_id", "protocol_instance_id")
    known = [str(getattr(body, name)) for name in names if name in body.DESCRIPTOR.fields_by_name]
    return " ".join([variant, *known])
