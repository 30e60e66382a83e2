"""A person's word to a workflow, as the API says it."""

import asyncio
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from tests.support.temporal import unique
from workflows.snapshot import Snapshot

TRIES = 4


async def said(handle: WorkflowHandle[Any, Any], name: str, request: object) -> Snapshot:
    """Say it and return what the workflow answers. A word that ends the workflow in the moment in
    which an activity answers is refused with its task, unheard, and is said again."""
    word = unique("word")
    for _ in range(TRIES):
        try:
            found: Snapshot = await handle.execute_update(
                name, request, id=word, result_type=Snapshot
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            await asyncio.sleep(0.1)
        else:
            return found
    raise AssertionError(f"{name} was never heard by {handle.id}")
