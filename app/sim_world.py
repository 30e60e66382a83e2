"""A new life of the simulated exchanges: their ledgers are in memory, so the journal of an earlier
life speaks of a world that is gone. It is put aside; the settings a person saved go on."""

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from app.anchor import Anchor
from app.config import Config
from app.links import journal_exists, open_journal, wall_ms
from domain.venue import Mode
from store.audit import Act
from store.backend import backend
from store.settings_values import as_text
from store.sqlite import Sqlite
from workflows import names

TEMPORAL_FILE = "temporal-1.29.1.sqlite3"
ASIDE = "previous"


async def put_aside(config: Config) -> None:
    """Move the journal and Temporal's file to `data_dir/previous` and begin anew with the same
    settings. Nothing is done where there is no journal yet."""
    if not journal_exists(config):
        return
    before = open_journal(config)
    saved = (await before.settings.load()).settings
    before.close()
    aside = config.data_dir / ASIDE
    backend(config.journal).put_aside(aside)
    Sqlite(config.data_dir / TEMPORAL_FILE).put_aside(aside)
    Anchor(config.data_dir, config.mode).put_aside(aside)
    journal = open_journal(config)
    try:
        fresh = await journal.settings.load()
        if fresh.settings != saved:
            act = Act("lockstep run", "restart", wall_ms())
            await journal.settings.update(as_text(saved), fresh.version, act)
    finally:
        journal.close()


async def end_trades(client: Client, config: Config) -> int:
    """End the workflows of simulated trades on our task queue of a server that outlives the
    exchanges; returns how many. Those of any other mode are left alone."""
    query = (
        f"WorkflowType = '{names.ARBITRAGE}' AND ExecutionStatus = 'Running' "
        f"AND TaskQueue = '{config.temporal.task_queue}' AND ArbMode = '{Mode.SIM}'"
    )
    ended = 0
    async for one in client.list_workflows(query):
        handle = client.get_workflow_handle(one.id, run_id=one.run_id)
        try:
            await handle.terminate("the simulated exchanges that it traded on are gone")
        except RPCError as trouble:
            # The list is a moment behind: what ended meanwhile is no longer there to be ended.
            if trouble.status is not RPCStatusCode.NOT_FOUND:
                raise
        else:
            ended += 1
    return ended
