"""What the routes ask: the journal for what is durable, a workflow for what moves now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from domain.venue import Mode, Venue
from store import presence
from store.journal import Journal
from workflows.arbitrage import ArbitrageWorkflow
from workflows.snapshot import Snapshot

QUERY_TIMEOUT = timedelta(milliseconds=800)
EXECUTOR_ALIVE_MS = 5_000


@dataclass(frozen=True, slots=True)
class Service:
    """One API process's reach. `wall_ms` is the wall clock in milliseconds."""

    journal: Journal
    client: Client
    mode: Mode
    wall_ms: Callable[[], int]
    ui_url: str | None

    async def status(self) -> dict[str, object]:
        """Run state, settings, balances, today's numbers and the executors that live."""
        now_ms = self.wall_ms()
        state = await self.journal.run_state()
        saved = await self.journal.settings.load()
        alive = await self.journal.read(lambda s: presence.reports(s, now_ms - EXECUTOR_ALIVE_MS))
        run_state = "HALTED" if state.halted else "RUNNING" if state.enabled else "PAUSED"
        balances = {venue: await self.journal.free_cash(venue, self.mode) for venue in Venue}
        return {
            "mode": self.mode.value,
            "run_state": run_state if alive else "OFF",
            "reason": state.reason,
            "settings_version": saved.version,
            "balances": {venue: None if b is None else str(b) for venue, b in balances.items()},
            "open": [one.arb_id for one in await self.journal.unfinished()],
            "executors": [
                {"name": one.name, "seen_ms": one.seen_ms, **one.report} for one in alive
            ],
            "temporal_ui": self.ui_url,
        }

    async def snapshot(self, arb_id: str) -> Snapshot | None:
        """The workflow's own word on an arbitrage; None where no worker can give it now."""
        handle = self.client.get_workflow_handle_for(ArbitrageWorkflow.run, arb_id)
        try:
            return await handle.query(ArbitrageWorkflow.snapshot, rpc_timeout=QUERY_TIMEOUT)
        except RPCError:
            return None
