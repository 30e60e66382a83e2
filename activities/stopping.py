"""What a worker that stops does not wait for: silent venues. Whoever goes on asks again.

While it waited it would keep its lease, and nobody could sell what is naked. An order on its way is
waited for: its answer may be heard only here.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

T = TypeVar("T")
MOMENT_S = 0.5
"""A venue that is not silent has answered by then: a step that it was read for goes on."""
AGAIN = timedelta(milliseconds=200)
"""When the question is on the queue again, however often it was asked before."""


class WorkerStops(ApplicationError):
    """The question was given up, without an answer. Retryable."""

    def __init__(self) -> None:
        super().__init__(
            "this executor stops: the question was given up",
            type="WorkerStops",
            next_retry_delay=AGAIN,
            category=ApplicationErrorCategory.BENIGN,
        )


async def unless_stopping(question: Coroutine[Any, Any, T]) -> T:
    """The answer; WorkerStops where it does not come within a moment after the activity's worker
    was told to stop. Beside a worker nothing tells, and the answer is waited for."""
    if not activity.in_activity():
        return await question
    asking = asyncio.ensure_future(question)
    stopping = asyncio.ensure_future(_a_moment_after_the_stop())
    try:
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            stopping.result()
            raise WorkerStops
        return asking.result()
    finally:
        asking.cancel()
        stopping.cancel()
        await asyncio.gather(asking, stopping, return_exceptions=True)


async def _a_moment_after_the_stop() -> None:
    await activity.wait_for_worker_shutdown()
    await asyncio.sleep(MOMENT_S)
