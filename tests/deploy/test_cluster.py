"""docker-compose.yml with Temporal's own server on PostgreSQL: its schema job, its configuration
and dynamic configuration, its health check, its death; and a pair locked by it."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client

from app.temporal import DYNAMIC_CONFIG
from tests.deploy.compose import seconds
from tests.deploy.installation import Installation, installed
from tests.deploy.play import done, locked, trading, until
from tests.deploy.test_compose import SHARDS_MIN
from tests.support.cluster import NO_GO, build
from tests.support.postgres import throwaway
from tests.support.processes import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def built() -> Path:
    """Temporal's programs; skipped where nothing can build them."""
    try:
        return build()
    except RuntimeError as trouble:
        if str(trouble) == NO_GO:
            pytest.skip(NO_GO)
        raise


@pytest.fixture
def installation(tmp_path: Path, image: Path, built: Path) -> Iterator[Installation]:
    """A database with roles and schemas, and nobody on it yet."""
    with throwaway() as postgres, installed(tmp_path, image, postgres, programs=built) as made:
        done(made, "temporal-schema", times=2)
        yield made


def test_the_server_knows_every_key_of_the_dynamic_configuration(built: Path) -> None:
    file = ROOT / "deploy" / "temporal" / "dynamic.yaml"
    told = subprocess.run(
        [built / "temporal-server", "validate-dynamic-config", file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in told.stdout.splitlines() if "error:" in line or "warning:" in line]
    assert (told.returncode, said) == (0, []), told.stderr
    assert set(DYNAMIC_CONFIG) <= {line.split(":")[0] for line in file.read_text().splitlines()}


def checks(installation: Installation) -> Any:
    """What the API's health check says of each part; None where it is well, or says nothing."""
    _, unwell, told = installation.health("api").err.partition(" answers 503: ")
    return json.loads(told)["checks"] if unwell else None


def test_a_pair_is_locked_on_a_real_server_and_outlives_its_death(
    installation: Installation,
) -> None:
    assert installation.health("temporal").code != 0, "nobody is there to answer"
    server = installation.start("temporal")
    installation.await_health(server)
    _, executor, api = trading(installation, times=2)

    async def shards() -> int:
        client = await Client.connect(installation.temporal, namespace="lockstep")
        told = await client.workflow_service.get_cluster_info(GetClusterInfoRequest())
        return told.history_shard_count

    assert asyncio.run(shards()) >= SHARDS_MIN
    first = until(lambda: locked(installation), "an arbitrage to be locked")

    server.end()
    assert installation.health("temporal").code != 0
    lost = {"database": True, "temporal": False, "executor": True, "feeds": True}
    # On a busy machine a late report or book is told, too, before it has come.
    until(lambda: checks(installation) == lost, "the API to miss Temporal, and nothing else")
    server = installation.start("temporal")
    installation.await_health(server)
    until(lambda: installation.health("api").code == 0, "the API to go on")
    before = {one["id"] for one in first}
    more = until(lambda: {one["id"] for one in locked(installation)} - before, "trading to go on")
    assert before <= {one["id"] for one in locked(installation)} | more

    for process in (executor, api, server):
        assert process.stop() < seconds(process.service["stop_grace_period"])
