"""An operator's way to the journal of a system, running or not: reading needs nothing else."""

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlmodel import Session

from app.config import Config
from app.errors import DependencyError, UsageError
from app.links import journal_exists, open_journal, wall_ms
from app.whereabouts import Whereabouts, find
from store import arbitrages
from store.arbitrages import ArbitrageState
from store.audit import Act
from store.journal import Journal
from store.lookup import NotOne, the_one

LISTED = 8


@asynccontextmanager
async def opened(config: Config, *, upgrading: bool = False) -> AsyncIterator[Journal]:
    """The journal that is there. DependencyError where nothing was ever run: looking at a system
    does not make one. OlderJournalError where it is of an older version: looking changes no schema
    under executors of that one. What stops or sells waits for no upgrade by hand: `upgrading`."""
    await asyncio.to_thread(require_journal, config)
    journal = await asyncio.to_thread(open_journal, config, upgrading=upgrading)
    try:
        yield journal
    finally:
        journal.close()


def require_journal(config: Config) -> None:
    """DependencyError where nothing was ever run."""
    if not journal_exists(config):
        raise DependencyError(
            f"no journal at {config.journal}: nothing has run there in mode {config.mode}. "
            "Start `lockstep run`, or name its folder by LOCKSTEP_DATA_DIR or --config"
        )


def whereabouts(config: Config) -> Whereabouts | None:
    """Where the run on this data directory answers."""
    return find(config.data_dir)


def temporal_ui(config: Config) -> str | None:
    """The address of Temporal's pages, where one is known."""
    here = whereabouts(config)
    return config.temporal.ui_url or (here.urls.get("temporal_ui") if here else None)


def workflow_link(config: Config, workflow_id: str) -> str | None:
    """The page of a workflow."""
    base = temporal_ui(config)
    if base is None:
        return None
    return f"{base}/namespaces/{config.temporal.namespace}/workflows/{workflow_id}"


def act() -> Act:
    """What the audit trail says of a command: whoever is logged in on this machine, by `cli`."""
    return Act(getpass.getuser(), "cli", wall_ms())


async def arbitrage(journal: Journal, name: str, config: Config) -> ArbitrageState:
    """The one arbitrage whose id is this or begins so (`arb-` may be left out). UsageError lists
    what an ambiguous beginning may mean, and names what is nearest to an unknown one."""

    def work(session: Session) -> ArbitrageState:
        return arbitrages.load(session, _the_one(arbitrages.ids(session, config.mode), name))

    return await journal.read(work)


def _the_one(known: list[str], name: str) -> str:
    try:
        return the_one(known, name)
    except NotOne as unclear:
        found, near = unclear.found, unclear.near
    if found:
        rest = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
        listed = ", ".join(found[:LISTED])
        raise UsageError(f"ID: {name!r} may be any of {listed}{rest}: type more of it")
    hint = f"did you mean {near[0]}?" if near else "`lockstep trades` lists them"
    raise UsageError(f"ID: expected an arbitrage of this journal, found {name!r}: {hint}")
