"""Time limits and retries of every activity. An order is never re-sent by a retry policy."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from domain.policy import Timing

_ONCE = RetryPolicy(maximum_attempts=1)


REST_AFTER = 100
"""Steps after which a run leaves its history behind: a step adds less than sixty events, and
Temporal ends a workflow of 51,200. What the server suggests has come a task earlier in a replay
than it came live, so new runs do not go by it."""


class LocalOptions(TypedDict):
    """Arguments of `workflow.execute_local_activity`."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class ActivityOptions(TypedDict, total=False):
    """Arguments of `workflow.execute_activity`."""

    schedule_to_start_timeout: timedelta
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


LOCAL: LocalOptions = {
    "start_to_close_timeout": timedelta(seconds=2),
    "schedule_to_close_timeout": timedelta(seconds=4),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=50), backoff_coefficient=2, maximum_attempts=5
    ),
}

# The heartbeat lets the server notice a killed executor within its time-out instead of at
# start-to-close; a false alarm costs a question to the venue, never an order.
ORDER: ActivityOptions = {
    "schedule_to_start_timeout": timedelta(seconds=2),
    "start_to_close_timeout": timedelta(seconds=6),
    "schedule_to_close_timeout": timedelta(seconds=8),
    "heartbeat_timeout": timedelta(milliseconds=1_500),
    "retry_policy": _ONCE,
}

# Before such an order the venue is read, for as long as activities.step allows; an order that was
# planned as late as that has the time that an entry has.
STEP: ActivityOptions = {
    **ORDER,
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_close_timeout": timedelta(seconds=12),
}

RECORD: ActivityOptions = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)
    ),
}


RECONCILE: ActivityOptions = {
    "schedule_to_start_timeout": timedelta(seconds=20),
    "start_to_close_timeout": timedelta(seconds=60),
    "retry_policy": _ONCE,
}


def task_timeout(timing: Timing) -> timedelta:
    """How long a dead worker may hold a workflow task."""
    return timedelta(milliseconds=timing.task_timeout_ms)


def resolve(timing: Timing) -> ActivityOptions:
    """Ask again and again until the answer is definite: no time limit over compensation. One
    round of questions has time for each source of a venue to be silent for as long as a read may
    be, so that the others are heard; that an executor died, the heartbeat tells sooner."""
    return {
        "start_to_close_timeout": timedelta(seconds=40),
        "heartbeat_timeout": ORDER["heartbeat_timeout"],
        "retry_policy": RetryPolicy(
            initial_interval=timedelta(milliseconds=timing.resolve_pause_ms),
            backoff_coefficient=1.5,
            maximum_interval=timedelta(milliseconds=timing.resolve_pause_ms_max),
        ),
    }


def watch(timing: Timing, *, settled: bool) -> ActivityOptions:
    """Look at a held pair at a steady pace; waiting by retries adds nothing to the history."""
    pause = timing.settle_pause_ms if settled else timing.provisional_pause_ms
    return {
        "start_to_close_timeout": timedelta(seconds=10),
        "retry_policy": RetryPolicy(
            initial_interval=timedelta(milliseconds=pause), backoff_coefficient=1
        ),
        "cancellation_type": ActivityCancellationType.TRY_CANCEL,
    }
