"""Code of a workflow that raises is counted under the reason that an alert waits for."""

import asyncio
import time
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from app.vitals import FAILED, REASONS, SdkMetrics
from store.tally import Tally
from tests.deploy.watched import Query, rules, selected

SECONDS = 30


@workflow.defn(name="raises")
class Raises:
    """A bug of ours."""

    @workflow.run
    async def run(self) -> None:
        """Not an ApplicationError: the task fails, and the workflow stands still."""
        raise KeyError("no such leg")


def failures(tally: Tally) -> dict[str, int]:
    """How many tasks failed, by the reason that is told."""
    found = [(dict(labels), n) for name, _, labels, n in tally.told() if name == FAILED]
    return {labels["failure_reason"]: number for labels, (number,) in found}


@pytest.mark.temporal
async def test_a_bug_in_a_workflow_is_counted_again_and_again(
    temporal_client: Client, task_queue: str, id_prefix: str
) -> None:
    sdk, tally = SdkMetrics(), Tally()
    address = temporal_client.service_client.config.target_host
    client = await Client.connect(address, runtime=sdk.runtime)
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[Raises],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await client.start_workflow(
            Raises.run,
            id=f"{id_prefix}raises",
            task_queue=task_queue,
            execution_timeout=timedelta(minutes=1),
        )
        deadline = time.monotonic() + SECONDS
        while sum(failures(tally).values()) < 2:
            assert time.monotonic() < deadline, failures(tally)
            await asyncio.sleep(0.2)
            sdk.drain(tally)
        await handle.terminate()
    assert set(failures(tally)) == {"WorkflowError"}
    assert set(failures(tally)) < set(REASONS), "nothing grows from what is not there"


def test_an_alert_rings_for_a_task_that_fails_for_whatever_reason() -> None:
    """One that names a reason knows nothing of the others."""
    watched = [
        (one.wanted, rule["labels"])
        for rule in rules()
        for one in selected(Query(rule["alert"], rule["expr"], "").parsed)
        if one.metric == f"{FAILED}_total"
    ]
    assert ((), {"severity": "page"}) in watched
