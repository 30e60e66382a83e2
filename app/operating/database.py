"""The journal as a file: brought to this program's schema, or copied while others use it."""

import asyncio
from pathlib import Path

from sqlalchemy import Engine

from app.config import Config
from app.errors import ConfigError, DependencyError, UsageError
from app.links import open_journal
from app.operating.office import opened
from app.operating.outputs_journal import BackedUp, Upgraded
from store import schema
from store.driver import sqlite
from store.engine import Database, backup
from store.errors import ForeignDatabase


async def upgrade(config: Config) -> Upgraded:
    """Bring the journal to the newest schema; what it was is copied beside it first."""
    path = config.database_path
    if not path.exists():
        raise DependencyError(
            f"no journal at {path}: there is nothing to upgrade. `lockstep run` makes one"
        )
    before = await asyncio.to_thread(_version, path)
    (await asyncio.to_thread(open_journal, config)).close()
    after = schema.newest()
    copy = path.with_name(f"{path.name}.schema-{before}")
    kept = str(copy) if before != after and copy.exists() else None
    return Upgraded(path=str(path), before=before, after=after, copied_to=kept)


async def copy_to(config: Config, target: Path) -> BackedUp:
    """A whole and consistent copy; a file that is there already is never written over."""
    async with opened(config) as journal:
        size = await asyncio.to_thread(_copy, journal.database.reader, target)
    return BackedUp(path=str(target), bytes=size)


def _copy(source: Engine, target: Path) -> int:
    """The size of the copy; UsageError names what stands in its way."""
    if target.exists():
        raise UsageError(f"FILE: {target} exists already: a backup is never written over")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"FILE: expected a folder, found none at {target.absolute().parent}")
    try:
        backup(source, target)
    except (OSError, sqlite.Error) as trouble:
        raise UsageError(f"FILE: {target}: {trouble}") from None
    return target.stat().st_size


def _version(path: Path) -> str | None:
    database = Database(path)
    try:
        with database.reader.connect() as connection:
            return schema.version(connection)
    except ForeignDatabase as problem:
        raise ConfigError(f"database: {problem}") from None
    finally:
        database.close()
