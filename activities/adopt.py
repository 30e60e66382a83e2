"""Arbitrages whose workflow is gone: found in the journal, carried on by a new workflow."""

import logging
from enum import StrEnum
from typing import Protocol

from sqlmodel import Session

from activities.desk import Desk
from domain.opportunity import Opportunity
from domain.policy import Bounds
from domain.standing import Word
from domain.venue import Mode
from store import adoptions
from store.adoptions import Carried
from store.alarms import Alarm, close, raise_alarm
from store.states import Severity

log = logging.getLogger(__name__)

STARTING_MS = 3_000
"""How long whoever adopted an arbitrage has to start its workflow before another one does: an
executor that starts, and one that compares, look at the same time."""


class WorkflowState(StrEnum):
    """What Temporal says of a workflow."""

    RUNNING = "running"
    CLOSED = "closed"
    MISSING = "missing"


class Workflows(Protocol):
    """The workflows of arbitrages, as Temporal knows them. Raises WorkflowsUnreachable."""

    async def state(self, arb_id: str, adopted: int) -> WorkflowState:
        """The workflow that carries the arbitrage now."""

    async def adopt(
        self,
        arb_id: str,
        adopted: int,
        opportunity: Opportunity,
        mode: Mode,
        bounds: Bounds | None,
        word: Word | None,
    ) -> None:
        """Start the `adopted`-th workflow of an arbitrage under the bounds that it was admitted
        under (None: today's), and by a person's last word; started already is no error."""

    async def running(self) -> dict[str, int]:
        """Arbitrages with a running workflow: {arb_id: start of the workflow (wall-clock ms)}."""


class WorkflowsUnreachable(Exception):
    """Temporal does not answer. Nothing is known of any workflow."""


class Adopter:
    """Gives every unfinished arbitrage a workflow."""

    def __init__(self, desk: Desk, workflows: Workflows, mode: Mode) -> None:
        self._desk = desk
        self._workflows = workflows
        self._mode = mode
        self._looked_back = False

    async def adopt_orphans(self) -> tuple[str, ...]:
        """The arbitrages that were adopted: unfinished, and their workflow ended or is missing."""
        journal = self._desk.journal
        if not self._looked_back:
            await self._reopen_forsaken()
            self._looked_back = True
        carried = await journal.read(lambda s: adoptions.unfinished(s, self._mode))
        found = []
        for one in carried:
            state = await self._workflows.state(one.arb_id, one.adopted)
            if state is not WorkflowState.RUNNING and await self._adopt(one, state):
                found.append(one.arb_id)
        return tuple(found)

    async def _reopen_forsaken(self) -> None:
        """Take back every flat end that an older program left beside what is held."""
        now_ms = self._desk.wall_ms()

        def reopen(session: Session) -> list[str]:
            """Looks again, in the transaction that takes them back."""
            found = adoptions.forsaken(session, self._mode)
            for arb_id in found:
                adoptions.reopen(session, arb_id, "something is held after all", now_ms)
            return found

        if await self._desk.journal.read(lambda s: adoptions.forsaken(s, self._mode)):
            found = await self._desk.journal.write(now_ms, reopen)
            log.warning("ended flat and hold something, open again: %s", ", ".join(found))

    async def _adopt(self, one: Carried, state: WorkflowState) -> bool:
        """The journal is asked once more: a workflow may have ended it since it was listed."""
        desk, now_ms = self._desk, self._desk.wall_ms()
        why = f"its workflow is {state}"
        starting_ms = STARTING_MS if state is WorkflowState.MISSING else 0
        number = await desk.journal.write(
            now_ms,
            lambda s: adoptions.adopt(s, one.arb_id, one.adopted, why, now_ms, starting_ms),
        )
        if number is None:
            return False
        alarm = Alarm(
            key=f"adopted:{one.arb_id}",
            code="WORKFLOW_LOST",
            severity=Severity.AMBER,
            detail=f"{one.arb_id} was {one.phase} and {why}: adopted for the {number}. time",
            arb_id=one.arb_id,
        )
        await desk.journal.write(now_ms, lambda s: raise_alarm(s, alarm, now_ms))
        plan = (await desk.journal.arbitrage(one.arb_id)).opportunity
        bounds = await desk.journal.read(lambda s: adoptions.bounds_of(s, one.arb_id))
        word = await desk.journal.read(lambda s: adoptions.word_of(s, one.arb_id))
        await self._workflows.adopt(one.arb_id, number, plan, self._mode, bounds, word)
        evidence = f"workflow {number} of {one.arb_id} runs"
        await desk.journal.write(now_ms, lambda s: close(s, alarm.key, evidence, now_ms))
        log.warning("%s", alarm.detail)
        return True
