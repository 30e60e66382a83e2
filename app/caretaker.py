"""What an executor does beside trading: carry on lost workflows, compare with the venues, keep an
anchor against a restored journal."""

import asyncio
import logging

from temporalio.client import Client
from temporalio.service import RPCError

from activities import watchman
from activities.adopt import Adopter, WorkflowsUnreachable
from activities.reconcile import Reconciler
from app import cluster
from app.anchor import Anchor
from app.config import Config
from app.reach import Reach
from app.schedule import keep_schedule
from app.wiring import Station, wall_ms
from app.workflow_list import WorkflowList
from domain.venue import Mode
from store.audit import Act
from store.errors import JournalBusy, JournalConflict

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
WATCH_SECONDS = 0.5
"""Two reads of the journal. What is silent for three seconds is alarmed within five, also where the
machine is busy: a look of its own pace leaves it the rest."""
SETTLE_MS = {Mode.SIM: 2_000, Mode.PAPER: 60_000, Mode.LIVE: 60_000}
"""How long after the last change a venue's lists, positions and cash must all show it."""
SCHEDULE_LOOKS = 10


class Caretaker:
    """Runs only where the lease is held: one process compares, adopts and repairs."""

    def __init__(self, client: Client, config: Config, station: Station) -> None:
        trade = config.trade
        self._client = client
        self._mode = config.mode
        self._queue = config.temporal.task_queue
        self._station = station
        self._anchor = Anchor(config.data_dir, config.mode)
        workflows = WorkflowList(client, self._queue, trade.bounds(), trade.timing())
        self.reach = Reach(client)
        self._adopter = Adopter(station.desk, workflows, config.mode)
        self.reconciler = Reconciler(
            station.desk, workflows, self._adopter, config.mode, SETTLE_MS[config.mode]
        )

    @property
    def trusts_the_books(self) -> bool:
        """Whether entries may leave as far as the comparison with the venues goes."""
        return self.reconciler.trusted

    async def check_anchor(self) -> None:
        """Halt where the journal is older than what this machine has seen of it."""
        why = await self._anchor.older(self._station.desk.journal)
        if why is not None:
            act = Act("lockstep", "anchor", wall_ms())
            await self._anchor.report(self._station.desk.journal, why, act)

    async def cluster_lacks(self) -> str | None:
        """What our Temporal server does not do and entries need; asked until it answers."""
        while True:
            try:
                found = await cluster.refusals(self._client)
            except RPCError as trouble:
                log.warning("Temporal does not say what it does: %s", trouble)
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return "; ".join(map(str, found)) or None

    async def watch(self) -> None:
        """Look for what is naked or unknown in silence, whether or not Temporal and the venues
        answer; and whether Temporal does."""
        await asyncio.gather(self.reach.run(), self._keep_watch())

    async def _keep_watch(self) -> None:
        desk = self._station.desk
        while True:
            if self._station.sender.holds:
                try:
                    await watchman.look(desk, self._mode)
                    await watchman.look_for_answers(desk, self._mode)
                    await self.reach.tell(desk.journal)
                except JournalBusy as busy:
                    log.warning("not watched: %s", busy)
            else:
                self.reach.told_by_others()
            await asyncio.sleep(WATCH_SECONDS)

    async def run(self) -> None:
        """For as long as the executor runs."""
        looks = 0
        while True:
            if self._station.sender.holds:
                try:
                    await self._look(looks)
                except WorkflowsUnreachable as trouble:
                    log.warning("workflows were not looked at: %s", trouble)
                except JournalBusy as busy:
                    log.warning("not compared: %s", busy)
                except JournalConflict as conflict:  # halted and alarmed: what is open goes on
                    log.error("not compared, for a person: %s", conflict)
                looks += 1
            else:
                self.reconciler.forget()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, looks: int) -> None:
        if not self.reconciler.trusted:
            await self.reconciler.report()
        elif looks % 2:
            await self._adopter.adopt_orphans()
        if looks % SCHEDULE_LOOKS == 0:
            await keep_schedule(self._client, self._queue)
            try:
                await self._anchor.write(self._station.desk.journal)
            except OSError as trouble:
                # It is written again: until then an older copy of the journal is only known by
                # what was kept before.
                log.error("what was seen of the journal was not kept: %s", trouble)
