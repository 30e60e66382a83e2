"""What a worker that stops does not wait for: answers to questions. Whoever goes on asks again.

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
    """The answer; WorkerStops as soon as the activity's worker is told to stop. Beside a worker
    nothing tells, and the answer is waited for."""
    if not activity.in_activity():
        return await question
    asking = asyncio.ensure_future(question)
    stopping = asyncio.ensure_future(activity.wait_for_worker_shutdown())
    try:
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise WorkerStops
        return asking.result()
    finally:
        asking.cancel()
        stopping.cancel()
        await asyncio.gather(asking, stopping, return_exceptions=True)
