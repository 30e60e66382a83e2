"""Where a story is played, and how its messages are written down."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlmodel import Session, select
from temporalio.client import Client

from activities.desk import Desk
from domain.venue import Mode
from notify import cards, facts
from notify.compose import compose
from notify.jobs import Job, job_of
from store import outbox
from store.outbox import Message
from store.tables import OutboxRow
from tests.support.processes import run_sim
from tests.support.scene import Scene
from tests.support.trading import SETTLING, Trading

PAIR = "p07"


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
    return cards.card(await desk.journal.read(lambda s: facts.read(s, arb_id)))


async def last(desk: Trading, topic: str, **wanted: str) -> Job:
    """The newest message of the outbox of this kind, as a chat is handed it."""

    def read(session: Session) -> Message:
        rows = session.exec(select(OutboxRow).where(OutboxRow.topic == topic))
        found = [outbox.message(row) for row in rows]
        return [m for m in found if wanted.items() <= m.payload.items()][-1]

    return job_of(await desk.desk.journal.read(read))


async def written(desk: Trading, job: Job) -> str:
    """An announcement, and whether a phone rings for it."""
    now_ms = desk.desk.wall_ms()
    made = await desk.desk.journal.read(lambda s: compose(s, job, Mode.SIM, now_ms))
    rings = "rings" if made.text.rings else "does not ring"
    buttons = ", ".join(label for label, _ in made.text.buttons) or "no button"
    return f"{made.text.html}\n\n({rings}; {buttons})"


def timeless(text: str) -> str:
    """The message without what no two runs share: durations, the time of day, the day, the
    arbitrage's id and its orders' ids, the head of the audit trail."""
    text = re.sub(r"\d+ ms", "N ms", text)
    text = re.sub(r"\d\d:\d\d:\d\d UTC", "HH:MM:SS UTC", text)
    text = re.sub(r"\d{4}-\d\d-\d\d", "YYYY-MM-DD", text)
    text = re.sub(r"\([A-Z][a-z]+ \d+\)", "(DAY)", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"Raised \d+ more times?", "Raised N more times", text)
    text = re.sub(r"for \d+ s\b", "for N s", text)
    text = re.sub(r"GET /\S+:", "GET PATH:", text)
    text = re.sub(r"(?<=Audit: <code>)[0-9a-f]+", "HASH", text)
    return re.sub(r"arb-[0-9A-Za-z-]+", "arb-ID", text)
