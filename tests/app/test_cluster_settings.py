"""A Temporal server of others without the settings that we ask for: named with the line that mends
it, refused where nothing is open, and carried on with where something is."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from app import cluster
from app.cluster import EAGER_ACTIVITIES, EAGER_START, TIMERS, UPDATES
from app.demo.control import Control
from app.run import sim_environment
from app.temporal import (
    DYNAMIC_CONFIG,
    Server,
    ServerOptions,
    await_frontend,
    start_server,
    stop_server,
)
from app.temporal_binary import ensure_binary
from domain.policy import Refusal
from tests.support.places import place, snapshot, told
from tests.support.processes import ROOT, Child, free_port, python_module
from tests.support.stack import run_lockstep
from tests.support.temporal import connect, unique
from tests.support.trading import trading
from tests.support.waiting import until

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(200)]
PARTITIONS = [cluster.READ_PARTITIONS, cluster.WRITE_PARTITIONS]
UNKNOWABLE = {"frontend.namespaceRPS"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server as it comes, without a setting of ours."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    command = [str(ensure_binary()), "server", "start-dev", "--headless", "--port", str(port)]
    with (tmp_path_factory.mktemp("plain") / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        asyncio.run(await_frontend(address, "default", process, 60))
        yield address
    finally:
        process.terminate()
        process.wait()


async def names_left(client: Client) -> list[str]:
    """What trials left in the namespace."""
    return [one.id async for one in client.list_workflows(f"WorkflowType = '{cluster.PROBE}'")]


async def test_a_server_with_our_settings_lacks_nothing(temporal_server: Server) -> None:
    client = await connect(temporal_server)
    assert await cluster.refusals(client) == []
    assert [one.key for one in await cluster.lacks(client, unique("queue"))] == []
    assert await cluster.other_series(client) is None
    deadline = time.monotonic() + 20
    while left := await names_left(client):
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.1)


async def test_each_setting_is_told_apart(plain: str) -> None:
    client = await Client.connect(plain)
    assert [one.key for one in await cluster.refusals(client)] == [EAGER_ACTIVITIES]
    found = await cluster.lacks(client, unique("queue"))
    assert [one.key for one in found] == [EAGER_ACTIVITIES, TIMERS, *PARTITIONS]
    assert [one.refused for one in found] == [True, False, False, False]
    assert f"`{EAGER_ACTIVITIES}: [{{value: true}}]`" in str(found[0])
    assert await cluster.forgets_after(client) is not None, "a day is too short"

    off = {EAGER_START: "false", UPDATES: "false"}
    server = await start_server(ServerOptions(ui=False, dynamic=off))
    try:
        client = await connect(server)
        assert [one.key for one in await cluster.refusals(client)] == [EAGER_START, UPDATES]
    finally:
        await stop_server(server)


def test_every_setting_that_we_ask_for_is_looked_at_or_known_to_be_hidden() -> None:
    looked_at = {EAGER_ACTIVITIES, EAGER_START, UPDATES, TIMERS, *PARTITIONS}
    assert looked_at | UNKNOWABLE == set(DYNAMIC_CONFIG)


def test_nothing_is_begun_there_and_the_doctor_names_the_line(
    plain: str, sim: Child, tmp_path: Path
) -> None:
    env = asyncio.run(sim_environment(dict(sim.ready)))
    env |= told(place(tmp_path)) | {"LOCKSTEP_TEMPORAL__ADDRESS": plain}
    alone = run_lockstep("run", "executor", folder=tmp_path, **env)
    line = f"`{EAGER_ACTIVITIES}: [{{value: true}}]`"
    assert (alone.code, "temporal.address:" in alone.err, line in alone.err) == (3, True, True)
    all_of_it = run_lockstep("run", folder=tmp_path, LOCKSTEP_TEMPORAL__ADDRESS=plain)
    assert (all_of_it.code, line in all_of_it.err) == (3, True), all_of_it
    looked = run_lockstep("doctor", "--json", folder=tmp_path, **env).json["checks"]
    found = {one["name"]: one["state"] for one in looked}
    assert found[EAGER_ACTIVITIES] == "bad"
    assert {found[key] for key in (TIMERS, *PARTITIONS, "retention")} == {"warn"}

    prepared = subprocess.run(
        [sys.executable, "-m", "app.prepare", "temporal"],
        cwd=ROOT,
        env=os.environ | env | {"LOCKSTEP_TEMPORAL__NAMESPACE": "lockstep"},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    warned = f"warning: Temporal's dynamic configuration lacks {line}" in prepared.stderr
    assert (prepared.returncode, warned) == (0, True), prepared.stderr


async def test_what_is_open_is_carried_on_there_and_nothing_is_begun(
    plain: str, sim: Child, temporal_client: Client, tmp_path: Path
) -> None:
    """The server's configuration was lost, and the executor is started again."""
    queue = unique("lacking")
    async with trading(sim.ready, temporal_client, queue, "lacking-", tmp_path) as desk:
        held = (await desk.hold("p01")).id
        where = desk.database
    env = await sim_environment(dict(sim.ready)) | told(place(tmp_path))
    env |= {
        "LOCKSTEP_DATA_DIR": str(tmp_path),
        "LOCKSTEP_TEMPORAL__ADDRESS": plain,
        "LOCKSTEP_TEMPORAL__TASK_QUEUE": queue,
    }

    def alarm() -> list[str]:
        rows = snapshot(where, "alarms")["alarms"]
        return [row["detail"] for row in rows if row["code"] == "MACHINE_UNFIT"]

    def adopted() -> bool:
        rows = snapshot(where, "arbitrages")["arbitrages"]
        return [row["adopted"] for row in rows if row["id"] == held] == [1]

    def refused() -> bool:
        (row,) = snapshot(where, "executors")["executors"]
        return Refusal.MACHINE_UNFIT.value in json.loads(row["report"])["refused"]

    with python_module("app.process", "executor", environment=env):
        await until(lambda: bool(alarm()), "no alarm")
        assert EAGER_ACTIVITIES in alarm()[0]
        await until(adopted, "what was open was not carried on")
        async with Control(sim.ready["urls"]["control"]) as control:
            await control.edge("p02", 8)
            await until(refused, "nothing was refused")
    assert len(snapshot(where, "arbitrages")["arbitrages"]) == 1
