"""Where a story is played, and how its messages are written down."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from sqlmodel import Session, select
from temporalio.client import Client

from activities.adopt import Adopter
from activities.desk import Desk
from activities.reconcile import Reconciler
from app.workflow_list import WorkflowList
from domain.order import NotFilled
from domain.policy import Bounds
from domain.venue import Mode
from notify import cards, facts, notices
from notify.compose import compose
from notify.jobs import Job, job_of
from store import outbox
from store.outbox import Message
from store.tables import OutboxRow
from tests.support.processes import run_sim
from tests.support.scene import Scene
from tests.support.trading import QUICK, SETTLING, Trading

PAIR = "p07"
SETTLE_MS = 200


@contextmanager
def stage(client: Client, queue: str, folder: Path) -> Iterator[Scene]:
    """Exchanges of its own, so that balances are those of this story."""
    with run_sim("--seed", "7") as sim:
        yield Scene(sim.ready, client, queue, "1-", folder)


@asynccontextmanager
async def at_work(scene: Scene) -> AsyncIterator[Trading]:
    """One executor, and a chain that is quick to confirm."""
    async with scene.hire() as desk:
        await desk.control.knobs("polymarket", **SETTLING)
        yield desk


async def card(desk: Trading, arb_id: str) -> str:
    """The message of the trade, on balances of now."""
    await desk.read_balances()
    return await card_of(desk.desk, arb_id)


async def card_of(desk: Desk, arb_id: str) -> str:
    """The same on the balances that the journal has."""
    found = await desk.journal.read(lambda s: facts.read(s, arb_id))
    return cards.card(found, desk.wall_ms())


async def last(desk: Desk, topic: str, **wanted: str) -> Job:
    """The newest message of the outbox of this kind, as a chat is handed it."""

    def read(session: Session) -> Message:
        rows = session.exec(select(OutboxRow).where(OutboxRow.topic == topic))
        found = [outbox.message(row) for row in rows]
        return [m for m in found if wanted.items() <= m.payload.items()][-1]

    return job_of(await desk.journal.read(read))


async def written(desk: Desk, job: Job) -> str:
    """An announcement, and whether a phone rings for it."""
    now_ms = desk.wall_ms()
    made = await desk.journal.read(lambda s: compose(s, job, Mode.SIM, now_ms))
    rings = "rings" if made.text.rings else "does not ring"
    buttons = ", ".join(label for label, _ in made.text.buttons) or "no button"
    return f"{made.text.html}\n\n({rings}; {buttons})"


async def alarm(desk: Desk, code: str, state: str = "open", **wanted: str) -> str:
    """The newest message about an alarm of this kind."""
    job = await last(desk, notices.ALARM, code=code, state=state, **wanted)
    return await written(desk, job)


def told(*messages: str) -> str:
    """Several messages of one story."""
    return "\n\n· · ·\n\n".join(messages)


def reconciler(desk: Desk, scene: Scene) -> Reconciler:
    """That of an executor that looks closely and pauses briefly."""
    workflows = WorkflowList(scene.client, scene.task_queue, Bounds(cooldown_ms=0), QUICK)
    return Reconciler(desk, workflows, Adopter(desk, workflows, Mode.SIM), Mode.SIM, SETTLE_MS)


def later(desk: Desk, seconds: int) -> Desk:
    """The same desk with its clock so far ahead."""
    return replace(desk, wall_ms=lambda: desk.wall_ms() + seconds * 1000)


async def leaves_at_once() -> NotFilled | None:
    """Nothing stops an order at its first byte."""
    return None


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + 20
    while not await holds():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.01)


def timeless(text: str) -> str:
    """The message without what no two runs share: durations, the time of day, the day, the
    arbitrage's id and its orders' ids, the head of the audit trail."""
    text = re.sub(r"\d+ ms", "N ms", text)
    text = re.sub(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC", "HH:MM:SS UTC", text)
    text = re.sub(r"\d{4}-\d\d-\d\d", "YYYY-MM-DD", text)
    text = re.sub(r"\([A-Z][a-z]+ \d+\)", "(DAY)", text)
    text = re.sub(r"(?<=-)\d\d[A-Z]{3}\d\d(?=-)", "DAY", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"Raised \d+ more times?", "Raised N more times", text)
    text = re.sub(r"for \d+ s\b", "for N s", text)
    text = re.sub(r"(not there|not readable|shown) (once|\d+ times)", r"\1 N times", text)
    text = re.sub(r"\d+ wait, ", "N wait, ", text)
    text = re.sub(r"(?m)^\S+: \d+ MB are free", "HOST: N MB are free", text)
    text = re.sub(r"GET /\S+:", "GET PATH:", text)
    text = re.sub(r"(?<=Audit: <code>)[0-9a-f]+", "HASH", text)
    return re.sub(r"arb-[0-9A-Za-z-]+", "arb-ID", text)
