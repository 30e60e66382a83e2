"""Is the journal sound: its database, its version, and its trail of who did what?"""

from app.auditing import trail_of
from app.config import Config
from app.operating.office import opened
from app.operating.outputs_journal import Checked
from app.operating.steps import Steps
from store import schema
from store.failpoints import Point, hit


async def check(config: Config, steps: Steps) -> Checked:
    """ConfigError where the database is damaged, foreign, too new or unfit: opening the journal
    is the check of the engine itself. What is left to be found is the problem of the trail."""
    steps.next("checking the database and its version")
    async with opened(config) as journal:
        hit(Point.BACKUP, "check")
        trail = await trail_of(journal, config, steps)
    problem = trail["problem"]
    return Checked(
        path=str(config.journal),
        version=schema.newest(),
        audit_rows=int(str(trail["rows"])),
        audit_head=str(trail["head"]),
        problem=None if problem is None else str(problem),
    )
