"""docker-compose.yml played without containers: every command of ours on a real PostgreSQL and a
real Temporal server with the dynamic configuration of the file, from nothing to a locked pair."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from app.cluster import RETENTION
from app.temporal import Server, ServerOptions, start_server, stop_server
from tests.deploy.compose import read_yaml, seconds, services
from tests.deploy.installation import Installation
from tests.deploy.play import done, locked, trading, until
from tests.support.processes import ROOT, python_module
from workflows.story import SEARCH_ATTRIBUTES

pytestmark = [pytest.mark.postgres, pytest.mark.temporal, pytest.mark.timeout(420)]
CHAT = 1


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Temporal with deploy/temporal/dynamic.yaml, which has no namespace of ours yet."""
    told = read_yaml(ROOT / "deploy" / "temporal" / "dynamic.yaml")
    dynamic = {name: json.dumps(one[0]["value"]) for name, one in told.items()}
    started = asyncio.run(start_server(ServerOptions(ui=True, dynamic=dynamic)))
    try:
        yield started
    finally:
        asyncio.run(stop_server(started))


def test_the_roles_see_only_what_is_theirs(installation: Installation) -> None:
    assert installation.pg_isready().code == 0
    url = (installation.folder / "secrets" / "database__url").read_text()
    with psycopg.connect(url) as journal:
        assert journal.execute("SELECT current_user, current_database()").fetchone() == (
            "journal",
            "lockstep",
        )
    password = (installation.folder / "secrets" / "temporal_password").read_text()
    temporal = installation._url("temporal", "lockstep")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(temporal)
    with psycopg.connect(temporal.replace("/lockstep", "/postgres"), autocommit=True) as own:
        own.execute("CREATE DATABASE temporal")
    assert password in temporal
    installation.postgres.stop()
    assert installation.pg_isready().code != 0


def test_the_namespace_job_makes_what_the_product_needs(
    installation: Installation, server: Server
) -> None:
    done(installation, "temporal-namespace", times=2)

    async def look() -> None:
        client = await Client.connect(server.address, namespace="lockstep")
        described = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace="lockstep")
        )
        assert described.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION
        for key in SEARCH_ATTRIBUTES:
            assert (await client.count_workflows(f"{key.name} IS NULL")).count == 0

    asyncio.run(look())
    # An existing one that forgets too soon is made to remember.
    short = installation.job("temporal-namespace", LOCKSTEP_TEMPORAL__NAMESPACE="default")
    assert short.code == 0
    assert f"{RETENTION.days} days remembered instead of 1" in short.err
    nobody = installation.job("temporal-namespace", LOCKSTEP_TEMPORAL__ADDRESS="")
    assert (nobody.code, "temporal.address" in nobody.err) == (3, True)


def test_the_temporal_pages_health_check_reaches_temporal(server: Server) -> None:
    command = services()["temporal-ui"]["healthcheck"]["test"]
    path = command[-1].removeprefix("http://127.0.0.1:8080")
    assert server.ui_url is not None
    until(
        lambda: httpx.get(server.ui_url + path, trust_env=False).status_code == httpx.codes.OK,
        "the pages of Temporal",
    )


def test_from_nothing_to_a_locked_pair_and_in_order_to_the_end(
    installation: Installation,
) -> None:
    sim, executor, api = trading(installation, times=2)
    held = until(lambda: locked(installation), "an arbitrage to be locked")
    assert held
    # Every part is found from another container than its own.
    looked = installation.lockstep("executor", "doctor", "--json")
    assert [one for one in looked.json["checks"] if one["state"] == "bad"] == []

    # The pages ask who one is, whatever the mode: others than this machine's user may reach them.
    status = f"{installation.api}/api/v1/status"
    assert httpx.get(status, trust_env=False).status_code == httpx.codes.UNAUTHORIZED
    link = installation.lockstep("executor", "login-url", "--base-url", installation.api)
    assert link.code == 0, link
    with httpx.Client(trust_env=False, follow_redirects=True) as browser:
        browser.get(link.out.strip())
        assert browser.get(status).json()["run_state"] == "RUNNING"

    # A copy of the journal, by the container's own program and its own right.
    target = installation.folder / "data" / "copy.dump"
    copied = installation.lockstep("api", "db", "backup", str(target), "--json")
    assert (copied.code, target.stat().st_size > 0) == (0, True), copied

    # Stopped from one container, stopped in all: data folder and journal are shared.
    assert installation.lockstep("api", "kill", "--reason", "enough").code == 0
    said = installation.lockstep("executor", "doctor", "--json").out
    assert "enough" in said

    for process in (executor, api, sim):
        assert process.stop() < seconds(process.service["stop_grace_period"])


