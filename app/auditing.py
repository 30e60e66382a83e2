"""Does the trail of who did what still hold together, to its last row?"""

from functools import partial

from sqlmodel import Session, col, func, select

from app.anchor import Anchor
from app.config import Config
from app.operating.office import opened
from app.operating.steps import Steps
from store import audit
from store.audit import BrokenSeal
from store.journal import Journal
from store.tables import AuditRow


async def examine(config: Config) -> dict[str, object]:
    """The number of rows, the newest hash, and what is wrong (None where all is well)."""
    async with opened(config) as journal:
        return await trail_of(journal, config)


async def trail_of(
    journal: Journal, config: Config, steps: Steps | None = None
) -> dict[str, object]:
    """As `examine`, of a journal that is open."""
    if steps is not None:
        steps.next("checking every seal of the audit trail")

    def work(session: Session) -> tuple[int, str, BrokenSeal | None]:
        rows = session.exec(select(func.count(col(AuditRow.id)))).one()
        told = None if steps is None else partial(steps.within, total=rows)
        return rows, audit.head(session), audit.verify(session, told)

    rows, head, broken = await journal.read(work)
    if steps is not None:
        steps.next("comparing with what was last seen of it")
    cut_off = await Anchor(config.data_dir, config.mode).older(journal)
    problem = None
    if broken is not None:
        problem = f"audit row {broken.id}: {broken.message}"
    elif cut_off is not None:
        problem = f"the trail ends before what was seen of it: {cut_off}"
    return {"rows": rows, "head": head, "problem": problem}
