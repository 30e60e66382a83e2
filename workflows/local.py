"""Local activities, whose loss reads the same when a history is replayed."""

from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from activities.messages import Activity
    from workflows import options

T = TypeVar("T")


class Lost(Exception):
    """No result within the time and the tries of a local activity; the text says why."""


async def run_local(activity: Activity, request: object, result: type[T], summary: str) -> T:
    """The result of a local activity; raises Lost.

    The SDK (1.35) raises an ActivityError as it happens, and its bare cause when the history is
    replayed. Whoever caught only the first would end the arbitrage in the replay.
    """
    try:
        found: T = await workflow.execute_local_activity(
            activity, request, result_type=result, summary=summary, **options.LOCAL
        )
    except FailureError as lost:
        raise Lost(str(lost.cause or lost)) from None
    return found
