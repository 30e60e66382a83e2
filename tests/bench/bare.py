"""The floor under every durable path: the same Temporal calls with nothing in them.

A workflow that is started eagerly, one local activity, two eager activities; their arguments are a
few bytes. What is faster than this is not durable on this machine with this server.
"""

import asyncio
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.service import GrpcCompression
from temporalio.worker import PollerBehaviorSimpleMaximum, UnsandboxedWorkflowRunner, Worker

from app.payloads import DATA_CONVERTER
from app.wiring import CACHED_WORKFLOWS, POLLERS
from workflows import options

TASK_QUEUE = "bench-bare"
WARM_UP = 8
BODIES = 2


class Nothing:
    """Activities that only remember when they were begun (ns), by the name they are given."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[int]] = {}

    @activity.defn
    async def gate(self, name: str) -> str:
        """Where the gate would be asked."""
        return name

    @activity.defn
    async def body(self, name: str) -> str:
        """Where an order would leave."""
        self.bodies.setdefault(name, []).append(time.time_ns())
        return name


@workflow.defn
class BareWorkflow:
    """The shape of an arbitrage until its orders leave."""

    @workflow.run
    async def run(self, name: str) -> None:
        """One local activity, then two at once."""
        await workflow.execute_local_activity("gate", name, **options.LOCAL)
        await asyncio.gather(
            *(workflow.execute_activity("body", name, **options.ORDER) for _ in range(BODIES))
        )


async def measure(address: str, count: int, pause_seconds: float) -> list[int]:
    """Nanoseconds from before the start to the later body, `count` times, each alone."""
    client = await Client.connect(
        address, data_converter=DATA_CONVERTER, grpc_compression=GrpcCompression.NONE
    )
    nothing, began = Nothing(), {}
    pollers = PollerBehaviorSimpleMaximum(POLLERS)
    async with Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[BareWorkflow],
        activities=[nothing.gate, nothing.body],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=CACHED_WORKFLOWS,
        workflow_task_poller_behavior=pollers,
        activity_task_poller_behavior=pollers,
    ):
        for number in range(WARM_UP + count):
            await asyncio.sleep(pause_seconds)
            name = f"bare-{number}"
            began[name] = time.time_ns()
            handle = await client.start_workflow(
                BareWorkflow.run,
                name,
                id=name,
                task_queue=TASK_QUEUE,
                request_eager_start=True,
                task_timeout=timedelta(seconds=10),
            )
            await handle.result()
    measured = list(began)[WARM_UP:]
    assert all(len(nothing.bodies[name]) == BODIES for name in measured), nothing.bodies
    return [max(nothing.bodies[name]) - began[name] for name in measured]
