"""A backup in the place of a journal's file. What it does not know is looked for at both venues
before anything is traded: it goes into its place halted."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from store import anchors, presence, schema
from store.audit import Act
from store.driver import sqlite
from store.engine import Database
from store.errors import (
    CannotRestore,
    DatabaseDamaged,
    ForeignDatabase,
    JournalBusy,
)
from store.failpoints import Point, hit
from store.journal import Journal
from store.place import Place, SchemaAddress
from store.sqlite import backup, reader_engine

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file and must never be read with another one."""


def put_back(
    copy: Path,
    journal: Path,
    aside: Path,
    why: str,
    act: Act,
    told: Callable[[str], None],
    alone: Callable[[], None],
) -> None:
    """Put what `copy` holds in the place of `journal`; what was there goes to `aside`, where
    nothing is yet. Blocks. Loading may take minutes, in which an executor may have been started:
    `alone` is asked again at the last moment, and raises where one lives.

    Raises CannotRestore where `copy` is no journal, and as `Journal.open`. Killed before the last
    step, the old journal is in its place, at worst older than its anchor says: entries stay
    closed, and a second run goes on.
    """
    partial = journal.with_name(f"{journal.name}.restoring")
    told("loading the backup beside the journal")
    with _made_ready(copy, partial, why, act):
        hit(Point.BACKUP, "restore", "ready")
        told("putting it in the journal's place, halted")
        if journal.exists():
            alone()
            os.link(journal, aside)
            for suffix in BESIDE:
                beside = Path(f"{journal}{suffix}")
                if beside.exists():
                    beside.replace(f"{aside}{suffix}")
        hit(Point.BACKUP, "restore", "aside")
        partial.replace(journal)
        _keep(journal.parent)


def put_schema_back(
    ready: SchemaAddress,
    journal: SchemaAddress,
    aside: str | None,
    why: str,
    act: Act,
    alone: Callable[[], None],
) -> None:
    """As `put_back`, of a copy that was loaded as the schema `ready`: that one takes the place of
    `journal` when it has this version and is halted. Refused, `ready` is gone."""
    from store.postgres import Postgres

    hit(Point.BACKUP, "restore", "loaded")
    try:
        _refuse_strangers(f"the copy of {journal.schema}", ready)
        mark(ready, why, act)
        hit(Point.BACKUP, "restore", "ready")
        Postgres(journal).put_in_place(ready.schema, aside, alone)
    except Exception:
        # A server that is away keeps it until the next run, which begins with that.
        with suppress(JournalBusy):
            Postgres(ready).drop()
        raise
    hit(Point.BACKUP, "restore", "placed")


def refuse_living(place: Place, now_ms: int) -> None:
    """Raise CannotRestore where somebody is at work on the journal that is there, whichever
    version of ours that is. One that is damaged or not ours is at work for nobody."""
    since_ms = now_ms - presence.ALIVE_MS
    try:
        with closing(Database(place)) as database:
            database.backend.check(database.reader)
            with database.reader.connect() as connection:
                schema.version(connection)
            living = database.read_here(lambda s: presence.at_work(s, now_ms, since_ms))
    except (DatabaseDamaged, ForeignDatabase):
        return
    if living is not None:
        raise CannotRestore(f"{living}, then restore")


def mark(place: Place, why: str, act: Act) -> None:
    """Say in a journal that is in its place that it came from a backup."""
    with closing(Journal.open(place, act.at_ms)) as journal:
        journal.database.write_here(lambda s: anchors.restored(s, why, act))


@contextmanager
def _made_ready(copy: Path, partial: Path, why: str, act: Act) -> Iterator[None]:
    _remove(partial)
    try:
        source = reader_engine(copy)
        try:
            backup(source, partial)
        except sqlite.DatabaseError as trouble:
            raise CannotRestore(f"{copy} is not a journal ({trouble})") from None
        finally:
            source.dispose()
        _refuse_strangers(str(copy), partial)
        mark(partial, why, act)
        _keep(partial)
        yield
    finally:
        _remove(partial)


def _refuse_strangers(copy: str, ready: Place) -> None:
    """What is empty would be made a journal: one that knows of no position."""
    with closing(Database(ready)) as database:
        database.backend.check(database.reader)
        with database.reader.connect() as connection:
            if schema.version(connection) is None:
                raise CannotRestore(f"{copy} is not a journal: it has no version of its schema")


def _remove(partial: Path) -> None:
    for part in partial.parent.glob(partial.name + "*"):
        part.unlink()


def _keep(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
