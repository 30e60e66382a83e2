"""What acts on trades: the commands that pages use, so the same checks, workflow updates and
audit rows; only the channel is `cli`.
"""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

from api.auth import Caller
from api.commands import Commands
from api.live import Live
from api.problems import Problem
from api.steering import Steering
from app.config import Config
from app.errors import DependencyError, GuardError, LockstepError, UsageError
from app.links import wall_ms
from app.operating.office import opened, whereabouts
from app.temporal_client import connect
from store.journal import Journal
from store.kill_file import KillFile
from store.states import Scope


def temporal_address(config: Config) -> str:
    """The server that is configured, else the one that a run here has started."""
    here = whereabouts(config)
    address = config.temporal.address or (here.temporal if here else None)
    if address is None:
        raise DependencyError(
            f"no Temporal server: temporal.address is not set and nothing runs on "
            f"{config.data_dir}. Start `lockstep run`"
        )
    return address


async def temporal(config: Config) -> Client:
    """A client of that server; DependencyError where it does not answer."""
    section = config.temporal.model_copy(update={"address": temporal_address(config)})
    return await connect(config.model_copy(update={"temporal": section}))


def caller() -> Caller:
    """Whoever is logged in on this machine may do what its journal can be written for."""
    return Caller(getpass.getuser(), "cli", Scope.ADMIN)


@dataclass(frozen=True, slots=True)
class Office:
    """The journal, Temporal, and the commands that pages use, with what they know of now."""

    config: Config
    journal: Journal
    client: Client
    live: Live
    commands: Commands
    steering: Steering


@asynccontextmanager
async def staffed(config: Config) -> AsyncIterator[Office]:
    """Everything that acting on trades needs; refusals of the block become our errors."""
    async with opened(config, upgrading=True) as journal:
        client = await temporal(config)
        live = Live(journal, client, config.mode, wall_ms, {})
        await live.start()
        try:
            commands = Commands(journal, config.mode, live, KillFile(config.data_dir))
            steering = Steering(journal, client, live)
            yield Office(config, journal, client, live, commands, steering)
        except Problem as problem:
            raise refusal(problem) from None
        finally:
            await live.queries.stop()


def refusal(problem: Problem) -> LockstepError:
    """A refusal of the API's commands, with the exit code that scripts rely on."""
    match problem.status:
        case 404 | 422:
            return UsageError(problem.detail)
        case 503 | 504:
            return DependencyError(problem.detail)
        case _:
            return GuardError(problem.detail)
