"""The journal as a whole: brought to this program's schema, or copied while others use it."""

import asyncio
from contextlib import closing
from pathlib import Path

from app.config import Config
from app.errors import DependencyError, UsageError
from app.links import database_trouble, journal_exists, open_journal
from app.operating import dumps
from app.operating.office import require_journal
from app.operating.outputs_journal import BackedUp, Upgraded
from app.operating.steps import Steps
from store import schema
from store.driver import sqlite
from store.engine import Database
from store.place import Place, SchemaAddress
from store.sqlite import backup


async def upgrade(config: Config, steps: Steps) -> Upgraded:
    """Bring the journal to the newest schema. A file is copied beside itself first; a PostgreSQL
    server undoes as a whole what fails halfway."""
    where = config.journal
    if not await asyncio.to_thread(journal_exists, config):
        raise DependencyError(
            f"no journal at {where}: there is nothing to upgrade. `lockstep run` makes one"
        )
    steps.next("looking which schema it has")
    before = await asyncio.to_thread(_version, where)
    steps.next(f"bringing it from schema {before} to {schema.newest()}")
    (await asyncio.to_thread(open_journal, config)).close()
    after = schema.newest()
    kept = None
    if isinstance(where, Path):
        copy = where.with_name(f"{where.name}.schema-{before}")
        kept = str(copy) if before != after and copy.exists() else None
    return Upgraded(path=str(where), before=before, after=after, copied_to=kept)


async def copy_to(config: Config, target: Path, steps: Steps) -> BackedUp:
    """A whole and consistent copy, of whichever version of ours it is: a new program is asked for
    one before it upgrades anything. A file that is there already is never written over."""
    steps.next("opening the journal")
    await asyncio.to_thread(require_journal, config)
    await asyncio.to_thread(_version, config.journal)
    steps.next("copying it")
    size = await asyncio.to_thread(_copy, config.journal, target)
    return BackedUp(path=str(target), bytes=size)


def _copy(where: Place, target: Path) -> int:
    """The size of the copy; UsageError names what stands in its way."""
    if target.exists():
        raise UsageError(f"FILE: {target} exists already: a backup is never written over")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"FILE: expected a folder, found none at {target.absolute().parent}")
    try:
        if isinstance(where, SchemaAddress):
            dumps.dump(where, target)
        else:
            with closing(Database(where)) as database:
                backup(database.reader, target)
    except (OSError, sqlite.Error) as trouble:
        raise UsageError(f"FILE: {target}: {trouble}") from None
    return target.stat().st_size


def _version(where: Place) -> str | None:
    """The version of a sound journal of ours."""
    with database_trouble(), closing(Database(where)) as database:
        database.backend.check(database.reader)
        with database.backend.naming_trouble(), database.reader.connect() as connection:
            return schema.version(connection)