def test_health_checks_tell_a_dead_executor_from_a_living_one(installation: Installation) -> None:
    _, executor, _ = trading(installation)
    executor.process.kill()
    until(lambda: installation.health("executor").code == 1, "the dead executor to be noticed")
    told = installation.health("executor")
    assert "no executor of" in told.err
    until(lambda: installation.health("api").code == 1, "the API to know of no executor")
    assert '"executor":false' in installation.health("api").err.replace(" ", "")
    second = installation.start("executor")
    installation.await_health(second)
    until(lambda: installation.health("api").code == 0, "the API to know of the new one")
    installation.postgres.stop()
    assert installation.health("executor").code == 4


def test_the_notifier_tells_a_chat_and_is_well_while_it_does(installation: Installation) -> None:
    with python_module("sim.telegram.main", "--chat", str(CHAT)) as telegram:
        sim = installation.start("sim")
        installation.await_health(sim)
        done(installation, "temporal-namespace", "sim-settings", "journal")
        extra = {
            "LOCKSTEP_TELEGRAM__BASE_URL": telegram.ready["url"],
            "LOCKSTEP_TELEGRAM__CHATS": f"[{CHAT}]",
        }
        unset = installation.job("notifier", **extra)
        assert (unset.code, "telegram.token: expected" in unset.err) == (3, True)
        installation.secret("telegram__token", telegram.ready["token"])
        notifier = installation.start("notifier", **extra)
        until(lambda: '"ready": true' in notifier.log.read_text(), "the notifier to listen")
        assert installation.health("notifier", **extra).code == 0
        notifier.stop()


def test_real_money_wants_the_keys_and_the_typed_word_and_the_pages_want_neither(
    installation: Installation,
) -> None:
    example = ROOT / "deploy" / "etc" / "lockstep.example.toml"
    installation.given = {"DEPLOY_CONFIG": str(example)}
    done(installation, "temporal-namespace", "journal")
    keyless = installation.job("executor")
    assert (keyless.code, "polymarket.private_key: expected a value" in keyless.err) == (3, True)

    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    installation.secret("polymarket__private_key", "0x" + "1f" * 32)
    installation.secret("kalshi__private_key_pem", pem.decode())
    unarmed = installation.job("executor")
    assert (unarmed.code, "mode live moves real money" in unarmed.err) == (5, True)

    installation.given["DEPLOY_ARM"] = "live"
    api = installation.start("api")
    alive = f"{installation.api}/healthz"
    until(lambda: '"ready": true' in api.log.read_text(), "the pages")
    assert httpx.get(alive, trust_env=False).status_code == httpx.codes.OK
    unwell = installation.health("api")
    assert (unwell.code, '"executor":false' in unwell.err.replace(" ", "")) == (1, True)
    api.stop()


def test_exchanges_that_begin_anew_begin_a_journal_anew(installation: Installation) -> None:
    sim, executor, api = trading(installation)
    held = until(lambda: locked(installation), "an arbitrage to be locked")
    sim.stop()
    again = installation.start("sim")
    installation.await_health(again)
    refused = installation.job("sim-settings")
    assert (refused.code, "stop the executors" in refused.err) == (5, True)
    executor.stop()
    api.stop()
    until(lambda: installation.job("sim-settings").code == 0, "the journal to be put aside")
    done(installation, "journal")
    executor = installation.start("executor")
    installation.await_health(executor)
    assert not {one["id"] for one in locked(installation)} & {one["id"] for one in held}
    # What a person had saved goes on, so it trades in the new world as it is.
    settings = installation.lockstep("executor", "settings", "get", "--json").json
    assert settings["settings"]["max_bet"] in ("20", "20.00", "20.000000")
