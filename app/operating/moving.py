"""From a file to a PostgreSQL server, with a proof that nothing was lost."""

from pathlib import Path

from app.config import Config
from app.errors import ConfigError, DependencyError, GuardError
from app.links import database_trouble, wall_ms
from app.operating.office import act, whereabouts
from app.operating.outputs_journal import Moved, MovedTable
from store.engine import Database
from store.errors import CannotMove, JournalMoved
from store.journal import Journal
from store.moving import Told, move
from store.place import SchemaAddress
from store.presence import ALIVE_MS


def move_to_postgres(config: Config, file: Path | None, told: Told) -> Moved:
    """Move the mode's journal to `database.url`. GuardError while anything is at work on it,
    ConfigError where the server has another journal."""
    to = config.journal
    if not isinstance(to, SchemaAddress):
        raise ConfigError("database.url: expected the PostgreSQL database to move to, found none")
    path = file or config.database_path
    if not path.exists():
        raise DependencyError(f"no journal at {path}: there is nothing to move")
    if whereabouts(config) is not None:
        raise GuardError(f"`lockstep run` is at work on {config.data_dir}: stop it, then move")
    with database_trouble():
        try:
            tables = _moved(path, to, told)
        except JournalMoved as before:
            if before.to != str(to):
                raise ConfigError(f"database: {path}: {before}") from None
            return Moved(path=str(path), to=str(to), already=True, tables=[])
        except CannotMove as why:
            raise GuardError(str(why)) from None
    return Moved(path=str(path), to=str(to), already=False, tables=tables)


def _moved(path: Path, to: SchemaAddress, told: Told) -> list[MovedTable]:
    now_ms = wall_ms()
    journal = Journal.open(path, now_ms)
    try:
        target = Database(to)
        try:
            target.backend.prepare()
            target.backend.check(target.reader)
            found = move(journal.database, target, act(), now_ms - ALIVE_MS, told)
        finally:
            target.close()
    finally:
        journal.close()
    return [MovedTable(name=one.name, rows=one.rows, sha256=one.digest) for one in found]
