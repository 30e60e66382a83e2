"""An executor that reports and gets nothing of Temporal is not well."""

import asyncio
import time

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from app.health import POLL_MS_MAX, unwell
from app.temporal import Server, ServerOptions, start_server, stop_server
from app.vitals import SdkMetrics
from store.tally import Tally
from workflows.reconcile import ReconcileWorkflow

NOW = 1_790_000_000_000
HOST = "here"
TABLE = """
    here here:0             -
    here there:0            no executor of here reported in 10 s
    here -                  no executor of here reported in 10 s
    here here:90            -
    here here:91            Temporal has answered no poll of the executor for 91 s
    here here:91,here:2     -
    here here:91,there:2    Temporal has answered no poll of the executor for 91 s
    here here:old           -
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_what_an_executors_report_says_of_its_health(line: str) -> None:
    host, reports, said = line.split(maxsplit=2)
    told: list[dict[str, object]] = []
    for one in reports.split(",") if reports != "-" else ():
        where, polled = one.split(":")
        polled_ms = {} if polled == "old" else {"polled_ms": NOW - int(polled) * 1_000}
        told.append({"host": where, **polled_ms})
    assert (unwell(told, host, NOW) or "-") == said


@activity.defn
async def nothing() -> None:
    """For a worker that needs one."""


@pytest.mark.temporal
async def test_polls_are_seen_to_be_answered_until_the_server_is_silent() -> None:
    """The server answers empty polls after a second here, and after a minute by itself."""
    dynamic = {"matching.longPollExpirationInterval": '"1s"'}
    server = await start_server(ServerOptions(ui=False, dynamic=dynamic))
    sdk, tally = SdkMetrics(), Tally()
    try:
        client = await Client.connect(server.address, runtime=sdk.runtime)
        async with Worker(
            client,
            task_queue="polls",
            workflows=[ReconcileWorkflow],
            activities=[nothing],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            await _answered(sdk, tally, within_s=10)
            await stop_server(server)
            await asyncio.sleep(0.5)
            sdk.drain(tally)
            await asyncio.sleep(3)
            assert not sdk.drain(tally)
            server = await _again(server, dynamic)
            await _answered(sdk, tally, within_s=30)
    finally:
        await stop_server(server)
    assert POLL_MS_MAX > 60_000


async def _again(server: Server, dynamic: dict[str, str]) -> Server:
    port = int(server.address.rpartition(":")[2])
    return await start_server(ServerOptions(ui=False, port=port, dynamic=dynamic))


async def _answered(sdk: SdkMetrics, tally: Tally, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not sdk.drain(tally):
        assert time.monotonic() < deadline, "no poll was answered"
        await asyncio.sleep(0.2)
