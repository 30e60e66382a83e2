"""A word whose workflow task the server refused: it was not heard, so it is said again."""

import asyncio
import threading
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api import operations
from api.operations import Operation, look, start
from tests.support.temporal import unique
from workflows import names
from workflows.snapshot import RetryRequest

hearing, told = threading.Event(), threading.Event()
heard: list[str] = []


@workflow.defn(name="Interrupted")
class Interrupted:
    """It ends with the first word. The server takes no end from a task during which something
    else arrived: an answer of an activity, or here a signal."""

    def __init__(self) -> None:
        self._heard = False

    @workflow.run
    async def run(self) -> None:
        """Until a word was heard."""
        await workflow.wait_condition(lambda: self._heard)

    @workflow.update(name=names.RETRY_UNWIND)
    async def retry(self, request: RetryRequest) -> None:
        """Hear it, for as long as the test takes to send a signal."""
        hearing.set()
        assert told.wait(5), "expected a signal meanwhile"
        heard.append(request.by)
        self._heard = True

    @workflow.signal
    async def meanwhile(self) -> None:
        """Something else."""


async def test_a_word_whose_task_the_server_refused_is_said_again(
    temporal_client: Client, task_queue: str, id_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (hearing, told, heard):
        one.clear()
    worker = Worker(
        temporal_client,
        task_queue=task_queue,
        workflows=[Interrupted],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    # To the SDK a workflow that is busy for two seconds is deadlocked, and heard anew for that.
    monkeypatch.setattr(worker._workflow_worker, "_deadlock_timeout_seconds", None)
    monkeypatch.setattr(operations, "ACCEPT_TIMEOUT", timedelta(seconds=20))
    async with worker:
        handle = await temporal_client.start_workflow(
            Interrupted.run, id=f"{id_prefix}interrupted", task_queue=task_queue
        )
        operation = Operation(handle.id, unique("word"))
        saying = asyncio.create_task(
            start(temporal_client, operation, names.RETRY_UNWIND, RetryRequest("ann"))
        )
        await asyncio.to_thread(hearing.wait, 10)
        await handle.signal(Interrupted.meanwhile)
        told.set()
        await saying
        await handle.result()
        assert heard == ["ann", "ann"], "the first hearing came to nothing"
        assert (await look(temporal_client, operation))["state"] == "succeeded"
