"""What an installation of separate processes needs before they start; each part can run again:
`python -m app.prepare temporal|journal`, or `sim URL` with the exchanges' control server.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import httpx
from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from app import cluster
from app.cluster import RETENTION
from app.config import Config
from app.config_sources import load_config
from app.errors import ConfigError, DependencyError, GuardError, LockstepError, UsageError
from app.leave import leave
from app.links import journal_exists, open_journal, wall_ms
from app.run import sim_environment
from app.sim_world import end_trades, put_aside
from app.temporal import POLL_SECONDS, await_frontend, register_search_attributes
from app.temporal_client import connect
from domain.venue import Mode
from store import presence

USAGE = "app.prepare: expected `temporal`, `journal` or `sim URL`"
WAIT_SECONDS = 120
SETTINGS = "sim.toml"


async def prepare_temporal(config: Config) -> str:
    """The namespace of the configuration with our retention and search attributes, made where it
    is missing. DependencyError where no server answers in time."""
    address, name = config.temporal.address, config.temporal.namespace
    if address is None:
        raise ConfigError("temporal.address: expected host:port, found none")
    client = await _answering(address, name)
    try:
        made = await _retained(client, name)
    except RPCError as error:
        raise DependencyError(
            f"Temporal at {address}: namespace {name!r} could not be made: {error.message}"
        ) from None
    await await_frontend(address, name, None, WAIT_SECONDS)
    await register_search_attributes(address, name)
    told = [f"temporal: namespace {name} at {address} {made}"]
    # Who has the journal refuses: only there is it known whether something open must be carried on.
    told += [f"warning: {one}" for one in await cluster.lacks(client, config.temporal.task_queue)]
    return "\n".join(told)


async def _answering(address: str, namespace: str) -> Client:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            client = await Client.connect(address, namespace=namespace)
            await client.service_client.check_health()
        except (RuntimeError, RPCError) as error:
            if time.monotonic() > deadline:
                raise DependencyError(
                    f"temporal.address: expected a server at {address} within {WAIT_SECONDS} s, "
                    f"found: {error}"
                ) from None
            await asyncio.sleep(POLL_SECONDS)
        else:
            return client


async def _retained(client: Client, name: str) -> str:
    """Make the namespace, or have one that is there remember long enough; says which."""
    service, wanted = client.workflow_service, Duration()
    wanted.FromTimedelta(RETENTION)
    try:
        await service.register_namespace(
            RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=wanted)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
    else:
        return f"made, {RETENTION.days} days remembered"
    described = await service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    kept = described.config.workflow_execution_retention_ttl.ToTimedelta()
    if kept >= RETENTION:
        return f"is there, {kept.days} days remembered"
    await service.update_namespace(
        UpdateNamespaceRequest(
            namespace=name, config=NamespaceConfig(workflow_execution_retention_ttl=wanted)
        )
    )
    return f"is there, {RETENTION.days} days remembered instead of {kept.days}"


def prepare_journal(config: Config) -> str:
    """The journal with this version's schema: one process makes it, and not all at once."""
    open_journal(config).close()
    return f"journal: {config.journal}"


async def prepare_sim(config: Config, control: str) -> str:
    """Write the settings of the simulated exchanges that answer there. Where the exchanges began
    anew, so does the journal: what it says is of a world that is gone."""
    if config.mode is not Mode.SIM:
        raise ConfigError(f"mode: expected sim beside simulated exchanges, found {config.mode}")
    settings = _as_toml(await sim_environment(await _sim_ready(control)))
    path = config.data_dir / SETTINGS
    if path.exists() and path.read_text(encoding="utf-8") == settings:
        return f"sim: {path} is of these exchanges"
    if await asyncio.to_thread(journal_exists, config):
        await _refuse_while_traded(config)
    ended = await end_trades(await connect(config), config)
    await put_aside(config)
    _write_private(path, settings)
    return f"sim: wrote {path}; {ended} trades of earlier exchanges ended"


async def _refuse_while_traded(config: Config) -> None:
    journal = await asyncio.to_thread(open_journal, config)
    try:
        alive = await journal.read(lambda s: presence.reports(s, wall_ms() - presence.ALIVE_MS))
    finally:
        journal.close()
    if alive:
        raise GuardError(
            f"the simulated exchanges began anew while {alive[0].name} trades: stop the executors, "
            "then start everything"
        )


async def _sim_ready(control: str) -> dict[str, object]:
    """What the exchanges say once they answer."""
    deadline = time.monotonic() + WAIT_SECONDS
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                found = (await http.get(f"{control.rstrip('/')}/ready")).raise_for_status().json()
            except httpx.HTTPError as error:
                if time.monotonic() > deadline:
                    raise DependencyError(
                        f"sim: expected the exchanges' control server at {control} within "
                        f"{WAIT_SECONDS} s, found: {type(error).__name__} {error}"
                    ) from None
                await asyncio.sleep(POLL_SECONDS)
            else:
                assert isinstance(found, dict), f"{control}/ready said {found!r}"
                return found


def _as_toml(environment: dict[str, str]) -> str:
    """Settings by their environment's names as a configuration file. A JSON text is a TOML one."""
    lines = ['mode = "sim"']
    for name, value in environment.items():
        key = name.removeprefix("LOCKSTEP_").lower().replace("__", ".")
        lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _write_private(path: Path, text: str) -> None:
    """All of it or nothing, for us alone: it holds keys, if only of a simulation."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def main(argv: list[str]) -> int:
    """Prepare what is named; the exit codes are those of the command."""
    try:
        match argv:
            case ["temporal"]:
                done = asyncio.run(prepare_temporal(load_config(trades=False).config))
            case ["journal"]:
                done = prepare_journal(load_config(trades=False).config)
            case ["sim", control]:
                done = asyncio.run(prepare_sim(load_config(trades=False).config, control))
            case _:
                raise UsageError(f"{USAGE}, found {argv}")
    except LockstepError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    sys.stderr.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
